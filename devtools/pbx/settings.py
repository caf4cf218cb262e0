"""What can be changed on a running PBX."""

from dataclasses import dataclass, field, fields

CHOICES = {
    "disorder": ("none", "shuffle", "double", "both"),
    "numbers": ("int", "string"),
    "errors": ("ok", "status", "legacy"),
    "client": ("answer", "busy", "silent", "manual"),
    "result_order": ("before", "after", "random"),
    "late": ("reply", "result"),
    "callback": ("accept", "reply", "result"),
}
#: codes that a refused ``commands/callback`` may have (``mango-api.md`` 7.2)
REFUSALS = range(2000, 6000)


@dataclass
class Fault:
    """A wrong answer of the API, given instead of the right one.

    ``kind``: ``429``, ``503``, ``401``, ``3100``, ``204``, ``empty``, ``html``, ``cut``
    or ``slow`` (the right answer after ``seconds``). ``path``: only for methods that
    begin so. ``times``: how often; 0 is for ever.
    """

    kind: str
    path: str = ""
    times: int = 1
    seconds: float = 0.0

    KINDS = ("429", "503", "401", "3100", "204", "empty", "html", "cut", "slow")

    @classmethod
    def parse(cls, value):
        """:raise ValueError: if ``value`` does not describe a fault."""
        value = {"kind": value} if isinstance(value, (str, int)) else value
        if not isinstance(value, dict) or set(value) - {f.name for f in fields(cls)}:
            raise ValueError("a fault has kind, path, times and seconds")
        if str(value.get("kind")) not in cls.KINDS:
            raise ValueError(f"kind of a fault: one of {', '.join(cls.KINDS)}")
        return cls(
            kind=str(value["kind"]),
            path=str(value.get("path", "")),
            times=int(value.get("times", 1)),
            seconds=float(value.get("seconds", 0)),
        )


@dataclass
class Settings:
    """Switches of the page, of the command line and of tests.

    ``greeting``: seconds in the menu, 0 for none. ``disorder``: of notifications.
    ``numbers``: integers as such or as text. ``errors``: HTTP 200 with ``result``;
    HTTP 4xx with ``result``, ``description``, ``fields``; HTTP 420 with ``code``.
    ``client``: what a called customer does; ``manual``: what is pressed on the page.
    ``result_order``: ``result/…`` before or after the legs it caused. ``late``: a route
    that comes too late is refused in the reply or accepted and refused in
    ``result/route``. ``callback``: a call on behalf of an employee is accepted, refused
    in the reply, or accepted and refused in ``result/callback``; ``refusal``: the code
    of that, 2240 (no money) or 2300 (destination blocked) say. ``recording``: of talks.
    ``api_v2``: legs carry ``transfer`` and ``was_transferred``. ``rate_limits``: kept.
    ``notify``: false, and no notification leaves, as if the network were down; the
    statistics know the calls all the same.
    """

    greeting: float = 5.0
    disorder: str = "none"
    numbers: str = "int"
    errors: str = "ok"
    client: str = "manual"
    result_order: str = "after"
    late: str = "reply"
    callback: str = "accept"
    refusal: int = 2240
    recording: bool = True
    api_v2: bool = True
    rate_limits: bool = True
    notify: bool = True
    faults: list = field(default_factory=list)

    def update(self, values):
        """Change several settings, all or none.

        :param dict values: by field name; ``faults`` is a list, replaced as a whole.
        :raise ValueError: for an unknown setting or a value it cannot have.
        """
        clean = {name: self._clean(name, value) for name, value in values.items()}
        for name, value in clean.items():
            setattr(self, name, value)

    def _clean(self, name, value):
        if name == "faults":
            return [Fault.parse(fault) for fault in value or []]
        if name == "greeting":
            return max(float(value), 0.0)
        if name == "refusal":
            if int(value) not in REFUSALS:
                raise ValueError("refusal: a code from 2000 to 5999")
            return int(value)
        if name in CHOICES:
            if value not in CHOICES[name]:
                raise ValueError(f"{name}: one of {', '.join(CHOICES[name])}")
            return value
        if name in ("recording", "api_v2", "rate_limits", "notify"):
            if not isinstance(value, bool):
                raise ValueError(f"{name}: true or false")
            return value
        raise ValueError(f"no such setting: {name}")

    def take_fault(self, path):
        """:return: the fault that the next answer to ``path`` suffers, or ``None``."""
        fault = next((f for f in self.faults if path.startswith(f.path)), None)
        if fault and fault.times:
            fault.times -= 1
            if not fault.times:
                self.faults.remove(fault)
        return fault
