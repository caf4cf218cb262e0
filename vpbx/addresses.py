"""Where requests to the PBX may go, and where its notifications come from."""

import ipaddress
import re
from urllib.parse import urlsplit

#: The addresses that the vendor documents for notifications (mango-api.md 2.3).
KNOWN_SOURCES = (
    "81.88.80.132",
    "81.88.80.133",
    "81.88.82.36",
    "81.88.82.44",
    "81.88.82.45",
)

_SEPARATOR = re.compile(r"[\s,;]+")


def is_loopback(host):
    """Tell whether a host name or address is this machine.

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


def parse_networks(text):
    """Read a list of addresses and networks as people write it.

    :param text: ``81.88.80.132, 81.88.82.0/24``; separated by blanks, commas,
        semicolons or lines
    :type text: str | None
    :return: one network for each entry
    :rtype: tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]
    :raise ValueError: its text is the first entry that is neither
    """
    networks = []
    for entry in filter(None, _SEPARATOR.split(text or "")):
        try:
            networks.append(ipaddress.ip_network(entry, strict=False))
        except ValueError:
            raise ValueError(entry) from None
    return tuple(networks)


def is_among(address, networks):
    """Tell whether an address belongs to one of some networks.

    :param address: as the web server reports it; an invalid one is in no network
    :type address: str | None
    :param networks: as :func:`parse_networks` returns them
    :type networks: ~collections.abc.Iterable
    :rtype: bool
    """
    found = _parse_address(address)
    return found is not None and any(found in network for network in networks)


def _parse_address(text):
    try:
        address = ipaddress.ip_address(text or "")
    except ValueError:
        return None
    # A socket for both versions shows an IPv4 address as ::ffff:81.88.80.132.
    return getattr(address, "ipv4_mapped", None) or address


def check_link(url, base_url):
    """Tell whether a file that the PBX links to may be fetched (design.md 3).

    :param str url: absolute
    :param str base_url: of the PBX, as returned by :func:`check_base_url`
    :return: whether it is ``https``, or on this machine if the PBX is there, too
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
