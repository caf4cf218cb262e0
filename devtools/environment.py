"""The environment of all commands: Python packages, Odoo, browser, linters.

Each ``ensure_*`` is one step. It does nothing if its stamp is current, builds in a
temporary folder and moves the result in place, so that an interrupted step is simply
repeated.
"""

import contextlib
import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from . import apt, paths, processes
from .console import Failure, say, step

DISK_NEEDED = 4_000_000_000  # bytes: Odoo 1.3 GB twice while unpacking, packages, data
RUN_REQUIREMENTS = ["requirements.txt", "constraints.txt"]
TEST_REQUIREMENTS = ["requirements-test.txt", "constraints.txt"]
NODE_FILES = ["package.json", "package-lock.json"]
# Debian ships Odoo without files of other Debian packages, and links to those.
# unstable: scripts and fonts of the web client; without jquery /web/login answers 500.
ODOO_PACKAGES = [
    "odoo-19",
    "libjs-jquery",
    "libjs-underscore",
    "libjs-jquery-form",
    "fonts-roboto-unhinted",
    "fonts-montserrat",
    "fonts-ocr-b",
    "fonts-inconsolata",
    "fonts-glyphicons-halflings",
]
# Odoo draws its icons with Font Awesome 4.7; unstable has only 7.
ICONS = ("fonts-font-awesome", "really4.7")
# Removed by Debian for its licence. It blurs the background of video calls; its absence
# causes an error in the log of every asset build.
BLUR_SCRIPT = "addons/mail/static/lib/selfie_segmentation/selfie_segmentation.js"
BLUR_STUB = (
    "// Left out by Debian for its licence; blurs the background of video calls.\n"
)
DEBIAN_PACKAGE_ROOT = "usr/lib/python3/dist-packages"
# The browser that Odoo's tests look for.
BROWSERS = ["google-chrome", "chromium", "chromium-browser", "google-chrome-stable"]
REPEAT = "check the network connection and run the same command again"


def ensure_runtime():
    """Provide everything that Odoo and the simulator need.

    :raise Failure: if something cannot be had.
    """
    with _one_at_a_time():
        _ensure_disk()
        _ensure_python()
        _ensure_packages("run", RUN_REQUIREMENTS)
        _use_packages()
        _ensure_odoo()
        _ensure_link()
        _ensure_launcher()


def ensure_test_tools():
    """Provide the linters and what Odoo's browser tests import.

    :raise Failure: if something cannot be had.
    """
    with _one_at_a_time():
        _ensure_disk()
        _ensure_python()
        _ensure_packages("run", RUN_REQUIREMENTS)
        _ensure_packages("test", TEST_REQUIREMENTS)
        _use_packages()
        _ensure_node_tools()


def ensure_browser():
    """Provide a Chromium.

    :return: path of the browser.
    :rtype: str
    :raise Failure: if there is none and it cannot be installed.
    """
    with _one_at_a_time():
        return _browser() or _install_browser()


def odoo_package_root():
    """Find the folder that holds the ``odoo`` package.

    :return: below ``ODOO_PATH`` if set, else from Debian's package in ``.dev``.
    :rtype: pathlib.Path
    :raise Failure: if ``ODOO_PATH`` holds no Odoo 19.
    """
    if not os.environ.get("ODOO_PATH"):
        return paths.ODOO_ROOT / DEBIAN_PACKAGE_ROOT
    root = Path(os.environ["ODOO_PATH"]).expanduser().resolve()
    release = root / "odoo" / "release.py"
    if not release.exists():
        raise Failure(
            f"ODOO_PATH is {root}, which holds no odoo/release.py: set it to the "
            "folder of an Odoo 19 source tree, the one with odoo-bin."
        )
    if not re.search(r"version_info\s*=\s*\(\s*'?(saas~)?19\b", release.read_text()):
        raise Failure(
            f"ODOO_PATH is {root}, which is not Odoo 19: set it to an Odoo 19 tree."
        )
    return root


@contextlib.contextmanager
def _one_at_a_time():
    """Make a second ``./dev`` wait until the first one has set up everything."""
    paths.STAMPS.mkdir(parents=True, exist_ok=True)
    with (paths.DEV / "setup.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("Another ./dev is setting things up; waiting for it.")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _ensure_disk():
    if _is_current("odoo", "1"):
        return
    if shutil.disk_usage(paths.DEV).free < DISK_NEEDED:
        raise Failure(
            f"Less than 4 GB are free in {paths.DEV}: free some space and run the same "
            "command again."
        )


def _stamp(name):
    return paths.STAMPS / name


def _is_current(name, content):
    stamp = _stamp(name)
    return stamp.exists() and stamp.read_text() == content


def _digest(names):
    digest = hashlib.sha256()
    for name in names:
        digest.update((paths.DEVTOOLS / name).read_bytes())
    return digest.hexdigest()


def _ensure_python():
    """Create the virtual environment with the running Python."""
    version = ".".join(str(part) for part in sys.version_info[:2])
    if _is_current("python", version) and paths.PYTHON.exists():
        return
    for name in ("run", "test"):
        _stamp(name).unlink(missing_ok=True)
    building = paths.DEV / "venv.new"
    shutil.rmtree(building, ignore_errors=True)
    shutil.rmtree(paths.VENV, ignore_errors=True)
    with step(f"Making a virtual environment with Python {version}"):
        _make_venv(building)
        building.rename(paths.VENV)
    _stamp("python").write_text(version)


def _make_venv(folder):
    remedy = "install Python's venv module and run the same command again"
    command = [sys.executable, "-m", "venv", "--without-pip", folder]
    processes.run_logged(command, remedy)
    python = folder / "bin" / "python"
    has_pip = subprocess.run(
        [python, "-c", "import ensurepip; ensurepip.version()"],
        stderr=subprocess.DEVNULL,
        check=False,
    )
    if has_pip.returncode == 0:
        processes.run_logged([python, "-m", "ensurepip", "--default-pip"], remedy)
        return
    # Debian has pip in a separate package.
    if not apt.is_debian():
        raise Failure(
            "This Python comes without ensurepip: install it (on most systems a "
            "package called python3-venv or python3-pip) and run this again."
        )
    unpacked = paths.DEV / "pip.new"
    shutil.rmtree(unpacked, ignore_errors=True)
    apt.private_apt().unpack(["python3-pip-whl"], unpacked, "Fetching pip")
    wheel = next(unpacked.rglob("pip-*.whl"))
    processes.run_logged(
        [python, wheel / "pip", "install", "--no-index", wheel], remedy
    )
    shutil.rmtree(unpacked)


def _ensure_packages(name, files):
    """Install pinned packages into the virtual environment.

    :param str name: the stamp.
    :param list files: requirements and constraints, below ``devtools``.
    """
    digest = _digest(files)
    if _is_current(name, digest):
        return
    requirements, constraints = (paths.DEVTOOLS / file for file in files)
    log = paths.LOGS / "pip.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_text("")
    wanted = len(re.findall(r"^\w", requirements.read_text(), flags=re.MULTILINE))
    command = [paths.PYTHON, "-m", "pip", "install", "--disable-pip-version-check"]
    command += ["--no-input", "-r", requirements, "-c", constraints]

    def measure():
        collected = log.read_text().count("Collecting ")
        return f"{collected} packages so far"

    with step(f"Installing {wanted} Python packages and what they need", measure):
        processes.run_logged(command, REPEAT, log_name="pip.log")
    _stamp(name).write_text(digest)


def _use_packages():
    """Make the packages importable in this process, which uses the same Python."""
    [packages] = paths.VENV.glob("lib/python3*/site-packages")
    if str(packages) not in sys.path:
        sys.path.append(str(packages))


def _ensure_odoo():
    """Fetch Odoo unless ``ODOO_PATH`` names one."""
    if os.environ.get("ODOO_PATH"):
        odoo_package_root()
        return
    if _is_current("odoo", "1") and paths.ODOO_ROOT.exists():
        return
    if not apt.is_debian():
        raise Failure(
            "Odoo 19 can be fetched by itself on Debian only: get its source tree and "
            "set ODOO_PATH to that folder."
        )
    building = paths.DEV / "odoo.new"
    for folder in (building, paths.ODOO_ROOT):
        shutil.rmtree(folder, ignore_errors=True)
    debian = apt.private_apt()
    packages = [*ODOO_PACKAGES, debian.version_like(*ICONS)]
    debian.unpack(packages, building, "Fetching Odoo 19 from Debian")
    blur = building / DEBIAN_PACKAGE_ROOT / "odoo" / BLUR_SCRIPT
    if not blur.exists():
        blur.unlink(missing_ok=True)  # it may be a dangling link
        blur.parent.mkdir(parents=True, exist_ok=True)
        blur.write_text(BLUR_STUB)
    building.rename(paths.ODOO_ROOT)
    _stamp("odoo").write_text("1")


def _ensure_link():
    """Link the repository's root into the addons path under the addon's name."""
    link = paths.ADDONS / paths.MODULE
    paths.ADDONS.mkdir(exist_ok=True)
    if not link.is_symlink():
        link.symlink_to(Path("..") / "..", target_is_directory=True)


def _ensure_launcher():
    if paths.ODOO_BIN.exists():
        return
    paths.ODOO_BIN.parent.mkdir(exist_ok=True)
    paths.ODOO_BIN.write_text("import odoo.cli\n\nodoo.cli.main()\n")


def _ensure_node_tools():
    """Install the npm packages with the Node.js of our Python packages."""
    digest = _digest(NODE_FILES)
    if _is_current("node", digest) and paths.NODE_TOOLS.exists():
        return
    building = paths.DEV / "node.new"
    for folder in (building, paths.NODE_TOOLS):
        shutil.rmtree(folder, ignore_errors=True)
    building.mkdir()
    for name in NODE_FILES:
        shutil.copy(paths.DEVTOOLS / name, building)
    with step("Installing eslint, prettier and axe-core"):
        node = paths.node()
        npm = node.parent.parent / "lib/node_modules/npm/bin/npm-cli.js"
        command = [node, npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        processes.run_logged(command, REPEAT, cwd=building)
        building.rename(paths.NODE_TOOLS)
    _stamp("node").write_text(digest)


def _browser():
    return next(filter(None, map(shutil.which, BROWSERS)), None)


def _install_browser():
    if not apt.is_debian() or os.geteuid() != 0:
        raise Failure(
            "The browser tests need Chromium and none is on the PATH: install it (on "
            "Debian: apt-get install chromium) and run the same command again."
        )
    log = paths.LOGS / "chromium.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_text("")

    def measure():
        # apt reports "dlstatus:1:45.2:Retrieving ..." and "pmstatus:..."
        states = re.findall(
            r"^(dl|pm)status:[^:]*:(\d+)", log.read_text(), re.MULTILINE
        )
        if not states:
            return ""
        kind, percent = states[-1]
        return f"{'fetched' if kind == 'dl' else 'installed'} {percent} %"

    install = ["apt-get", "install", "-y", "--no-install-recommends"]
    install += ["-o", "APT::Status-Fd=1", "chromium"]
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    with step("Installing Chromium with apt-get", measure):
        for command in (["apt-get", "update"], install):
            processes.run_logged(
                command,
                "install Chromium by hand (apt-get install chromium)",
                log_name="chromium.log",
                env=environment,
            )
    browser = _browser()
    if not browser:
        raise Failure("apt-get installed no chromium: install Chromium by hand.")
    return browser
