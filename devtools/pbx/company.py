"""Who works at the PBX's customer, on which lines it is called, and by whom."""

import json
from dataclasses import dataclass, field
from pathlib import Path

COMPANY_FILE = Path(__file__).with_name("company.json")

#: how a group chooses whom to ring (``mango-api.md`` 6.2, ``dial_alg_group``)
PARALLEL = (1, 2)
RANDOM, LONGEST_IDLE = 3, 5


@dataclass
class Staff:
    """A PBX user.

    ``device`` is rung by default, ``more_devices`` when a command says so. ``mode`` is
    ``on``, ``off`` (off schedule) or ``dnd``.
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
    wait_sec: int = 30
    mode: str = "on"
    free_since: float = 0.0

    @property
    def devices(self):
        """Addresses of their telephones, the default first."""
        return [self.device, *self.more_devices] if self.device else []

    @property
    def party(self):
        """Their half of a leg: extension and device."""
        return {"extension": self.extension, "number": self.device}


@dataclass
class Group:
    id: int
    extension: str
    name: str
    algorithm: int
    members: list = field(default_factory=list)

    @property
    def rings_at_once(self):
        return self.algorithm in PARALLEL


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
        """What a command calls it: a SIP trunk by its name, not by its address."""
        return self.name if self.number.startswith("sip:") else self.number


class Company:
    """The PBX's directory, read from ``company.json``."""

    def __init__(self, data):
        self.name = data["name"]
        self.domain = data["domain"]
        self.product_id = data["product_id"]
        self.balance = data["balance"]
        self.currency = data["currency"]
        self.contacts = data["contacts"]
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
        """Users who have an extension, in the file's order."""
        return [user for user in self.users if user.extension]

    def find_staff(self, value):
        """:return: the employee of an extension or a device, or ``None``."""
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

    def find_line(self, number):
        return next((line for line in self.lines if line.number == str(number)), None)

    def find_outgoing_line(self, name):
        """:return: the line that a command means by a number or a trunk's name."""
        return next((line for line in self.lines if line.order_name == name), None)

    def groups_of(self, staff):
        return [g for g in self.groups if staff.extension in g.members]

    def contact_name(self, number):
        found = (c["name"] for c in self.contacts if c["number"] == number)
        return next(found, "")
