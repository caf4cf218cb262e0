"""Answers of the API other than success (``mango-api.md`` 7.2)."""

MISSING, WRONG = 3103, 3104


class Refused(Exception):
    """An answer other than success.

    :param int code: one of the table 7.2.
    :param str description: text for people.
    :param dict fields: error codes by name of the wrong parameter.
    """

    def __init__(self, code, description, fields=None):
        super().__init__(description)
        self.code = code
        self.description = description
        self.fields = fields or {}


def required(params, name, kind=str):
    """Return a parameter that must be present and of type ``kind``.

    :raise Refused: 3103 if it is missing, 3104 if it has another type.
    """
    value = params.get(name)
    if value in (None, ""):
        raise Refused(MISSING, f"Parameter {name} is missing", {name: MISSING})
    if not isinstance(value, kind) or isinstance(value, bool):
        raise Refused(WRONG, f"Parameter {name} is malformed", {name: WRONG})
    return value
