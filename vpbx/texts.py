"""Text from outside."""


def clean(text):
    """Take out what PostgreSQL refuses: NUL and lone surrogates.

    :param str text: any text
    :return: the text without NUL and with question marks for surrogates
    :rtype: str
    """
    return text.replace("\x00", "").encode("utf-8", "replace").decode()
