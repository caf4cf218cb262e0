"""The scenarios that can be played by name (``mango-api.md`` 9.2 and more).

A scenario is a generator function that takes a :class:`Stage`; see ``scripts``.
"""

import itertools
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from .calls import BY_SCHEME
from .company import ANSWER, BUSY, DECLINE, DO_NOT_DISTURB, OFF, ON, SILENT, Override
from .legs import CONNECTED, DISCONNECTED
from .notifier import Delivery
from .settings import Fault
from .tracking import DYNAMIC, STATIC

RING_SECONDS, TALK_SECONDS = 3.0, 8.0
LONG_GREETING, ENDLESS_GREETING = 10.0, 60.0
#: a call that needs no script, see :meth:`Stage.reactive_call`
REACTIVE = {
    "staff_answers": True,
    "talk_seconds": TALK_SECONDS,
    "patience": 75.0,
    "client_plan": "answer",
}
DAY = 86400

ANNA_CUSTOMER = "74950000201"
VEKTOR = "74950000200"
NO_MANAGER = "74950000204"
LEAD_ONLY = "74950000205"
UNKNOWN = "74950000299"
TALKED_TO = "74950000203"
SPAMMER = "74950000298"
TRACKING_NUMBER = "74950000150"
SUPPORT_LINE = "74950000101"
SIP_LINE = "sip:line3@romashka.mangosip.ru"


@dataclass(frozen=True)
class Scenario:
    name: str
    en: str
    ru: str
    play: object
    group: str
    caller: str | None


SCENARIOS = {}


def scenario(name, en, ru, group="calls", caller=UNKNOWN):
    """Register a scenario under a name; whoever plays it may replace ``caller``."""

    def register(play):
        SCENARIOS[name] = Scenario(name, en, ru, play, group, caller)
        return play

    return register


class Stage:
    """The context of a scenario: the exchange and the caller."""

    def __init__(self, exchange, api, statistics, caller):
        self.exchange = exchange
        self.notifier = exchange.notifier
        self.settings = exchange.settings
        self.api = api
        self.statistics = statistics
        self.caller = caller
        self.calls = []

    def call_in(self, number=None, line=None, **options):
        call = self.exchange.call_in(number or self.caller, line, **options)
        self.calls.append(call)
        return call

    def reactive_call(self, number=None, line=None, **options):
        """A call that needs no script: whoever Odoo routes it to is rung.

        Employees do what their mode says (those in mode ``on`` pick up), and the
        customer hangs up after the conversation, or when nobody answers.
        """
        options = {**REACTIVE, "greeting": LONG_GREETING, **options}
        return self.call_in(number, line, **options)

    def keep(self, call):
        self.calls.append(call)
        return call

    @contextmanager
    def behaviour(self, modes, forward=False):
        """Set the modes of employees for the time of the block.

        :param dict modes: mode by extension.
        :param bool forward: whether they forward to their mobile.
        """
        imposed = []
        for extension, mode in modes.items():
            staff = self.exchange.company.find_staff(extension)
            override = Override(mode, staff.mobile if forward else "")
            staff.overrides.append(override)
            imposed.append((staff, override))
        try:
            yield
        finally:
            for staff, override in imposed:
                staff.overrides.remove(override)


def rings(call):
    """Return a condition: somebody is rung, or the call is over."""
    return lambda: bool(call.ringing_legs) or not call.live


def over(call):
    return lambda: not call.live


def talks(call):
    return lambda: call.stage == "talking" or not call.live


def answer(stage, call, extension=None):
    """Wait until telephones ring, then pick up.

    :param str extension: who, if rung; otherwise whoever rings first.
    """
    yield rings(call)
    yield RING_SECONDS
    company = stage.exchange.company
    ringing = [(leg, company.find_staff(leg.extension)) for leg in call.ringing_legs]
    legs = [leg for leg, staff in ringing if staff and staff.mode in (ON, ANSWER)]
    if not legs:
        return
    chosen = next((leg for leg in legs if leg.extension == extension), legs[0])
    stage.exchange.answer(call, chosen)


def answer_and_talk(stage, call, extension=None):
    yield from answer(stage, call, extension)
    yield TALK_SECONDS
    if call.live:
        stage.exchange.hang_up_client(call)


def talk_until_client_leaves(stage, call):
    yield talks(call)
    yield TALK_SECONDS
    if call.live:
        stage.exchange.hang_up_client(call)


# -- inbound -------------------------------------------------------------------


@scenario(
    "inbound-known-manager",
    "A customer whose manager is Anna; Odoo is expected to route the call to 101.",
    "Звонит клиент менеджера Анны; Odoo должна направить звонок на 101.",
    caller=ANNA_CUSTOMER,
)
def inbound_known_manager(stage):
    call = stage.call_in()
    yield from answer_and_talk(stage, call, "101")


@scenario(
    "inbound-answered",
    "Greeting, the sales group rings, one picks up, a talk (4.1 in order).",
    "Приветствие, звонит отдел продаж, один отвечает, разговор.",
    caller=NO_MANAGER,
)
def inbound_answered(stage):
    yield from answer_and_talk(stage, stage.call_in(), "102")


@scenario(
    "inbound-queue",
    "The same with a queue between the greeting and the group.",
    "То же с очередью между приветствием и группой.",
    caller=NO_MANAGER,
)
def inbound_queue(stage):
    yield from answer_and_talk(stage, stage.call_in(queued=True), "102")


@scenario(
    "inbound-unknown",
    "A number that Odoo does not know; the group answers.",
    "Номер, которого нет в Odoo; отвечает группа.",
)
def inbound_unknown(stage):
    yield from answer_and_talk(stage, stage.call_in())


@scenario(
    "inbound-lead-only",
    "No contact, but an open lead of Vera; expected at 103.",
    "Контакта нет, но есть лид Веры; ожидается на 103.",
    caller=LEAD_ONLY,
)
def inbound_lead_only(stage):
    yield from answer_and_talk(stage, stage.call_in(), "103")


@scenario(
    "inbound-anonymous",
    "The caller hides the number.",
    "Звонящий скрыл номер.",
    caller=None,
)
def inbound_anonymous(stage):
    yield from answer_and_talk(stage, stage.call_in())


@scenario(
    "inbound-missed",
    "A known customer; nobody picks up until the customer hangs up.",
    "Звонит известный клиент; никто не берёт трубку, клиент сдаётся.",
    caller=ANNA_CUSTOMER,
)
def inbound_missed(stage):
    call = stage.call_in()
    yield rings(call)
    yield 12
    if call.live:
        stage.exchange.hang_up_client(call)


@scenario(
    "inbound-group-transfer",
    "A group call picked up by 102 and transferred to 101 after asking.",
    "Звонок в группу: ответил 102 и перевёл на 101 после вопроса.",
)
def inbound_group_transfer(stage):
    call = stage.call_in()
    yield from consult(stage, call, "102", "101")
    yield from talk_until_client_leaves(stage, call)


@scenario(
    "burst",
    "Ten customers call in the same second.",
    "Десять клиентов звонят в одну секунду.",
)
def burst(stage):
    numbers = [
        VEKTOR,
        ANNA_CUSTOMER,
        "74950000203",
        NO_MANAGER,
        LEAD_ONLY,
        "74950000206",
        "74950000207",
        "74950000208",
        UNKNOWN,
    ]
    calls = [stage.call_in(number) for number in numbers]
    calls.append(stage.keep(stage.exchange.call_in(None)))
    yield lambda: all(c.stage not in ("menu", "queue") for c in calls)
    yield 10
    for call in calls:
        if call.live and call.ringing_legs:
            stage.exchange.answer(call, call.ringing_legs[0])
        yield 1
    yield 5
    for call in calls:
        if call.live:
            stage.exchange.hang_up_client(call)


# -- missed and refused --------------------------------------------------------


@scenario(
    "missed-in-menu",
    "The caller hangs up during the greeting; summary with entry_result 0.",
    "Клиент положил трубку во время приветствия; entry_result 0.",
    group="missed",
)
def missed_in_menu(stage):
    call = stage.call_in(greeting=ENDLESS_GREETING)
    yield max(stage.settings.greeting / 2, 0.1)
    stage.exchange.finish(call, BY_SCHEME)


@scenario(
    "missed-in-menu-result-1",
    "The same, but the summary says entry_result 1 without any talk.",
    "То же, но в summary entry_result 1, хотя разговора не было.",
    group="missed",
)
def missed_in_menu_result_1(stage):
    call = stage.call_in(greeting=ENDLESS_GREETING)
    yield max(stage.settings.greeting / 2, 0.1)
    stage.exchange.finish(call, BY_SCHEME, entry_result=1)


@scenario(
    "missed-group",
    "A parallel group of three rings without an answer.",
    "Группа из трёх звонит впустую.",
    group="missed",
)
def missed_group(stage):
    yield over(stage.call_in())


@scenario(
    "missed-serial-group",
    "The support group rings one after another, nobody answers.",
    "Поддержка звонит по очереди, никто не отвечает.",
    group="missed",
)
def missed_serial_group(stage):
    yield over(stage.call_in(line=SUPPORT_LINE))


@scenario(
    "all-unavailable",
    "The whole group is away: 1164 and no employee legs.",
    "Вся группа недоступна: 1164 и ни одного звонка сотрудникам.",
    group="missed",
)
def all_unavailable(stage):
    with stage.behaviour({"101": OFF, "102": OFF, "103": OFF}):
        yield over(stage.call_in())


@scenario(
    "declined",
    "Every phone that rings declines.",
    "Все, кому звонят, отклоняют звонок.",
    group="missed",
)
def declined(stage):
    call = stage.call_in()
    yield rings(call)
    while call.live and call.ringing_legs:
        yield 2
        for leg in call.ringing_legs[:1]:
            stage.exchange.decline(leg.extension, call)


@scenario(
    "picked-up-elsewhere",
    "Rings in sales; 104 of another department takes it (1182).",
    "Звонит отдел продаж; трубку перехватил 104 (1182).",
)
def picked_up_elsewhere(stage):
    call = stage.call_in()
    yield rings(call)
    yield RING_SECONDS
    if call.live:
        stage.exchange.take_over("104", call)
    yield from talk_until_client_leaves(stage, call)


# -- delivery ------------------------------------------------------------------


@scenario(
    "inbound-shuffled",
    "An answered call whose notifications come out of order.",
    "Отвеченный звонок, уведомления приходят не по порядку.",
    group="delivery",
    caller=NO_MANAGER,
)
def inbound_shuffled(stage):
    call = stage.call_in(delivery=Delivery(disorder="shuffle"))
    yield from answer_and_talk(stage, call)


@scenario(
    "inbound-doubled",
    "An answered call, every notification comes twice.",
    "Отвеченный звонок, каждое уведомление приходит дважды.",
    group="delivery",
    caller=NO_MANAGER,
)
def inbound_doubled(stage):
    call = stage.call_in(delivery=Delivery(disorder="double"))
    yield from answer_and_talk(stage, call)


@scenario(
    "summary-first",
    "The summary of an answered call comes before everything else.",
    "Итог отвеченного звонка приходит раньше всего остального.",
    group="delivery",
    caller=NO_MANAGER,
)
def summary_first(stage):
    delivery = Delivery(held=[])
    call = stage.call_in(delivery=delivery)
    yield from answer_and_talk(stage, call)
    yield 1
    stage.notifier.release(
        delivery, partial(sorted, key=lambda e: e.path != "events/summary")
    )


@scenario(
    "numeric-strings",
    "Every integer is sent as text.",
    "Все числа приходят строками.",
    group="delivery",
    caller=NO_MANAGER,
)
def numeric_strings(stage):
    call = stage.call_in(delivery=Delivery(numbers="string"))
    yield from answer_and_talk(stage, call)


@scenario(
    "strings-numeric",
    "Text of digits (numbers, extensions) is sent as integers.",
    "Строки из цифр (номера) приходят числами.",
    group="delivery",
    caller=NO_MANAGER,
)
def strings_numeric(stage):
    call = stage.call_in(delivery=Delivery(numbers="reverse"))
    yield from answer_and_talk(stage, call)


@scenario(
    "unknown-reason",
    "The talk ends with an unknown reason: 1199.",
    "Разговор кончается неизвестной причиной 1199.",
    group="delivery",
    caller=NO_MANAGER,
)
def unknown_reason(stage):
    call = stage.call_in()
    yield from answer(stage, call)
    yield TALK_SECONDS
    stage.exchange.finish(call, 1199)


@scenario(
    "unknown-state",
    "A leg passes through an unknown call_state.",
    "Плечо проходит через неизвестное состояние call_state.",
    group="delivery",
    caller=NO_MANAGER,
)
def unknown_state(stage):
    call = stage.call_in()
    yield from answer(stage, call)
    yield 2
    if call.talker:
        stage.exchange.event(call, call.talker, "Whispering")
        stage.exchange.event(call, call.talker, CONNECTED)
    yield TALK_SECONDS
    stage.exchange.hang_up_client(call)


@scenario(
    "unknown-path",
    "A notification of a kind that does not exist yet.",
    "Уведомление вида, которого ещё нет.",
    group="delivery",
)
def unknown_path(stage):
    now = int(stage.exchange.clock.now())
    stage.notifier.send("events/future/kind", {"timestamp": now, "something": [1, 2]})
    yield 0


@scenario(
    "extra-fields",
    "Known notifications with additional members, call tracking among them.",
    "Знакомые уведомления с лишними полями, в том числе коллтрекинг.",
    group="delivery",
    caller=NO_MANAGER,
)
def extra_fields(stage):
    extra = {
        "dct": {"number": "74950000150", "type": 1},
        "sip_call_id": "a84b4c76e66710",
        "future": {"deep": [None, {"x": 1}]},
    }
    call = stage.call_in(command=extra)
    yield from answer_and_talk(stage, call)


@scenario(
    "dtmf",
    "The caller types digits during the greeting.",
    "Клиент нажимает цифры во время приветствия.",
    group="delivery",
    caller=NO_MANAGER,
)
def dtmf(stage):
    call = stage.call_in()
    yield min(1, stage.settings.greeting / 2)
    menu = call.live_role("menu")
    if menu:
        stage.notifier.send("events/dtmf", digits(stage, call, menu))
    yield from answer_and_talk(stage, call)


def digits(stage, call, menu):
    return {
        "seq": 1,
        "dtmf": "1234",
        "timestamp": int(stage.exchange.clock.now()),
        "call_id": menu.call_id,
        "entry_id": call.entry_id,
        "location": "ivr.1",
        "initiator": call.client,
        "from_number": call.client,
        "to_number": call.line,
        "line_number": call.line,
    }


@scenario(
    "no-notifications",
    "A talk of which no notification arrives: only statistics know it.",
    "Разговор без единого уведомления: о нём знает только статистика.",
    group="delivery",
    caller=ANNA_CUSTOMER,
)
def no_notifications(stage):
    call = stage.call_in(delivery=Delivery(silent=True))
    yield from answer_and_talk(stage, call)


@scenario(
    "summary-lost",
    "Everything arrives except the summary.",
    "Приходит всё, кроме итога.",
    group="delivery",
    caller=NO_MANAGER,
)
def summary_lost(stage):
    yield from answer_and_talk(stage, stage.call_in(without_summary=True))


# -- outbound and internal -----------------------------------------------------


@scenario(
    "callback-answered",
    "Call on behalf of 101: Anna picks up, then the customer.",
    "Звонок от имени 101: берёт трубку Анна, потом клиент.",
    group="outbound",
    caller=ANNA_CUSTOMER,
)
def callback_answered(stage):
    call = ordered_callback(stage, "answer")
    yield from answer(stage, call)
    yield from talk_until_client_leaves(stage, call)


@scenario(
    "callback-employee-silent",
    "Call on behalf of 101, but Anna does not pick up.",
    "Звонок от имени 101, но Анна не берёт трубку.",
    group="outbound",
    caller=ANNA_CUSTOMER,
)
def callback_employee_silent(stage):
    yield over(ordered_callback(stage, "answer"))


@scenario(
    "callback-client-busy",
    "Call on behalf of 101: Anna picks up, the customer is busy.",
    "Звонок от имени 101: Анна взяла трубку, у клиента занято.",
    group="outbound",
    caller=ANNA_CUSTOMER,
)
def callback_client_busy(stage):
    call = ordered_callback(stage, "busy")
    yield from answer(stage, call)
    yield over(call)


@scenario(
    "callback-client-silent",
    "Call on behalf of 101: Anna picks up, the customer does not.",
    "Звонок от имени 101: Анна взяла трубку, клиент не отвечает.",
    group="outbound",
    caller=ANNA_CUSTOMER,
)
def callback_client_silent(stage):
    call = ordered_callback(stage, "silent")
    yield from answer(stage, call)
    yield over(call)


def ordered_callback(stage, plan):
    """A callback as if another system had ordered it."""
    command_id = f"other-system-{int(stage.exchange.clock.now())}"
    call = stage.keep(
        stage.exchange.callback(
            "101", stage.caller, command_id=command_id, client_plan=plan
        )
    )
    stage.notifier.send("result/callback", {"command_id": command_id, "result": 1000})
    return call


@scenario(
    "outgoing",
    "102 dials a customer from the desk phone.",
    "102 набирает клиента с аппарата.",
    group="outbound",
    caller="74950000203",
)
def outgoing(stage):
    call = stage.exchange.dial("102", stage.caller, client_plan="answer")
    yield from talk_until_client_leaves(stage, stage.keep(call))


@scenario(
    "internal-call",
    "101 calls the colleague 103.",
    "101 звонит коллеге 103.",
    group="outbound",
)
def internal_call(stage):
    call = stage.keep(stage.exchange.dial("101", "103"))
    yield from answer(stage, call)
    yield TALK_SECONDS
    if call.live:
        stage.exchange.hang_up("101")


@scenario(
    "extension-leading-zero",
    "104 calls 0511: an extension with a leading zero.",
    "104 звонит на 0511: внутренний номер с нулём впереди.",
    group="outbound",
)
def extension_leading_zero(stage):
    call = stage.keep(stage.exchange.dial("104", "0511"))
    yield from answer(stage, call)
    yield TALK_SECONDS
    if call.live:
        stage.exchange.hang_up("0511")


@scenario(
    "sip-line",
    "A call on a line that is a SIP address.",
    "Звонок на линию, которая задана SIP-адресом.",
    caller=NO_MANAGER,
)
def sip_line(stage):
    yield from answer_and_talk(stage, stage.call_in(line=SIP_LINE))


# -- transfers -----------------------------------------------------------------


def consult(stage, call, first, second):
    """``first`` answers, asks ``second``, and hands over."""
    exchange = stage.exchange
    yield from answer(stage, call, first)
    yield 4
    if not call.talker:
        return
    first = call.talker.extension
    second = second if second != first else "102"
    begin_transfer(stage, call, first, second, exchange.transfers.consult)
    yield 3
    if exchange.ringing_leg(second, call)[1]:
        exchange.pick_up(second, call)
    yield 3
    if call.live:
        exchange.hang_up(first)


def begin_transfer(stage, call, first, second, how):
    initiator = stage.exchange.company.find_staff(first)
    return how(call, call.talker, initiator, second)


@scenario(
    "transfer-consultation",
    "101 asks 102 and hands the customer over.",
    "101 спрашивает 102 и передаёт клиента.",
    group="transfers",
)
def transfer_consultation(stage):
    call = stage.call_in()
    yield from consult(stage, call, "101", "102")
    yield from talk_until_client_leaves(stage, call)


@scenario(
    "transfer-blind",
    "101 sends the customer on to 102 without asking.",
    "101 переводит клиента на 102 без вопроса.",
    group="transfers",
)
def transfer_blind(stage):
    call = stage.call_in()
    second = yield from blind(stage, call)
    yield RING_SECONDS
    stage.exchange.pick_up(second, call)
    yield from talk_until_client_leaves(stage, call)


@scenario(
    "transfer-returned",
    "102 declines the transferred call; it comes back to 101.",
    "102 отклонил переведённый звонок; он вернулся к 101.",
    group="transfers",
)
def transfer_returned(stage):
    call = stage.call_in()
    second = yield from blind(stage, call)
    yield RING_SECONDS
    stage.exchange.decline(second, call)
    yield from answer(stage, call)
    yield from talk_until_client_leaves(stage, call)


def blind(stage, call):
    yield from answer(stage, call, "101")
    yield 4
    first = call.talker.extension
    second = "102" if first != "102" else "101"
    begin_transfer(stage, call, first, second, stage.exchange.transfers.blind)
    return second


# -- route commands ------------------------------------------------------------


@scenario(
    "route-result-first",
    "A routed call; result/route comes before the new leg.",
    "Направленный звонок; result/route приходит раньше нового плеча.",
    group="route",
    caller=ANNA_CUSTOMER,
)
def route_result_first(stage):
    yield from answer_and_talk(stage, stage.call_in(result_order="before"), "101")


@scenario(
    "route-result-last",
    "A routed call; result/route comes after the new leg.",
    "Направленный звонок; result/route приходит после нового плеча.",
    group="route",
    caller=ANNA_CUSTOMER,
)
def route_result_last(stage):
    yield from answer_and_talk(stage, stage.call_in(result_order="after"), "101")


@scenario(
    "route-late",
    "The route command is accepted but comes too late: result/route 4101.",
    "Команда route принята, но опоздала: result/route 4101.",
    group="route",
    caller=ANNA_CUSTOMER,
)
def route_late(stage):
    yield from answer_and_talk(stage, stage.call_in(slow_route="result"))


@scenario(
    "route-late-refused",
    "The route command is refused at once with 4101.",
    "Команда route сразу отклонена с кодом 4101.",
    group="route",
    caller=ANNA_CUSTOMER,
)
def route_late_refused(stage):
    yield from answer_and_talk(stage, stage.call_in(slow_route="reply"))


# -- the routing plan ----------------------------------------------------------


@scenario(
    "owner-busy",
    "A customer of Anna calls while she is talking: expect the plan's next step.",
    "Звонит клиент Анны, а она разговаривает: очередь следующего шага плана.",
    group="plan",
    caller=ANNA_CUSTOMER,
)
def owner_busy(stage):
    exchange = stage.exchange
    if exchange.state_of("101") == "free":
        stage.keep(exchange.dial("101", TALKED_TO, client_plan="answer"))
        yield 6
    call = stage.reactive_call(after_route="menu")
    yield over(call)
    for other in stage.calls:
        exchange.hang_up_client(other)


def owner_unavailable(name, en, ru, mode, forward=False, **options):
    """Register a call of Anna's customer, which she does not take in this mode."""

    @scenario(name, en, ru, group="plan", caller=ANNA_CUSTOMER)
    def play(stage):
        with stage.behaviour({"101": mode}, forward=forward):
            yield over(stage.reactive_call(after_route="menu", **options))

    return play


owner_unavailable(
    "owner-busy-unseen",
    "The same, but only Anna's telephone knows it: 1121 and back to the menu.",
    "То же, но об этом знает только телефон Анны: 1121 и снова меню.",
    BUSY,
)
owner_unavailable(
    "owner-declines",
    "Anna declines the call of her customer; back to the menu.",
    "Анна отклоняет звонок своего клиента; снова меню.",
    DECLINE,
)
owner_unavailable(
    "owner-away-substitute",
    "Anna is outside her schedule; her substitute is to be rung.",
    "Анна вне расписания; звонить должно её заместителю.",
    OFF,
)
owner_unavailable(
    "owner-no-answer-next",
    "Anna does not pick up: the call is to go on, otherwise back to the menu.",
    "Анна не берёт трубку: звонок должен пойти дальше, иначе снова меню.",
    SILENT,
    patience=85.0,
)
owner_unavailable(
    "owner-forwards",
    "Anna has do-not-disturb on and forwards to her mobile.",
    "У Анны «не беспокоить» и переадресация на мобильный.",
    DO_NOT_DISTURB,
    forward=True,
)


@scenario(
    "team-longest-idle",
    "Three customers one after another: each time the longest idle one is rung.",
    "Три клиента один за другим: каждый раз звонит дольше всех свободному.",
    group="plan",
    caller=NO_MANAGER,
)
def team_longest_idle(stage):
    for number in (stage.caller, UNKNOWN, LEAD_ONLY):
        yield over(stage.reactive_call(number, scheme="502", after_route="scheme"))
        yield 2


@scenario(
    "nobody-available",
    "Nobody can take the call: busy, do not disturb, outside the schedule.",
    "Взять трубку некому: занято, не беспокоить, вне расписания.",
    group="plan",
    caller=ANNA_CUSTOMER,
)
def nobody_available(stage):
    staff = [person.extension for person in stage.exchange.company.staff]
    modes = dict(zip(staff, itertools.cycle((BUSY, DO_NOT_DISTURB, OFF))))
    with stage.behaviour(modes):
        yield over(stage.reactive_call(after_route="scheme"))


@scenario(
    "two-at-once-one-owner",
    "Two customers of Anna call within two seconds; both are to be answered.",
    "Два клиента Анны звонят с разницей в две секунды; ответить нужно обоим.",
    group="plan",
    caller=ANNA_CUSTOMER,
)
def two_at_once_one_owner(stage):
    options = {"after_route": "menu", "talk_seconds": 25.0, "queued": True}
    first = stage.reactive_call(**options)
    yield 2
    second = stage.reactive_call(VEKTOR, **options)
    yield lambda: not first.live and not second.live


# -- call tracking and the black list --------------------------------------------


@scenario(
    "inbound-dct",
    "A visitor of the site calls a dynamic tracking number.",
    "Посетитель сайта звонит на динамический номер коллтрекинга.",
)
def inbound_dct(stage):
    dct = {"type": DYNAMIC, "number": TRACKING_NUMBER}
    yield over(stage.reactive_call(dct=dct))


@scenario(
    "inbound-dct-static",
    "A call to a static tracking number: there is no visitor to ask for.",
    "Звонок на статический номер коллтрекинга: о посетителе не спросить.",
)
def inbound_dct_static(stage):
    dct = {"type": STATIC, "number": "74950000151"}
    yield over(stage.reactive_call(dct=dct))


@scenario(
    "inbound-blacklisted",
    "The caller is on the black list: no legs, and a summary with 1151.",
    "Номер в чёрном списке: звонка нет, только итог с кодом 1151.",
    group="missed",
    caller=SPAMMER,
)
def inbound_blacklisted(stage):
    blacklist = stage.exchange.blacklist
    entry = {"list_type": "black", "number": stage.caller, "number_type": "tel"}
    added = None
    if not blacklist.blocks(stage.caller):
        added = blacklist.add(entry)["data"]
    yield over(stage.call_in())
    if added:
        blacklist.delete(added)


# -- recordings ----------------------------------------------------------------


@scenario(
    "two-recordings",
    "A transferred call with a recording of each employee; the first download is 404.",
    "Переведённый звонок, запись у каждого сотрудника; первая загрузка 404.",
    group="recordings",
)
def two_recordings(stage):
    call = stage.call_in(recording_not_ready=1)
    yield from consult(stage, call, "101", "102")
    yield from talk_until_client_leaves(stage, call)


@scenario(
    "recording-before-summary",
    "The recording is announced before the summary.",
    "О записи сообщают раньше, чем приходит итог.",
    group="recordings",
    caller=NO_MANAGER,
)
def recording_before_summary(stage):
    delivery = Delivery(held=[])
    call = stage.call_in(delivery=delivery)
    yield from answer_and_talk(stage, call)
    yield 5
    stage.notifier.release(
        delivery, partial(sorted, key=lambda e: e.path == "events/summary")
    )


@scenario(
    "long-recording",
    "A call whose recording lasts ten minutes: something to seek in.",
    "Звонок с десятиминутной записью: есть что перематывать.",
    group="recordings",
)
def long_recording(stage):
    yield from answer_and_talk(stage, stage.call_in(long_recording=True))


# -- broken notifications ------------------------------------------------------


def odd_call(stage, **odd):
    """Send a wrong notification about a call that does not exist."""
    ids = stage.exchange.ids
    payload = {
        "entry_id": ids.entry(),
        "call_id": ids.leg(),
        "timestamp": int(stage.exchange.clock.now()),
        "seq": 1,
        "call_state": DISCONNECTED,
        "location": "ivr",
        "from": {"number": stage.caller},
        "to": {"number": "74950000100", "line_number": "74950000100"},
        "disconnect_reason": 1110,
    }
    stage.notifier.send("events/call", payload, **odd)


@scenario(
    "bad-signature",
    "A notification with a wrong signature; 403 is expected.",
    "Уведомление с неверной подписью; положен ответ 403.",
    group="broken",
)
def bad_signature(stage):
    odd_call(stage, sign="0" * 64, expected="403", note="wrong signature")
    yield 0


@scenario(
    "bad-key",
    "A notification with an unknown key; 403 is expected.",
    "Уведомление с чужим ключом; положен ответ 403.",
    group="broken",
)
def bad_key(stage):
    odd_call(stage, key="some_other_key", expected="403", note="unknown key")
    yield 0


@scenario(
    "missing-json",
    "A notification without json; 400 is expected.",
    "Уведомление без json; положен ответ 400.",
    group="broken",
)
def missing_json(stage):
    odd_call(stage, text="", without_json=True, expected="400", note="no json")
    yield 0


@scenario(
    "broken-json",
    "A signed notification with truncated JSON; 400 is expected.",
    "Подписанное уведомление с оборванным JSON; положен ответ 400.",
    group="broken",
)
def broken_json(stage):
    odd_call(stage, text='{"entry_id":"E1",', expected="400", note="cut JSON")
    yield 0


@scenario(
    "json-list",
    "A signed notification whose json is []; 400 is expected.",
    "Подписанное уведомление, где json равен []; положен ответ 400.",
    group="broken",
)
def json_list(stage):
    odd_call(stage, text="[]", expected="400", note="json is []")
    yield 0


@scenario(
    "ping",
    "The cabinet's connection check.",
    "Проверка связи из личного кабинета.",
    group="broken",
)
def ping(stage):
    stage.notifier.send("ping", {})
    yield 0


# -- faults of the API ---------------------------------------------------------


def faulty(name, en, ru, *faults):
    """Register a routable call during which the API fails."""

    @scenario(name, en, ru, group="faults", caller=ANNA_CUSTOMER)
    def play(stage):
        armed = [Fault(path="commands/route", **fault) for fault in faults]
        stage.settings.faults.extend(armed)
        try:
            yield from answer_and_talk(stage, stage.call_in())
        finally:
            rest = [f for f in stage.settings.faults if f not in armed]
            stage.settings.faults[:] = rest

    return play


faulty(
    "fault-429",
    "The route command exceeds the rate limit.",
    "Команда route упирается в ограничение частоты.",
    {"kind": "429"},
)
faulty(
    "fault-503",
    "The route command is answered 503.",
    "На команду route ответ 503.",
    {"kind": "503"},
)
faulty(
    "fault-3100",
    "The route command is answered HTTP 200 with result 3100.",
    "На команду route ответ HTTP 200 с кодом 3100.",
    {"kind": "3100"},
)
faulty(
    "fault-empty",
    "The route command is answered with an empty body.",
    "На команду route пустой ответ.",
    {"kind": "empty"},
)
faulty(
    "fault-html",
    "The route command is answered with a web page.",
    "На команду route приходит веб-страница.",
    {"kind": "html"},
)
faulty(
    "fault-cut",
    "The answer to the route command is cut off.",
    "Ответ на команду route оборван.",
    {"kind": "cut"},
)
faulty(
    "fault-slow",
    "The answer to the route command takes 20 seconds.",
    "Ответ на команду route идёт 20 секунд.",
    {"kind": "slow", "seconds": 20.0},
)


@scenario(
    "fault-lockout",
    "The PBX has locked us out: HTTP 401 for two minutes, whatever is asked.",
    "АТС заблокировала нас: две минуты на всё ответ HTTP 401.",
    group="faults",
    caller=ANNA_CUSTOMER,
)
def fault_lockout(stage):
    stage.api.penalty.lock()
    yield from answer_and_talk(stage, stage.call_in())


# -- statistics ----------------------------------------------------------------


def past_call(stage, seconds_ago, number, extension):
    """Add a finished call in the past, without notifications.

    :param float seconds_ago: when it began.
    :param str extension: who talked; empty for a missed one.
    """
    exchange = stage.exchange
    recording, exchange.settings.recording = exchange.settings.recording, False
    call = stage.call_in(number, greeting=30, delivery=Delivery(silent=True))
    if extension:
        exchange.stop_ringing(call, 1183)
        menu = call.live_role("menu")
        exchange.end_leg(call, menu, 1100)
        exchange.ring(call, extension, menu)
        leg = call.legs[-1]
        if leg.ringing:
            exchange.answer(call, leg)
    exchange.hang_up_client(call)
    exchange.settings.recording = recording
    shift_back(call, seconds_ago)


def shift_back(call, seconds_ago):
    """Move a call back in time and give it plausible durations."""
    created = call.created_at - seconds_ago
    talked = bool(call.talk_at)
    call.created_at = created
    call.forwarded_at = created + 5 if call.forwarded_at else 0
    call.talk_at = created + 12 if talked else 0
    call.ended_at = created + (95 if talked else 25)
    for leg in call.legs:
        menu = leg.role == "menu"
        leg.started_at = created if menu else created + 5
        leg.answered_at = created + 12 if leg.answered_at else 0
        leg.ended_at = created + 5 if menu and talked else call.ended_at


@scenario(
    "stats-history",
    "Forty calls of the last ten days that only statistics know; read at complete.",
    "Сорок звонков за десять дней, известных только статистике.",
    group="statistics",
)
def stats_history(stage):
    numbers = (ANNA_CUSTOMER, NO_MANAGER, LEAD_ONLY, UNKNOWN)
    extensions = ("101", "", "102", "103", "")
    for order in range(40):
        past_call(
            stage,
            (order + 1) * DAY / 4,
            numbers[order % len(numbers)],
            extensions[order % len(extensions)],
        )
    yield 0


@scenario(
    "stats-boundary",
    "Calls just inside and just outside of the last 30 days.",
    "Звонки на самой границе последних тридцати дней.",
    group="statistics",
)
def stats_boundary(stage):
    for seconds_ago in (30 * DAY - 600, 30 * DAY + 600, 31 * DAY):
        past_call(stage, seconds_ago, ANNA_CUSTOMER, "101")
    yield 0


@scenario(
    "stats-204",
    "A call that only statistics know; its report is not ready twice (204).",
    "Звонок, известный только статистике; отчёт дважды отвечает 204.",
    group="statistics",
)
def stats_204(stage):
    stage.statistics.empty_polls = 2
    past_call(stage, 3600, ANNA_CUSTOMER, "101")
    yield 0
