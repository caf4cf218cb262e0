"""Where requests to the PBX may go."""

import ipaddress
from urllib.parse import urlsplit


def is_loopback(host):
    """Tell whether a host name or address is this very machine.

    :param host: a host name, an IPv4 or an IPv6 address without brackets
    :type host: str | None
    :rtype: bool
    """
    if not host:
        return False
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def check_base_url(url):
    """Check and normalise the address of a PBX (design.md 3).

    :param str url: ``https://app.mango-office.ru``, with or without ``/vpbx/``
    :return: the address without a trailing slash and without ``/vpbx``
    :rtype: str
    :raise ValueError: with one sentence saying what is wrong
    """
    url = (url or "").strip()
    if not url.isprintable() or " " in url or "\\" in url:
        raise ValueError("The address must not contain spaces or control characters.")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise ValueError("This is not a valid address.") from None
    if parts.scheme not in ("http", "https") or not host:
        raise ValueError("The address must look like https://app.mango-office.ru.")
    if parts.username is not None or parts.password is not None:
        raise ValueError("The address must not contain a user name or a password.")
    if "?" in url or "#" in url:
        raise ValueError("The address must not contain a query or a fragment.")
    if port == 0:
        raise ValueError("The address must not contain port 0.")
    if parts.scheme == "http" and not is_loopback(host):
        raise ValueError("The address must begin with https://.")
    path = parts.path.rstrip("/").removesuffix("/vpbx").rstrip("/")
    return f"{parts.scheme}://{parts.netloc.lower()}{path}"


def check_link(url, base_url):
    """Tell whether a file that the PBX points to may be fetched (design.md 3).

    :param str url: absolute
    :param str base_url: of the PBX, as :func:`check_base_url` gives it
    :return: it is ``https`` in the world outside, or on this machine as the PBX is
    :rtype: bool
    """
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname, parts.port
    except ValueError:
        return False
    if not host or parts.scheme not in ("http", "https") or not url.isprintable():
        return False
    if is_loopback(host):
        return is_loopback(urlsplit(base_url).hostname)
    return parts.scheme == "https"
