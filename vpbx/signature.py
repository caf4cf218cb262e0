"""The signature of requests and notifications (mango-api.md 2.2).

Plain SHA-256 over key, JSON text and salt; no HMAC. The text is exactly that of the
form field, so it is never parsed and serialised again in between.
"""

import hashlib
import hmac


def sign(api_key, body_text, api_salt):
    """Sign the ``json`` field of a request.

    :param str api_key: the PBX's code
    :param str body_text: the exact text of the ``json`` form field
    :param str api_salt: the PBX's key for signatures
    :return: 64 lower-case hexadecimal digits
    :rtype: str
    """
    # surrogatepass: a form field may decode to lone surrogates, and rejecting such a
    # text is not the job of this function
    signed = f"{api_key}{body_text}{api_salt}".encode("utf-8", "surrogatepass")
    return hashlib.sha256(signed).hexdigest()


def verify(api_key, body_text, api_salt, signature):
    """Check a signature in constant time. Never raises, whatever the input.

    :param str api_key: the PBX's code
    :param body_text: the decoded ``json`` form field as received
    :type body_text: str | None
    :param str api_salt: the PBX's key for signatures
    :param signature: the ``sign`` form field as received
    :type signature: str | None
    :return: whether the signature is valid
    :rtype: bool
    """
    texts = (api_key, body_text, api_salt, signature)
    if not all(isinstance(text, str) for text in texts):
        return False
    # Without both secrets the signature proves nothing.
    if not api_key or not api_salt:
        return False
    expected = sign(api_key, body_text, api_salt).encode()
    return hmac.compare_digest(expected, signature.encode("utf-8", "surrogatepass"))


def sender_of(form, credentials):
    """Identify the sender of a notification.

    :param form: the decoded form fields as received
    :type form: ~collections.abc.Mapping[str, str]
    :param credentials: for each PBX code, the value that it stands for and its key for
        signatures
    :type credentials: dict[str, tuple[int, str]]
    :return: the value of the code; None if the code is unknown or the signature is
        invalid
    :rtype: int | None
    """
    api_key = form.get("vpbx_api_key", "")
    sender, api_salt = credentials.get(api_key, (None, ""))
    is_genuine = verify(api_key, form.get("json", ""), api_salt, form.get("sign", ""))
    return sender if is_genuine else None
