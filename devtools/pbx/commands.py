"""The commands of the API (``mango-api.md`` 5).

Each command is a method that takes the decoded ``json`` and returns the immediate
reply; the outcome follows as ``result/<command>``.
"""

from contextlib import suppress
from functools import partial

from .calls import BY_SYSTEM, TAKEN_BY_COLLEAGUE, NotPossible
from .company import is_number
from .legs import CONNECTED, ON_HOLD
from .refusals import WRONG, Refused, required

DONE = 1000
IMPOSSIBLE = 3100
LINE_UNUSABLE, BAD_NUMBER = 3124, 3200
NO_EMPLOYEE = 3330
IMPOSSIBLE_NOW, CALL_OVER = 4100, 4101
RESULT_SECONDS = 0.2
LATE_SECONDS = 1.0


class Commands:
    def __init__(self, exchange):
        self._exchange = exchange
        self._company = exchange.company

    def callback(self, params):
        command_id = required(params, "command_id")
        caller = required(params, "from", dict)
        extension = required(caller, "extension")
        number = self._number(required(params, "to_number"))
        device = self._device(caller)
        line = self._outgoing_line(params.get("line_number"))
        if not self._company.find_staff(extension):
            raise Refused(NO_EMPLOYEE, "No such extension", {"from": NO_EMPLOYEE})
        settings = self._exchange.settings
        if settings.callback == "reply":
            raise Refused(settings.refusal, "Refused according to the settings")
        if settings.callback == "result":
            self._tell("result/callback", command_id, settings.refusal, RESULT_SECONDS)
            return {"result": DONE}
        if settings.callback == "nothing":
            return {"result": DONE}
        order = partial(self._exchange.callback, extension, number, line, command_id)
        self._run("result/callback", command_id, partial(order, device=device))
        return {"result": DONE}

    def route(self, params):
        call, leg = self._exchange.find_leg(required(params, "call_id"))
        number = self._number(required(params, "to_number"))
        command_id = params.get("command_id", "")
        if not leg or not leg.live or call.slow_route:
            return self._too_late(call, command_id)
        if leg.state in (CONNECTED, ON_HOLD):
            raise Refused(IMPOSSIBLE_NOW, "The call is answered")
        settings = self._exchange.settings
        if settings.route in ("reply", "result"):
            return self._refuse_route(call, command_id, settings.route)
        if leg.ringing and settings.reroute != "accept":
            return self._refuse_route(call, command_id, settings.reroute)
        action = partial(self._route, call, leg, number, command_id)
        if settings.route == "untold":
            self._act(action)
        else:
            self._run("result/route", command_id, action, call)
        return {"result": DONE}

    def _too_late(self, call, command_id):
        """Refuse a late route in the reply, or accept it and refuse in the result."""
        how = (call and call.slow_route) or self._exchange.settings.late
        if how == "reply":
            raise Refused(CALL_OVER, "The call is over, unknown, or out of the menu")
        delivery = call.delivery if call else None
        self._tell("result/route", command_id, CALL_OVER, LATE_SECONDS, delivery)
        return {"result": DONE}

    def _refuse_route(self, call, command_id, how):
        """Refuse to route a leg, in the reply or in the result."""
        if how == "reply":
            raise Refused(IMPOSSIBLE_NOW, "The call cannot be routed now")
        path, delivery = "result/route", call.delivery
        self._tell(path, command_id, IMPOSSIBLE_NOW, RESULT_SECONDS, delivery)
        return {"result": DONE}

    def transfer(self, params):
        call, leg = self._live_leg(params)
        method = required(params, "method")
        number = self._number(required(params, "to_number"))
        initiator = self._side(leg, required(params, "initiator"))
        command_id = params.get("command_id", "")
        if method not in ("blind", "hold"):
            raise Refused(WRONG, "method is blind or hold", {"method": WRONG})
        if leg.state != CONNECTED or leg.role == "initiator":
            raise Refused(IMPOSSIBLE_NOW, "The leg is not connected")
        if not initiator:
            raise Refused(NO_EMPLOYEE, "Not in this call", {"initiator": NO_EMPLOYEE})
        transfers = self._exchange.transfers
        if not transfers.can_reach(number):
            raise Refused(IMPOSSIBLE_NOW, "Nobody of the group is free")
        act = transfers.blind if method == "blind" else transfers.consult
        extra = {"command_id": command_id} if command_id else {}
        self._run(
            "result/transfer",
            command_id,
            partial(act, call, leg, initiator, number, extra),
            call,
        )
        return {"result": DONE}

    def hangup(self, params):
        call, leg = self._live_leg(params)
        command_id = params.get("command_id", "")
        self._run("result/call/hangup", command_id, partial(self._hang_up, call, leg))
        return {"result": DONE}

    # -- helpers ---------------------------------------------------------------

    def _route(self, call, leg, number, command_id):
        exchange = self._exchange
        if not leg.live or leg.state in (CONNECTED, ON_HOLD):
            raise NotPossible("The call went on meanwhile.")
        call.came_back = False
        call.route = {
            "to": number,
            "command_id": command_id,
            "at": exchange.clock.now(),
        }
        extra = {"command_id": command_id} if command_id else {}
        if leg.role == "menu" and exchange.settings.greeting_to_end:
            call.after_greeting = number, extra
            return
        exchange.stop_searching(call, TAKEN_BY_COLLEAGUE)
        exchange.ring(call, number, leg, extra)

    def _hang_up(self, call, leg):
        exchange = self._exchange
        if leg.role == "consult":
            exchange.transfers.back(call, leg, BY_SYSTEM)
        elif leg.ringing:
            exchange.fail_leg(call, leg, BY_SYSTEM)
        else:
            exchange.finish(call, BY_SYSTEM)

    def _live_leg(self, params):
        call, leg = self._exchange.find_leg(required(params, "call_id"))
        if not leg or not leg.live or not call.live:
            raise Refused(CALL_OVER, "The call is over or unknown")
        return call, leg

    def _side(self, leg, value):
        """Return the employee who is one side of a leg, or ``None``.

        :param str value: extension, number or address of that side.
        """
        for party in (leg.caller, leg.callee):
            if value in (party.get("extension"), party.get("number")):
                return self._company.find_staff(party.get("extension"))
        return None

    def _device(self, caller):
        """Return the telephone to ring instead of the default one, or ``""``.

        :raise Refused: if it is an extension or a group.
        """
        device = caller.get("number") or ""
        if device and not (isinstance(device, str) and is_number(device)):
            raise Refused(IMPOSSIBLE, "No telephone", {"from": WRONG})
        return device

    def _outgoing_line(self, name):
        """Return the number of the line that a command names, or ``""``."""
        if not name:
            return ""
        line = self._company.find_outgoing_line(name)
        if not line:
            raise Refused(IMPOSSIBLE, "No such line", {"line_number": LINE_UNUSABLE})
        return line.number

    def _number(self, number):
        if not self._company.is_inside(number) and not is_number(number):
            raise Refused(BAD_NUMBER, "No such number", {"to_number": BAD_NUMBER})
        return number

    def _run(self, path, command_id, action, call=None):
        """Carry out a command and send its result, before or after its effects."""
        order = (call and call.result_order) or self._exchange.settings.result_order
        delivery = call.delivery if call else None
        if order == "random":
            order = self._exchange.rng.choice(("before", "after"))
        if order == "before":
            self._tell(path, command_id, DONE, 0, delivery)
            self._exchange.clock.call_later(RESULT_SECONDS, partial(self._act, action))
            return
        self._act(action)
        self._tell(path, command_id, DONE, RESULT_SECONDS, delivery)

    @staticmethod
    def _act(action):
        # The call may have gone on since the reply; then there is nothing to do.
        with suppress(NotPossible):
            action()

    def _tell(self, path, command_id, result, delay, delivery=None):
        payload = {"command_id": command_id, "result": result}
        send = partial(self._exchange.notifier.send, path, payload, delivery)
        if not delay:
            send()
            return
        self._exchange.clock.call_later(delay, send)
