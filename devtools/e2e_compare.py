"""Compare calls whose notifications came in disorder with the same calls in order."""

import collections
import re

from . import traffic

IN_ORDER = "order"  # the mark of the calls that the others are compared with

#: Odoo's own fields, and those that differ between two calls of the same course.
NOT_COMPARED = {
    *("id", "create_date", "write_date", "create_uid", "write_uid", "call_id"),
    "display_name",  # computed from others
    "talking_seconds",  # goes on during the comparison
    # These depend on the client's other calls; e2e_clients checks them.
    *("callback_ids", "callback_outcome"),
}
#: The same by the beginning of the name.
NOT_COMPARED_PREFIXES = (
    *("message_", "activity_", "my_activity_", "rating_", "has_message"),
    # Whom Odoo rings depends on who is free, and on whether the caller still waits,
    # when a notification arrives.
    "route",
)
ROUTING_STEPS = ("route", "skipped")  # kinds of steps in a timeline
#: Set by the answer of the PBX, which is only asked while the phone rings.
OF_VISITOR = ("visitor_state", "visitor_page", "campaign_id", "source_id", "medium_id")
LINE_FIELDS = ("body", "author_id", "date", "model", "res_id", "subtype_id")
CALL_ID = re.compile(r'(/odoo/calls/|data-oe-id=")\d+')

#: Lines in chatters that no call knows of, such as a second one of the same call.
STRAY_LINES = """
    SELECT line.id
      FROM mail_message AS line
      JOIN ir_model_data AS subtype
        ON subtype.res_id = line.subtype_id
       AND subtype.module = 'mango_office' AND subtype.name = 'mt_call'
     WHERE NOT EXISTS (
           SELECT FROM mango_call WHERE chatter_message_id = line.id)
"""


def check(bed, delivery, calls):
    """Compare everything stored of each call with the same call in order.

    :param TestBed bed: with Odoo running, including crons.
    :param str delivery: the mark of the calls to compare.
    :param int calls: the minimum number of these calls.
    :return: name, success and detail of each check.
    :rtype: ~collections.abc.Iterator[tuple[str, bool, str]]
    """
    bed.wait_for_crm()
    log = _Calls(bed)
    expected = {(scenario, entry): call for scenario, entry, call in log.read(IN_ORDER)}
    found = list(log.read(delivery))
    differences = [
        (scenario, _difference(expected[scenario, entry], call))
        for scenario, entry, call in found
    ]
    wrong = [(scenario, values) for scenario, values in differences if values]
    are_all = {(scenario, entry) for scenario, entry, _call in found} == set(expected)
    yield (
        f"calls in disorder are those in order, field for field: {len(found)}",
        len(found) >= calls and are_all and not wrong,
        f"{len(wrong)} wrong, such as {wrong[:3]}",
    )
    stray = bed.query(STRAY_LINES)
    yield "each call has one line in a chatter", not stray, f"{len(stray)} more"


def _difference(expected, found):
    """Return the values that differ.

    :param dict expected: the call in order.
    :param dict found: the same call in disorder.
    :return: both values by field.
    :rtype: dict[str, tuple]
    """
    states = {call["visitor_state"] for call in (expected, found)}
    left_out = OF_VISITOR if states != {"known"} and "known" in states else ()
    return {
        name: (expected[name], found[name])
        for name in expected
        if name not in left_out and expected[name] != found[name]
    }


class _Calls:
    """Read the call log with its legs as a user who may read all.

    :param TestBed bed: where Odoo is served.
    """

    def __init__(self, bed):
        self._server = bed.log_in("admin", "admin")

    def read(self, delivery):
        """Read the calls of one delivery.

        :param str delivery: its mark.
        :return: the scenario, the recorded entry and the values of each call.
        :rtype: ~collections.abc.Iterator[tuple[str, str, dict]]
        """
        mark = f"{traffic.SEPARATOR}{delivery}{traffic.SEPARATOR}"
        legs = self._of_calls("mango.call.leg", mark, "sequence")
        recordings = self._of_calls("mango.recording", mark, "recording_ref")
        cards = self._of_calls("mango.call.presence", mark, "user_id")
        calls = self._read("mango.call", "entry_id", mark, ["entry_id"])
        lines = self._chatter_lines(calls)
        for call in calls:
            call_id = call.pop("id")
            entry, _delivery, scenario, _order = call.pop("entry_id").split(
                traffic.SEPARATOR
            )
            message = call.pop("chatter_message_id")
            related = {
                "legs": legs[call_id],
                "recordings": recordings[call_id],
                "cards": cards[call_id],
                "chatter_line": message and lines[message[0]],
            }
            call["timeline"] = _course(call["timeline"])
            if call["visitor_state"] != "known":
                call["visitor_state"] = False  # asked in vain, or too late to ask
            yield scenario, entry, {**call, **related}

    def _of_calls(self, model, mark, order):
        """Read the records that belong to calls.

        :param str order: the field that sorts the records of one call.
        :return: by call id.
        :rtype: dict[int, list[dict]]
        """
        found = collections.defaultdict(list)
        for record in self._read(model, "call_id.entry_id", mark, ["call_id"]):
            del record["id"]
            found[record.pop("call_id")[0]].append(record)
        for records in found.values():
            records.sort(key=lambda record: record[order])
        return found

    def _chatter_lines(self, calls):
        ids = [
            call["chatter_message_id"][0]
            for call in calls
            if call["chatter_message_id"]
        ]
        lines = self._server.search_read(
            "mail.message", [("id", "in", ids)], [*LINE_FIELDS]
        )
        return {
            line.pop("id"): {**line, "body": CALL_ID.sub(r"\1", line["body"])}
            for line in lines
        }

    def _read(self, model, entry_field, mark, links):
        fields = self._server.call(model, "fields_get", [], ["type", "relation"])
        names = [name for name, field in fields.items() if _is_compared(name, field)]
        domain = [(entry_field, "like", mark)]
        records = self._server.search_read(model, domain, [*names, *links])
        for record in records:
            for name in names:
                record[name] = _normalised(record[name], fields[name])
            for ref in {"leg_ref", "recording_ref"} & record.keys():
                record[ref] = traffic.unmarked(record[ref])
        return records


def _is_compared(name, field):
    if name in NOT_COMPARED or name.startswith(NOT_COMPARED_PREFIXES):
        return False
    return field["type"] != "binary"


def _normalised(value, field):
    """Make two calls comparable by replacing related records with their number."""
    if field["type"] not in ("one2many", "many2many"):
        return value
    return len(value) if field["relation"].startswith("mango.") else sorted(value)


def _course(timeline):
    """Return the steps of a timeline except for routing, without their keys."""
    return [
        {name: value for name, value in step.items() if name != "key"}
        for step in timeline
        if step["kind"] not in ROUTING_STEPS
    ]
