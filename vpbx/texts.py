"""Text from outside."""

import unicodedata


def clean(text):
    """Take out what PostgreSQL refuses: NUL and lone surrogates.

    :param str text: any text
    :return: the text without NUL and with question marks for surrogates
    :rtype: str
    """
    return text.replace("\x00", "").encode("utf-8", "replace").decode()


def visible(text):
    """Take out what cannot be seen, too: controls, marks of direction, zero widths.

    In a number or a word they are there only to make it look like another one.

    :param str text: any text
    :rtype: str
    """
    text = clean(text)
    if text.isprintable():  # as nearly all of them are
        return text
    return "".join(
        sign
        for sign in text
        if sign.isspace() or not unicodedata.category(sign).startswith("C")
    )
