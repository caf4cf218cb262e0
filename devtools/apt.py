"""Debian packages, unpacked below ``.dev`` with the machine's own apt.

Nothing is installed: apt gets separate lists and caches, and uses the machine's mirror.
"""

import platform
import shutil
import subprocess
from pathlib import Path

from . import paths, processes
from .console import Failure, step

UNSTABLE = "unstable"
KEYRINGS = [
    Path("/usr/share/keyrings") / f"debian-archive-keyring.{suffix}"
    for suffix in ("pgp", "gpg")
]
SOURCE = "$(RELEASE)|$(COMPONENT)|$(ORIGIN)|$(REPO_URI)"
NETWORK = "check the network connection and run the same command again"

# The user that apt switches to for downloads may not enter our folder. Hooks of the
# machine's apt (caches of desktop programs) are disabled.
CONFIG = """\
Dir::Etc::sourcelist "{home}/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::State::Lists "{home}/lists";
Dir::Cache "{home}/cache";
APT::Sandbox::User "root";
APT::Install-Recommends "false";
Acquire::Languages "none";
Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled "false";
Acquire::Retries "3";
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
"""


def os_release():
    """Read the operating system's description.

    :return: the fields of ``os-release``, empty where there is no such file.
    :rtype: dict
    """
    try:
        return platform.freedesktop_os_release()
    except OSError:
        return {}


def is_debian():
    """Tell whether this is Debian itself, with apt and dpkg."""
    return os_release().get("ID") == "debian" and bool(
        shutil.which("apt-get") and shutil.which("dpkg")
    )


def stable_suite():
    """Return the machine's own suite, or Debian 12's on testing or unstable."""
    release = os_release()  # only releases have a number
    return release["VERSION_CODENAME"] if "VERSION_ID" in release else "bookworm"


class Apt:
    """The machine's apt with unstable and the machine's own suite.

    :param pathlib.Path home: folder for lists, caches and configuration.
    """

    def __init__(self, home):
        self.home = home
        self.options = ["-c", str(home / "apt.conf")]

    def update(self):
        """Fetch the lists of both suites.

        :raise Failure: if the mirror is unknown or does not answer.
        """
        keyring = next(filter(Path.exists, KEYRINGS), None)
        source = f"[signed-by={keyring}] " if keyring else ""
        source += machine_mirror()
        suites = (UNSTABLE, stable_suite())
        lines = [f"deb {source} {suite} main\n" for suite in suites]
        for folder in ("lists/partial", "cache/archives/partial"):
            (self.home / folder).mkdir(parents=True, exist_ok=True)
        (self.home / "sources.list").write_text("".join(lines))
        (self.home / "apt.conf").write_text(CONFIG.format(home=self.home))
        with step("Reading Debian's package lists"):
            processes.run_logged(["apt-get", *self.options, "update"], NETWORK)

    def unpack(self, packages, target, text):
        """Download packages and unpack them into one folder.

        :param list packages: names as for ``apt-get download``.
        :param pathlib.Path target: folder for the files.
        :param str text: the progress message.
        :raise Failure: if a download fails.
        """
        folder = self.home / "packages"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        megabytes = self._size(packages) // 1_000_000

        def measure():
            got = sum(path.stat().st_size for path in folder.iterdir())
            return f"{got // 1_000_000} of {megabytes} MB"

        with step(f"{text} ({megabytes} MB)", measure):
            processes.run_logged(
                ["apt-get", *self.options, "download", *packages], NETWORK, cwd=folder
            )
        with step("Unpacking"):
            for package in sorted(folder.glob("*.deb")):
                processes.run_logged(
                    ["dpkg", "-x", package, target],
                    "free some disk space and run the same command again",
                )
        shutil.rmtree(folder)

    def version_like(self, package, text):
        """Find the newest version of a package whose number contains a text.

        :param str package: its name.
        :param str text: part of the version.
        :return: ``package=version``, or the bare name if there is none.
        :rtype: str
        """
        table = processes.output_of(["apt-cache", *self.options, "madison", package])
        versions = [line.split("|")[1].strip() for line in table.splitlines()]
        found = next((version for version in versions if text in version), None)
        return f"{package}={found}" if found else package

    def _size(self, packages):
        try:
            listing = processes.output_of(
                ["apt-get", *self.options, "--print-uris", "download", *packages]
            )
        except subprocess.CalledProcessError as error:
            raise Failure(
                f"Debian's mirror has no {' or '.join(packages)}: set ODOO_PATH to a "
                "folder with Odoo 19."
            ) from error
        return sum(int(line.split()[2]) for line in listing.splitlines())


def machine_mirror():
    """Find the Debian mirror that this machine is set up for.

    :return: its address.
    :rtype: str
    :raise Failure: if there is none.
    """
    suites = {os_release().get("VERSION_CODENAME"), "stable", "testing", "sid"}
    suites |= {"oldstable", UNSTABLE}
    # Other vendors have such suites, too. Before the machine's first update the origin
    # is unknown, but other vendors' packages lack Debian's signature.
    for option, expected in (
        ("--release-info", "Debian"),
        ("--no-release-info", "$(ORIGIN)"),
    ):
        command = ["apt-get", "indextargets", option, f"--format={SOURCE}"]
        for line in processes.output_of(command).splitlines():
            suite, component, origin, uri = line.split("|")
            is_main = suite in suites and component == "main"
            if is_main and origin == expected and not uri.startswith("cdrom:"):
                return uri
    raise Failure(
        "No Debian mirror is set up in /etc/apt: set one up, or set ODOO_PATH to a "
        "folder with Odoo 19."
    )


def private_apt():
    """Create the apt that works below ``.dev``.

    :return: an updated :class:`Apt`.
    :raise Failure: if this machine is not Debian.
    """
    apt = Apt(paths.DEV / "apt")
    apt.update()
    return apt
