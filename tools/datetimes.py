"""The PBX's moments and Odoo's."""

from datetime import datetime, timezone


def from_epoch(seconds):
    """Return Odoo's datetime (naive UTC) of epoch seconds, or False without them."""
    if seconds is None:
        return False
    return datetime.fromtimestamp(seconds, timezone.utc).replace(tzinfo=None)


def to_epoch(moment):
    """Return the epoch seconds of Odoo's datetime, or None without one."""
    if not moment:
        return None
    return int(moment.replace(tzinfo=timezone.utc).timestamp())
