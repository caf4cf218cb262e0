"""Conversions between the PBX's timestamps and Odoo's datetimes."""

from datetime import datetime, timezone


def from_epoch(seconds):
    """Convert epoch seconds to Odoo's datetime (naive UTC); False if there are none."""
    if seconds is None:
        return False
    return datetime.fromtimestamp(seconds, timezone.utc).replace(tzinfo=None)


def to_epoch(moment):
    """Convert Odoo's datetime to epoch seconds; None if there is none."""
    if not moment:
        return None
    return int(moment.replace(tzinfo=timezone.utc).timestamp())
