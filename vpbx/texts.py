"""Cleaning of text from outside."""

import unicodedata


def clean(text):
    """Remove what PostgreSQL refuses: NUL and lone surrogates.

    :param str text: any text
    :return: the text without NUL and with question marks for surrogates
    :rtype: str
    """
    return text.replace("\x00", "").encode("utf-8", "replace").decode()


def visible(text):
    """Remove invisible characters, too: control characters, bidi marks, zero widths.

    In a number or a word they only serve to disguise it.

    :param str text: any text
    :rtype: str
    """
    text = clean(text)
    if text.isprintable():  # the usual case
        return text
    return "".join(
        sign
        for sign in text
        if sign.isspace() or not unicodedata.category(sign).startswith("C")
    )
