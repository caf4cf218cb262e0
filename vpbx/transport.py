"""Network failures on the way to the PBX, converted to :mod:`.errors`."""

import socket

import requests
import urllib3

from .errors import TransportError


def transport_error(error, answered):
    """Return the reason for a missing answer, and whether the request may have arrived.

    :param Exception error: from requests, urllib3 or the socket
    :param bool answered: the answer had begun
    :rtype: TransportError
    """
    # requests wraps urllib3's error, which wraps the socket's
    inner = error.args[0] if error.args else None
    inner = getattr(inner, "reason", inner)
    if answered:
        slow = isinstance(inner, urllib3.exceptions.ReadTimeoutError)
        message, reason = "The PBX's answer broke off.", "timeout" if slow else "broken"
        return TransportError(message, reason=reason, ambiguous=True)
    if isinstance(error, requests.exceptions.SSLError):
        if "CERTIFICATE_VERIFY_FAILED" in str(error):
            return TransportError("The PBX's certificate is not valid.", reason="tls")
        return TransportError("No secure connection to the PBX.", reason="tls")
    if isinstance(error, requests.ConnectTimeout):
        return TransportError("The PBX cannot be reached in time.", reason="timeout")
    if isinstance(error, requests.ReadTimeout):
        message = "The PBX did not answer in time."
        return TransportError(message, reason="timeout", ambiguous=True)
    if isinstance(inner, urllib3.exceptions.NewConnectionError):
        if isinstance(inner.__cause__ or inner.__context__, socket.gaierror):
            return TransportError("The PBX's address is unknown.", reason="dns")
        return TransportError("The PBX cannot be reached.", reason="connect")
    if isinstance(error, requests.exceptions.ProxyError):
        message = "The proxy on the way to the PBX cannot be reached."
        return TransportError(message, reason="connect")
    message = "The connection to the PBX was lost."
    return TransportError(message, reason="broken", ambiguous=True)
