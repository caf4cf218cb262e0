"""Settings of a running PBX."""

from dataclasses import dataclass, field, fields

CHOICES = {
    "disorder": ("none", "shuffle", "double", "both"),
    "numbers": ("int", "string"),
    "errors": ("ok", "status", "legacy"),
    "client": ("answer", "busy", "silent", "manual"),
    "result_order": ("before", "after", "random"),
    "late": ("reply", "result"),
    "reroute": ("accept", "reply", "result"),
    "after_route": ("end", "menu", "queue", "scheme"),
    "route": ("accept", "reply", "result", "untold"),
    "callback": ("accept", "reply", "result", "nothing"),
}
NUMBERS = {
    "greeting": lambda value: max(float(value), 0.0),
    "delay": lambda value: max(float(value), 0.0),
    "download_rate": lambda value: max(int(value), 0),
    "download_cuts": lambda value: max(int(value), 0),
    "statistics_shift": int,
    "clock_shift": int,
}
FLAGS = (
    *("recording", "api_v2", "rate_limits", "notify", "in_statistics"),
    "greeting_to_end",
)
#: codes that a refused ``commands/callback`` may have (``mango-api.md`` 7.2)
REFUSALS = range(2000, 6000)


@dataclass
class Fault:
    """A wrong answer of the API, given instead of the right one.

    ``kind``: ``429``, ``503``, ``401``, ``3100``, ``204``, ``empty``, ``html``; ``cut``
    (a truncated body); ``drop`` (the connection is closed without an answer and nothing
    is done); ``lost`` (the request is carried out, then the connection is closed);
    ``slow`` (the right answer after ``seconds``). ``path``: prefix of the methods
    concerned. ``times``: how often; 0 means always.
    """

    kind: str
    path: str = ""
    times: int = 1
    seconds: float = 0.0

    KINDS = (
        *("429", "503", "401", "3100", "204", "empty", "html"),
        *("cut", "drop", "lost", "slow"),
    )

    @classmethod
    def parse(cls, value):
        """:raise ValueError: if ``value`` is not a valid fault."""
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
    """Settings for the page, the command line and tests.

    ``greeting``: seconds in the menu, 0 for no menu. ``greeting_to_end``: a route is
    carried out when it is over, not at once. ``disorder``: of notifications.
    ``numbers``: integers are sent as numbers or as text. ``errors``: HTTP 200 with
    ``result`` (``ok``); HTTP 4xx with ``result``, ``description``, ``fields``
    (``status``); HTTP 420 with ``code`` (``legacy``). ``client``: what a called
    customer does; ``manual`` waits for a button on the page. ``result_order``: whether
    ``result/…`` is sent before or after the legs it causes.

    ``late``: a route that comes too late is refused in the reply or in
    ``result/route``. ``reroute``: a route of a ringing leg is carried out, or refused
    with 4100 in the reply or in ``result/route``. ``route``: the same for every route;
    ``untold``: it is carried out, and its result is never told. ``after_route``: where
    the call goes when a routed employee does not answer: it ends, or the caller comes
    back once to the menu, the queue or the group of the scheme. ``callback``: a
    callback is carried out, refused in the reply, or refused in ``result/callback``;
    ``nothing``: it is accepted, and nothing comes of it. ``refusal``: the code of a
    refusal, such as 2240 (no money) or 2300 (destination blocked).

    ``recording``: conversations are recorded. ``api_v2``: legs have ``transfer`` and
    ``was_transferred``. ``rate_limits``: are enforced. ``notify``: if false, no
    notification is sent, as if the network were down; the statistics know the calls all
    the same. ``in_statistics``: they know them. ``statistics_shift``: so many seconds
    are added to their times, as by another clock or time zone. ``clock_shift``: the
    same for the times of the API's answers. ``unlisted``: extensions that the queries
    about staff leave out. ``delay``: real seconds before every answer of the API.
    ``download_rate``: bytes per second at which recordings are downloaded, 0 for all at
    once. ``download_cuts``: how many of the next downloads break off in their middle.
    """

    greeting: float = 5.0
    greeting_to_end: bool = False
    disorder: str = "none"
    numbers: str = "int"
    errors: str = "ok"
    client: str = "manual"
    result_order: str = "after"
    late: str = "reply"
    reroute: str = "accept"
    route: str = "accept"
    after_route: str = "end"
    callback: str = "accept"
    refusal: int = 2240
    recording: bool = True
    api_v2: bool = True
    rate_limits: bool = True
    notify: bool = True
    in_statistics: bool = True
    statistics_shift: int = 0
    clock_shift: int = 0
    unlisted: list = field(default_factory=list)
    delay: float = 0.0
    download_rate: int = 0
    download_cuts: int = 0
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
        if name == "unlisted":
            return [str(extension) for extension in value or []]
        if name in NUMBERS:
            return NUMBERS[name](value)
        if name == "refusal":
            if int(value) not in REFUSALS:
                raise ValueError("refusal: a code from 2000 to 5999")
            return int(value)
        if name in CHOICES:
            if value not in CHOICES[name]:
                raise ValueError(f"{name}: one of {', '.join(CHOICES[name])}")
            return value
        if name in FLAGS:
            if not isinstance(value, bool):
                raise ValueError(f"{name}: true or false")
            return value
        raise ValueError(f"no such setting: {name}")

    def take_fault(self, path):
        """Return the fault for the next answer to ``path``, or ``None``."""
        fault = next((f for f in self.faults if path.startswith(f.path)), None)
        if fault and fault.times:
            fault.times -= 1
            if not fault.times:
                self.faults.remove(fault)
        return fault

    def take_download_cut(self):
        """Return whether the download that begins now is to break off."""
        is_cut = self.download_cuts > 0
        self.download_cuts -= is_cut
        return is_cut
