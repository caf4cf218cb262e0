"""The black list of incoming callers (``mango-api.md`` 6.7a)."""

import itertools
import re
from dataclasses import asdict, dataclass

from .refusals import Refused, required

DONE = 1000
WRONG, IN_USE, NOT_FOUND = 3104, 3106, 3300
COLORS = ("black", "white")
TYPES = ("tel", "sip")
#: parts of a mask, and the regular expressions for them
WILDCARDS = {"*": r"\d*", "#": r"\d"}


@dataclass
class Listed:
    """An entry of a list. ``number`` may be a mask with ``*`` and ``#``."""

    number_id: str
    number: str
    number_type: str = "tel"
    comment: str = ""

    def matches(self, number):
        parts = (WILDCARDS.get(char, re.escape(char)) for char in self.number)
        return bool(re.fullmatch("".join(parts), number))


class Blacklist:
    """The two lists of the cabinet; only the black one is in force."""

    def __init__(self):
        self._ids = itertools.count(70000001)
        self._lists = {color: [] for color in COLORS}

    def blocks(self, number):
        """Return whether a caller is on the black list; anonymous callers are not."""
        if not number:
            return False
        return any(listed.matches(number) for listed in self._lists["black"])

    def clear(self):
        for listed in self._lists.values():
            listed.clear()

    # -- methods of the API ----------------------------------------------------

    def state(self, _params):
        """``bwlists/state/``."""
        return {"result": DONE, "data": {"active": "black"}}

    def numbers(self, _params):
        """``bwlists/numbers/``."""
        lists = {
            color: {
                "allow_unknown_number": True,
                "numbers": [asdict(listed) for listed in self._lists[color]],
            }
            for color in COLORS
        }
        return {"result": DONE, "data": {"active": "black", **lists}}

    def add(self, params):
        """``bwlists/number/add/``.

        :raise Refused: 3103, 3104 for what is missing or malformed, 3106 for a number
            that is in the list.
        """
        number = required(params, "number")
        color = self._choice(params, "list_type", COLORS)
        kind = self._choice(params, "number_type", TYPES)
        if kind == "tel" and not re.fullmatch(r"[\d*#]+", number):
            raise Refused(WRONG, "number is malformed", {"number": WRONG})
        if any(listed.number == number for listed in self._lists[color]):
            raise Refused(IN_USE, "The number is in the list", {"number": IN_USE})
        comment = str(params.get("comment") or "")
        listed = Listed(str(next(self._ids)), number, kind, comment)
        self._lists[color].append(listed)
        return {"result": DONE, "data": {"number_id": listed.number_id}}

    def delete(self, params):
        """``bwlists/number/delete/``.

        :raise Refused: 3300 for an unknown ``number_id``.
        """
        number_id = str(required(params, "number_id", (str, int)))
        for entries in self._lists.values():
            for listed in entries:
                if listed.number_id == number_id:
                    entries.remove(listed)
                    return {"result": DONE}
        raise Refused(NOT_FOUND, "No such number", {"number_id": NOT_FOUND})

    @staticmethod
    def _choice(params, name, choices):
        value = required(params, name)
        if value not in choices:
            raise Refused(WRONG, f"{name}: {' or '.join(choices)}", {name: WRONG})
        return value
