"""``./dev replay --record``: make support bundles of the simulator's scenarios.

Each is played to an Odoo that is really there, and exported as a customer would do it.
"""

import base64
import datetime as dt
import time

from . import paths, testbed
from .console import Failure, say, step

DATABASE = "mango_record"
LOG = paths.LOGS / "record.log"
SPEED = 5
FORMAT = "%Y-%m-%d %H:%M:%S"
#: Each shows something that none of the others does.
SCENARIOS = (
    "burst",
    "callback-answered",
    "extra-fields",
    "inbound-anonymous",
    "inbound-answered",
    "inbound-group-transfer",
    "inbound-missed",
    "inbound-queue",
    "inbound-shuffled",
    "internal-call",
    "missed-in-menu-result-1",
    "picked-up-elsewhere",
    "sip-line",
    "strings-numeric",
    "summary-first",
    "transfer-returned",
    "two-recordings",
)


def main(folder, names=()):
    """Play scenarios, and write a bundle of each.

    :param pathlib.Path folder: that takes the bundles.
    :param names: of the scenarios; those above if there are none.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with testbed.opened(DATABASE, LOG, SPEED) as bed, bed.serving(workers=0):
        recorder = Recorder(bed)
        for name in names or SCENARIOS:
            with step(f"Playing {name}"):
                bundle = recorder.record(name)
            path = folder / f"simulator-{name}.zip"
            path.write_bytes(bundle)
            say(f"  {path}")


class Recorder:
    """Plays a scenario and exports what came of it.

    :param TestBed bed: where Odoo is served.
    """

    def __init__(self, bed):
        self._pbx = bed.pbx
        self._server = bed.log_in("admin", "admin")
        [self._account] = self._server.call("mango.account", "search", [])

    def record(self, name):
        """Play a scenario.

        :param str name: of the scenario.
        :return: the bundle.
        :rtype: bytes
        :raise Failure: if the scenario does not go as it should.
        """
        begun_at = _next_second()
        played = self._pbx.play(name)
        if not played["ok"]:
            raise Failure(f"{name} went wrong: {played['error']}; read {LOG}")
        return self._export(begun_at)

    def _export(self, begun_at):
        vals = {
            "account_id": self._account,
            "date_from": begun_at.strftime(FORMAT),
            "date_to": _next_second().strftime(FORMAT),
        }
        [export] = self._server.call("mango.support.export", "create", [vals])
        self._server.call("mango.support.export", "action_prepare", export)
        [made] = self._server.call("mango.support.export", "read", export, ["bundle"])
        return base64.b64decode(made["bundle"])


def _next_second():
    """Wait for a second in which nothing has happened yet: periods are of seconds."""
    now = time.time()
    time.sleep(1 - now % 1)
    return dt.datetime.now(dt.timezone.utc).replace(microsecond=0)
