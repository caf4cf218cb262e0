"""The page and the control API: actions of people at the phones, as JSON.

``GET /`` is the page. All other paths are below ``/control/``; they take and return
JSON (``Content-Type: application/json``). A wrong request is answered HTTP 400 with
``{"error": text}``. ``entry_id`` is optional while there is only one call.

=======================  ==========================================================
GET  ``state``           ``settings``, ``company`` (lines, groups, contacts), ``staff``
                         (each with ``state`` free/ringing/calling/talking, ``mode``,
                         ``forward``, ``wait_sec``, ``calls``), ``calls`` (running, then
                         the last finished ones, with ``stage``, ``route`` and
                         ``legs``), ``running`` scenarios, ``locked`` (seconds of
                         lock-out left), ``log`` (its tail)
GET  ``events``          server-sent events: ``state`` (as above without ``log``) after
                         each change, ``log`` (one entry, again when it is answered)
GET  ``log?since=ID``    entries with id, direction (sent/received), path, body, at,
                         status, answer, ms, expected, ok (null while waiting)
GET  ``scenarios``       name, group, en, ru of each
POST ``call``            ``from`` (number or null), ``line``, ``greeting`` (seconds),
                         ``auto``: answer, miss or hangup, ``extension``: who
                         answers -> ``entry_id``, ``call_id`` (of the menu leg).
                         ``reactive``: true for a call that needs no further request:
                         employees in mode on pick up, the customer hangs up;
                         ``talk_seconds``, ``patience``, ``after_route``, ``dct``: as
                         in ``legs.Call``
POST ``pickup``          ``extension``, ``entry_id`` (if several ring) -> ``entry_id``
POST ``decline``         the same
POST ``hangup``          ``extension``, or ``entry_id`` for the customer
POST ``takeover``        ``extension``, ``entry_id``: take what rings elsewhere
POST ``transfer``        ``extension`` (who transfers), ``to``, ``method``: consult or
                         blind; ``hangup`` of ``extension`` completes a consultation
POST ``dial``            ``extension``, ``to``: an employee dials from the phone
POST ``callback``        ``extension``, ``to``, ``client``: answer/busy/silent/manual,
                         as if another system had sent ``commands/callback``
POST ``client``          ``entry_id``, ``action``: answer/busy/silent/hangup: the
                         customer
POST ``staff``           ``extension`` and any of ``mode``: on/answer/silent/decline/
                         busy/dnd/off (see ``company.Staff``), ``forward``: a number,
                         an extension or empty, ``wait_sec``
POST ``scenario``        ``name``, ``from``, ``wait`` (true: answer when all is over) ->
                         ``entries`` (log of the play, with ``wait``), ``error``, ``ok``
POST ``settings``        any of ``settings.Settings``, and ``speed``; ``faults`` is a
                         list of kinds or of {kind, path, times, seconds}
POST ``reset``           removes calls, scenarios, recordings, reports, the black list
                         and lock-outs without notifications; all staff are available
                         again; with ``settings``: true the settings as at the start
=======================  ==========================================================
"""

import asyncio
import json
from dataclasses import asdict
from pathlib import Path

from aiohttp import web

from .calls import NotPossible
from .company import MODES, is_number
from .scenarios import REACTIVE, SCENARIOS, answer_and_talk, over, rings
from .settings import Settings

PAGE = Path(__file__).with_name("page.html")
LOG_TAIL = 200
FINISHED_SHOWN = 6
SETTLE_SECONDS = 6.0
HEARTBEAT_SECONDS = 15
END = "end"
#: members of a call that a request may set
CALL_OPTIONS = ("talk_seconds", "patience", "after_route", "dct")


class Control:
    """The HTTP handlers of the page and the control API.

    :param Pbx pbx: the PBX to control.
    """

    def __init__(self, pbx):
        self._pbx = pbx
        self._exchange = pbx.exchange
        self._listeners = set()
        self._state_due = False
        self._start = asdict(pbx.settings)
        pbx.exchange.watch(self._state_changed)
        pbx.journal.watch(self._log_changed)

    def routes(self):
        posts = {
            "call": self._call,
            "pickup": self._pickup,
            "decline": self._decline,
            "hangup": self._hangup,
            "takeover": self._takeover,
            "transfer": self._transfer,
            "dial": self._dial,
            "callback": self._callback,
            "client": self._client,
            "staff": self._staff,
            "scenario": self._scenario,
            "settings": self._settings,
            "reset": self._reset,
        }
        return [
            web.get("/", self._page),
            web.get("/control/state", self._state),
            web.get("/control/events", self._events),
            web.get("/control/log", self._log),
            web.get("/control/scenarios", self._scenarios),
            *(
                web.post(f"/control/{name}", self._json(action))
                for name, action in posts.items()
            ),
        ]

    # -- queries ---------------------------------------------------------------

    async def _page(self, _request):
        return web.FileResponse(PAGE, headers={"Cache-Control": "no-cache"})

    async def _state(self, _request):
        log = [entry.as_dict() for entry in list(self._pbx.journal.entries)[-LOG_TAIL:]]
        return web.json_response({**self.state(), "log": log})

    async def _log(self, request):
        since = request.query.get("since", "0")
        since = int(since) if since.isdigit() else 0
        return web.json_response([e.as_dict() for e in self._pbx.journal.since(since)])

    async def _scenarios(self, _request):
        return web.json_response(
            [
                {"name": s.name, "group": s.group, "en": s.en, "ru": s.ru}
                for s in SCENARIOS.values()
            ]
        )

    def state(self):
        """Return everything that the page shows, except the log."""
        exchange, company = self._exchange, self._pbx.company
        finished = list(exchange.history)[-FINISHED_SHOWN:]
        return {
            "now": self._pbx.clock.now(),
            "settings": {
                **asdict(self._pbx.settings),
                "speed": self._pbx.clock.speed,
            },
            "webhook": getattr(self._pbx.transport, "webhook", ""),
            "locked": self._pbx.api.penalty.seconds_left(),
            "company": {
                "name": company.name,
                "lines": [asdict(line) for line in company.lines],
                "groups": [asdict(group) for group in company.groups],
                "contacts": company.contacts,
            },
            "staff": [self._staff_state(staff) for staff in company.staff],
            "calls": [
                self._call_state(call)
                for call in [*reversed(exchange.calls), *reversed(finished)]
            ],
            "running": list(self._pbx.running.values()),
        }

    def _staff_state(self, staff):
        legs = self._exchange.legs_of(staff.extension)
        return {
            "extension": staff.extension,
            "name": staff.name,
            "department": staff.department,
            "position": staff.position,
            "mode": staff.mode,
            "forward": staff.forward,
            "mobile": staff.mobile,
            "wait_sec": staff.wait_sec,
            "state": self._exchange.state_of(staff.extension),
            "calls": sorted({call.entry_id for call, _leg in legs}),
        }

    def _call_state(self, call):
        return {
            "entry_id": call.entry_id,
            "direction": call.direction,
            "client": call.client,
            "client_name": self._pbx.company.contact_name(call.client),
            "line": call.line,
            "employee": call.employee,
            "stage": call.stage,
            "group": call.group,
            "menu_until": call.menu_until,
            "created_at": call.created_at,
            "talk_at": call.talk_at,
            "ended_at": call.ended_at,
            "reason": call.reason,
            "route": call.route,
            "ordered": call.command.get("command_id", ""),
            "talker": call.talker.extension or call.talker.initiator
            if call.talker
            else "",
            "ringing": [
                leg.extension or leg.callee.get("number") for leg in call.ringing_legs
            ],
            "legs": [self._leg_state(leg) for leg in call.legs],
            "recordings": [
                {"id": r.id, "extension": r.extension, "added": r.added}
                for r in self._pbx.recordings.of(call)
            ],
        }

    @staticmethod
    def _leg_state(leg):
        return {
            "call_id": leg.call_id,
            "location": leg.location,
            "role": leg.role,
            "state": leg.state,
            "seq": leg.seq,
            "from": leg.caller,
            "to": leg.callee,
            "reason": leg.reason,
            "started_at": leg.started_at,
            "answered_at": leg.answered_at,
            "ended_at": leg.ended_at,
        }

    # -- the stream ------------------------------------------------------------

    async def _events(self, request):
        response = web.StreamResponse(
            headers={"Content-Type": "text/event-stream", "Cache-Control": "no-cache"}
        )
        await response.prepare(request)
        queue = asyncio.Queue()
        self._listeners.add(queue)
        queue.put_nowait(("state", self.state()))
        try:
            while await self._write(response, queue):
                pass
        except ConnectionError:
            pass  # the page was closed
        finally:
            self._listeners.discard(queue)
        return response

    @staticmethod
    async def _write(response, queue):
        """Write the next event.

        :return: whether the stream goes on.
        """
        try:
            kind, value = await asyncio.wait_for(queue.get(), HEARTBEAT_SECONDS)
        except asyncio.TimeoutError:
            await response.write(b": still here\n\n")
            return True
        if kind == END:
            return False
        data = json.dumps(value, ensure_ascii=False)
        await response.write(f"event: {kind}\ndata: {data}\n\n".encode())
        return True

    def end_streams(self):
        """Close the streams, so that stopping does not wait for the pages."""
        self._tell(END, None)

    def _state_changed(self):
        """Send the state once for several changes at the same moment."""
        if self._state_due or not self._listeners:
            return
        self._state_due = True
        asyncio.get_running_loop().call_later(0.05, self._tell_state)

    def _tell_state(self):
        self._state_due = False
        self._tell("state", self.state())

    def _log_changed(self, entry):
        if self._listeners:
            self._tell("log", entry.as_dict())

    def _tell(self, kind, value):
        for queue in self._listeners:
            queue.put_nowait((kind, value))

    # -- actions ---------------------------------------------------------------

    @staticmethod
    def _json(action):
        async def handle(request):
            if request.content_type != "application/json":
                return web.json_response({"error": "send application/json"}, status=400)
            try:
                values = await request.json()
                if not isinstance(values, dict):
                    raise ValueError("send a JSON object")
                reply = action(values)
                if asyncio.iscoroutine(reply):
                    reply = await reply
            except (NotPossible, ValueError, TypeError) as error:
                return web.json_response({"error": str(error)}, status=400)
            except KeyError as error:
                text = f"missing or unknown: {error.args[0]}"
                return web.json_response({"error": text}, status=400)
            return web.json_response(reply or {"ok": True})

        return handle

    def _call(self, values):
        greeting = values.get("greeting")
        call = self._exchange.call_in(
            values.get("from") or None,
            values.get("line"),
            None if greeting is None else float(greeting),
            **self._call_options(values),
        )
        play = self._automatic(call, values)
        if play:
            self._pbx.run(f"call-{values['auto']}", play)
        return {
            "entry_id": call.entry_id,
            "call_id": call.legs[0].call_id if call.legs else None,
        }

    @staticmethod
    def _call_options(values):
        options = {name: values[name] for name in CALL_OPTIONS if name in values}
        return {**REACTIVE, **options} if values.get("reactive") else options

    def _automatic(self, call, values):
        auto = values.get("auto")
        if auto in (None, ""):
            return None
        if auto == "answer":
            return answer_and_talk(self._pbx, call, values.get("extension"))
        if auto == "miss":
            return iter([over(call)])
        if auto == "hangup":
            return self._leave_while_ringing(call)
        raise ValueError("auto: answer, miss or hangup")

    def _leave_while_ringing(self, call):
        yield rings(call)
        yield 5
        if call.live:
            self._exchange.hang_up_client(call)

    def _pickup(self, values):
        call = self._exchange.pick_up(values["extension"], self._which(values))
        return {"entry_id": call.entry_id}

    def _decline(self, values):
        call = self._exchange.decline(values["extension"], self._which(values))
        return {"entry_id": call.entry_id}

    def _hangup(self, values):
        if values.get("extension"):
            return {"entry_id": self._exchange.hang_up(values["extension"]).entry_id}
        call = self._running_call(values)
        self._exchange.hang_up_client(call)
        return {"entry_id": call.entry_id}

    def _takeover(self, values):
        call = self._running_call(values)
        self._exchange.take_over(values["extension"], call)
        return {"entry_id": call.entry_id}

    def _transfer(self, values):
        staff = self._pbx.company.find_staff(values["extension"])
        method = values.get("method", "consult")
        if not staff or method not in ("consult", "blind"):
            raise ValueError("extension of an employee; method consult or blind")
        call, leg = self._talk_of(staff.extension)
        transfers = self._exchange.transfers
        act = transfers.consult if method == "consult" else transfers.blind
        target = str(values["to"])
        if target == staff.extension:
            raise ValueError("A call cannot be transferred to oneself.")
        new = act(call, leg, staff, target)
        return {"entry_id": call.entry_id, "call_id": new.call_id}

    def _talk_of(self, extension):
        for call, leg in self._exchange.legs_of(extension):
            if leg.talking and leg.role not in ("initiator", "consult"):
                return call, leg
        raise NotPossible("This phone has no talk to transfer.")

    def _dial(self, values):
        call = self._exchange.dial(
            values["extension"], str(values["to"]), client_plan=values.get("client")
        )
        return {"entry_id": call.entry_id}

    def _callback(self, values):
        command_id = values.get("command_id") or f"page-{self._pbx.journal.last_id}"
        call = self._exchange.callback(
            values["extension"],
            str(values["to"]),
            command_id=command_id,
            client_plan=values.get("client"),
        )
        return {"entry_id": call.entry_id, "command_id": command_id}

    def _client(self, values):
        call, action = self._running_call(values), values["action"]
        if action == "hangup":
            self._exchange.hang_up_client(call)
        elif action in ("answer", "busy", "silent"):
            self._exchange.answer_client(call, action)
        else:
            raise ValueError("action: answer, busy, silent or hangup")

    def _staff(self, values):
        company = self._pbx.company
        staff = company.find_staff(values["extension"])
        if not staff:
            raise ValueError("extension: of an employee")
        mode = values.get("mode", staff.own_mode)
        if mode not in MODES:
            raise ValueError(f"mode: one of {', '.join(MODES)}")
        forward = str(values.get("forward", staff.own_forward) or "")
        if forward and not (company.is_inside(forward) or is_number(forward)):
            raise ValueError("forward: an extension, a number or empty")
        wait_sec = int(values.get("wait_sec", staff.wait_sec))
        if not 1 <= wait_sec <= 600:
            raise ValueError("wait_sec: 1 to 600")
        staff.own_mode, staff.own_forward, staff.wait_sec = mode, forward, wait_sec
        self._exchange.serve_queues_soon()
        self._exchange.changed()

    async def _scenario(self, values):
        name, caller = values["name"], values.get("from")
        if name not in SCENARIOS:
            raise ValueError("There is no such scenario; see /control/scenarios.")
        if "from" in values:
            caller = caller or ""
        if not values.get("wait"):
            self._pbx.play(name, caller)
            return {"ok": True}
        return await self.play_to_the_end(name, caller)

    async def play_to_the_end(self, name, caller=None):
        """Play a scenario and wait until its last notification is answered.

        :return: ``entries``: the log of the play; ``error``: of the scenario itself;
            ``ok``: whether every notification was answered as expected; ``calls``:
            their last state.
        """
        over_ = asyncio.get_running_loop().create_future()
        since = self._pbx.journal.last_id
        script, stage = self._pbx.play(
            name, caller, lambda _script: over_.done() or over_.set_result(None)
        )
        await over_
        settled = asyncio.Event()
        self._pbx.clock.call_later(SETTLE_SECONDS, settled.set)
        await settled.wait()
        await self._answers()
        entries = [entry.as_dict() for entry in self._pbx.journal.since(since)]
        return {
            "entries": entries,
            "calls": [self._call_state(call) for call in stage.calls],
            "error": script.error,
            "ok": not script.error
            and all(e["ok"] for e in entries if e["direction"] == "sent"),
        }

    async def _answers(self):
        """Wait until every notification is answered."""
        while any(e.direction == "sent" for e in self._pbx.journal.waiting):
            answered = asyncio.Event()
            unwatch = self._pbx.journal.watch(lambda _entry, e=answered: e.set())
            await answered.wait()
            unwatch()

    def _settings(self, values):
        speed = values.pop("speed", None)
        if speed is not None and not 0.01 <= float(speed) <= 1000:
            raise ValueError("speed: 0.01 to 1000")
        self._pbx.settings.update(values)
        if speed is not None:
            self._pbx.clock.speed = float(speed)
        self._exchange.changed()
        return {**asdict(self._pbx.settings), "speed": self._pbx.clock.speed}

    def _reset(self, values):
        self._pbx.reset()
        if values.get("settings"):
            start = Settings(**self._start)
            self._pbx.settings.update(asdict(start))
        self._exchange.changed()

    def _which(self, values):
        return self._running_call(values) if values.get("entry_id") else None

    def _running_call(self, values):
        if values.get("entry_id"):
            call = self._exchange.find_call(values["entry_id"])
        else:
            call = self._only_call()
        if not call:
            raise NotPossible("There is no such running call.")
        return call

    def _only_call(self):
        calls = self._exchange.calls
        if len(calls) > 1:
            raise NotPossible("There are several calls: which one? (entry_id)")
        return calls[0] if calls else None
