"""Signatures of the PBX's protocol (``mango-api.md`` 2.2 and 6.4)."""

import hashlib
import hmac


def sign(key, text, salt):
    """Sign the exact text of a ``json`` form field.

    :param str key: ``vpbx_api_key``.
    :param str text: the field as it is sent, before URL encoding.
    :param str salt: the secret shared with the other side.
    :return: SHA-256 of the three in a row, lower-case hexadecimal.
    """
    return hashlib.sha256(f"{key}{text}{salt}".encode()).hexdigest()


def sign_link(key, timestamp, recording_id, salt):
    """Sign a recording link; ``timestamp`` is the second it is valid until."""
    return sign(key, f"{timestamp}{recording_id}", salt)


def matches(expected, given):
    """Compare two signatures in constant time."""
    return hmac.compare_digest(expected.encode(), str(given).encode())
