"""Packages of Debian's suites, unpacked below ``.dev`` with the machine's own apt.

Nothing is installed: apt gets lists and caches of its own, and the mirror and keyring
that the machine is already set up for.
"""

import re
import shutil
import subprocess
from pathlib import Path

from . import paths, processes
from .console import Failure, step

UNSTABLE = "unstable"
ETC = Path("/etc/apt")
OS_RELEASE = Path("/etc/os-release")
KEYRINGS = [
    Path("/usr/share/keyrings") / f"debian-archive-keyring.{suffix}"
    for suffix in ("pgp", "gpg")
]
NETWORK = "check the network connection and run the same command again"

# Hooks of the machine's apt (caches of desktop programs) are none of our business.
CONFIG = """\
Dir::Etc::sourcelist "{home}/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::State::Lists "{home}/lists";
Dir::Cache "{home}/cache";
APT::Sandbox::User "{user}";
APT::Install-Recommends "false";
Acquire::Languages "none";
Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled "false";
Acquire::Retries "3";
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
"""


def os_release():
    """Read what system this is.

    :return: the fields of ``os-release``, empty where there is no such file.
    :rtype: dict
    """
    if not OS_RELEASE.exists():
        return {}
    lines = OS_RELEASE.read_text().splitlines()
    pairs = (line.split("=", 1) for line in lines if "=" in line)
    return {key: value.strip("\"'") for key, value in pairs}


def is_debian():
    """Tell whether this is Debian itself, with apt and dpkg."""
    return os_release().get("ID") == "debian" and bool(
        shutil.which("apt-get") and shutil.which("dpkg")
    )


def stable_suite():
    """Name the machine's own suite, or Debian 12's where it is testing or unstable."""
    release = os_release()  # only released versions have a number
    return release["VERSION_CODENAME"] if "VERSION_ID" in release else "bookworm"


class Apt:
    """The machine's apt on unstable and on the machine's own suite.

    :param pathlib.Path home: folder for lists, caches and configuration.
    """

    def __init__(self, home):
        self.home = home
        self.options = ["-c", str(home / "apt.conf")]

    def update(self):
        """Fetch the lists of both suites.

        :raise Failure: if the mirror is unknown or does not answer.
        """
        mirror, keyring = machine_mirror()
        for folder in ("lists/partial", "cache/archives/partial"):
            (self.home / folder).mkdir(parents=True, exist_ok=True)
        option = f"[signed-by={keyring}] " if keyring else ""
        self._write(
            "sources.list",
            "".join(
                f"deb {option}{mirror} {suite} main\n"
                for suite in (UNSTABLE, stable_suite())
            ),
        )
        # The user that apt changes to for downloads may not enter our folder.
        self._write("apt.conf", CONFIG.format(home=self.home, user="root"))
        with step("Reading Debian's package lists"):
            processes.run_logged(["apt-get", *self.options, "update"], NETWORK)

    def unpack(self, packages, target, text):
        """Download packages and unpack them over each other.

        :param list packages: names as of ``apt-get download``.
        :param pathlib.Path target: folder that takes the files.
        :param str text: what to tell the person.
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
        matching = [version for version in versions if text in version]
        return f"{package}={matching[0]}" if matching else package

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

    def _write(self, name, text):
        (self.home / name).write_text(text)


def machine_mirror():
    """Find the Debian mirror that this machine is set up for.

    :return: address and keyring (a path or an empty text).
    :rtype: tuple
    :raise Failure: if there is none.
    """
    suites = {os_release().get("VERSION_CODENAME"), "stable", "testing", "sid"}
    suites |= {"oldstable", UNSTABLE}
    for entry in _entries():
        ours = suites & set(entry["suites"]) and "main" in entry["components"]
        keyring = entry["signed-by"]
        foreign = keyring and "debian-archive" not in keyring
        if ours and not foreign and not entry["uri"].startswith("cdrom:"):
            return entry["uri"], keyring or _default_keyring()
    raise Failure(
        "No Debian mirror is set up in /etc/apt: set one up, or set ODOO_PATH to a "
        "folder with Odoo 19."
    )


def _default_keyring():
    return next((str(path) for path in KEYRINGS if path.exists()), "")


def _entries():
    """Read all apt sources of the machine, in both formats."""
    files = [ETC / "sources.list", *sorted((ETC / "sources.list.d").glob("*"))]
    for path in files:
        if path.suffix == ".sources":
            yield from _deb822_entries(path.read_text())
        elif path.suffix == ".list" and path.exists():
            yield from _one_line_entries(path.read_text())


def _deb822_entries(text):
    text = re.sub(r"^#.*\n", "", text, flags=re.MULTILINE)
    for stanza in re.split(r"\n\s*\n", text):
        fields = {
            name.lower(): value.split()
            for name, value in re.findall(
                r"^([\w-]+):(.*(?:\n[ \t].*)*)", stanza, flags=re.MULTILINE
            )
        }
        if "deb" not in fields.get("types", []) or fields.get("enabled") == ["no"]:
            continue
        keyring = fields.get("signed-by", [])
        # A key may also stand in the file itself; then the system's keyring has it too.
        is_path = len(keyring) == 1 and keyring[0].startswith("/")
        for uri in fields.get("uris", []):
            yield {
                "uri": uri,
                "suites": fields.get("suites", []),
                "components": fields.get("components", []),
                "signed-by": keyring[0] if is_path else "",
            }


def _one_line_entries(text):
    for line in text.splitlines():
        match = re.match(r"\s*deb\s+(?:\[(.*?)\]\s+)?(\S+)\s+(\S+)\s+(.*)", line)
        if not match:
            continue
        options, uri, suite, components = match.groups()
        keyring = re.search(r"signed-by=(\S+)", options or "")
        yield {
            "uri": uri,
            "suites": [suite],
            "components": components.split("#")[0].split(),
            "signed-by": keyring.group(1) if keyring else "",
        }


def private_apt():
    """Make the apt that works below ``.dev``.

    :return: an updated :class:`Apt`.
    :raise Failure: if this machine is not Debian.
    """
    apt = Apt(paths.DEV / "apt")
    apt.update()
    return apt
