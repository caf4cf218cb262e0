"""The simulated company: employees, groups, lines, and the customers who call."""

import json
from dataclasses import dataclass, field
from pathlib import Path

COMPANY_FILE = Path(__file__).with_name("company.json")

#: how a group chooses whom to ring (``mango-api.md`` 6.2, ``dial_alg_group``)
SERIAL, PARALLEL_BY_PRIORITY, PARALLEL, RANDOM, LONGEST_IDLE = 0, 1, 2, 3, 5

#: how an employee reacts to a call
ON, ANSWER, SILENT, DECLINE = "on", "answer", "silent", "decline"
BUSY, DO_NOT_DISTURB, OFF = "busy", "dnd", "off"
MODES = (ON, ANSWER, SILENT, DECLINE, BUSY, DO_NOT_DISTURB, OFF)
WAIT_SECONDS = 30
#: modes in which a group rings the employee
REACHABLE = (ON, ANSWER, SILENT, DECLINE)


@dataclass
class Staff:
    """A PBX user.

    ``device``: the telephone that rings by default; ``more_devices`` ring only if a
    command names them. ``wait_sec``: how long the telephone rings.

    ``own_mode``: how the employee reacts to a call. ``on``: the telephone rings
    until somebody presses a button; ``answer``: picks up after some seconds;
    ``silent``: never picks up; ``decline``; ``busy``; ``dnd`` (do not disturb); ``off``
    (outside the schedule: no notifications).

    ``own_forward``: where a call goes that this employee does not take: their mobile,
    the extension of a colleague, or any number; empty for no forwarding. ``overrides``:
    values of running scenarios that replace both.
    """

    user_id: int
    extension: str
    name: str
    department: str
    position: str
    email: str
    device: str
    more_devices: list = field(default_factory=list)
    mobile: str = ""
    wait_sec: int = WAIT_SECONDS
    own_mode: str = ON
    overrides: list = field(default_factory=list)
    own_forward: str = ""
    free_since: float = 0.0

    def reset(self):
        """Return to the usual behaviour."""
        self.own_mode, self.own_forward, self.wait_sec = ON, "", WAIT_SECONDS

    @property
    def mode(self):
        """The mode in force: that of the latest scenario, otherwise their own."""
        return self.overrides[-1].mode if self.overrides else self.own_mode

    @property
    def forward(self):
        """The forwarding in force."""
        return self.overrides[-1].forward if self.overrides else self.own_forward

    @property
    def devices(self):
        """Addresses of the telephones, the default one first."""
        return [self.device, *self.more_devices] if self.device else []

    @property
    def party(self):
        """The employee as ``from`` or ``to`` of a leg: extension and device."""
        return {"extension": self.extension, "number": self.device}


def is_number(value):
    """Return whether a text is a SIP address or an outside number."""
    return value.startswith("sip:") or (value.isdigit() and len(value) >= 10)


@dataclass(eq=False)
class Override:
    """A scenario's override of an employee's behaviour."""

    mode: str
    forward: str = ""


@dataclass
class Group:
    """``priorities``: by extension, 1 (first) by default; used by algorithm 1."""

    id: int
    extension: str
    name: str
    algorithm: int
    members: list = field(default_factory=list)
    priorities: dict = field(default_factory=dict)

    def priority(self, extension):
        return self.priorities.get(extension, 1)


@dataclass
class Line:
    id: int
    number: str
    name: str
    schema: str
    region: str
    group: str

    @property
    def order_name(self):
        """The name used in commands: of a SIP trunk its name, not its address."""
        return self.name if self.number.startswith("sip:") else self.number


class Company:
    """The directory of the PBX, read from ``company.json``."""

    def __init__(self, data):
        self.name = data["name"]
        self.domain = data["domain"]
        self.product_id = data["product_id"]
        self.balance = data["balance"]
        self.currency = data["currency"]
        self.contacts = data["contacts"]
        self.visitors = data["visitors"]
        self.lines = [
            Line(400000010 + order, **line) for order, line in enumerate(data["lines"])
        ]
        self.groups = [Group(**group) for group in data["groups"]]
        self.users = [self._user(user) for user in data["staff"]]

    @classmethod
    def load(cls, path=COMPANY_FILE):
        return cls(json.loads(Path(path).read_text(encoding="utf-8")))

    def _user(self, data):
        extension = data["extension"]
        device = f"sip:user{extension}@{self.domain}" if extension else ""
        return Staff(device=device, **data)

    @property
    def staff(self):
        """Users with an extension, in the order of the file."""
        return [user for user in self.users if user.extension]

    def find_staff(self, value):
        """Return the employee with that extension or device, or ``None``."""
        value = str(value or "")
        return next(
            (
                staff
                for staff in self.staff
                if value and value in (staff.extension, *staff.devices)
            ),
            None,
        )

    def find_group(self, extension):
        return next((g for g in self.groups if g.extension == str(extension)), None)

    def is_inside(self, number):
        """Return whether a number is an extension or device of ours."""
        return bool(self.find_staff(number) or self.find_group(number))

    def find_line(self, number):
        return next((line for line in self.lines if line.number == str(number)), None)

    def find_outgoing_line(self, name):
        """Return the line that a command names, or ``None``."""
        return next((line for line in self.lines if line.order_name == name), None)

    def groups_of(self, staff):
        return [g for g in self.groups if staff.extension in g.members]

    def contact_name(self, number):
        found = (c["name"] for c in self.contacts if c["number"] == number)
        return next(found, "")
