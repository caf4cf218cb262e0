"""When a call makes a lead: the pure decision, by examples and by properties."""

from dataclasses import replace
from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from odoo.tests import BaseCase, tagged

from ...models.crm.lead_rules import CREATE, Facts, Rules, decide

START = datetime(2026, 3, 2, 9, 0)
DAY = timedelta(days=1)
POLICIES = ("never", "missed", "answered", "always")

CALL = Facts(
    direction="inbound",
    number="+74950000299",
    is_answered=True,
    is_ended=True,
    started_at=START,
)
MISSED = replace(CALL, is_answered=False)
RINGING = replace(MISSED, is_ended=False)

RULES = st.builds(
    Rules,
    unknown=st.sampled_from(POLICIES),
    known=st.sampled_from(POLICIES),
    again=st.booleans(),
    max_age=st.just(DAY),
)
FACTS = st.builds(
    Facts,
    direction=st.sampled_from(["inbound", "outbound", "internal", None]),
    number=st.sampled_from(["+74950000299", "", None]),
    is_answered=st.booleans(),
    is_ended=st.booleans(),
    started_at=st.just(START),
    delay=st.sampled_from([timedelta(), DAY, 2 * DAY]),
    is_known=st.booleans(),
    is_refused=st.booleans(),
    is_chosen_by_hand=st.booleans(),
    closed_at=st.sampled_from([None, START - DAY, START, START + DAY]),
)


def rules(unknown="never", known="never", again=True):
    return Rules(unknown=unknown, known=known, again=again, max_age=DAY)


@tagged("post_install", "-at_install")
class TestLeadRules(BaseCase):
    # -- examples -----------------------------------------------------------------

    def test_policies(self):
        made = {
            policy: [
                decide(call, rules(unknown=policy)) == CREATE
                for call in (CALL, MISSED, RINGING, replace(CALL, is_ended=False))
            ]
            for policy in POLICIES
        }
        self.assertEqual(
            made,
            {
                "never": [False, False, False, False],
                "missed": [False, True, False, False],
                "answered": [True, False, False, True],
                "always": [True, True, False, True],
            },
        )

    def test_known_clients_have_a_rule_of_their_own(self):
        known = replace(CALL, is_known=True)
        self.assertEqual(decide(known, rules(unknown="always")), "policy")
        self.assertEqual(decide(known, rules(known="always")), CREATE)
        self.assertEqual(decide(CALL, rules(known="always")), "policy")

    def test_never(self):
        for reason, changes in {
            "not_inbound": {"direction": "internal"},
            "hidden": {"number": None},
            "refused": {"is_refused": True},
            "by_hand": {"is_chosen_by_hand": True},
            "history": {"delay": DAY + timedelta(seconds=1)},
        }.items():
            with self.subTest(reason=reason):
                self.assertEqual(
                    decide(replace(CALL, **changes), rules(unknown="always")), reason
                )

    def test_after_a_closed_lead(self):
        later = replace(CALL, closed_at=START - DAY)
        self.assertEqual(decide(later, rules("always")), CREATE)
        self.assertEqual(decide(later, rules("always", again=False)), "closed")
        before = replace(CALL, closed_at=START + DAY)
        self.assertEqual(decide(before, rules("always")), "closed")

    # -- properties ---------------------------------------------------------------

    @given(FACTS, RULES)
    def test_refusals_hold_whatever_the_rules(self, facts, its_rules):
        if decide(facts, its_rules) != CREATE:
            return
        self.assertEqual(facts.direction, "inbound")
        self.assertTrue(facts.number)
        self.assertFalse(facts.is_refused or facts.is_chosen_by_hand)
        self.assertLessEqual(facts.delay, DAY)
        self.assertTrue(facts.is_answered or facts.is_ended)
        self.assertTrue(not facts.closed_at or facts.closed_at < facts.started_at)

    @given(FACTS, RULES)
    def test_always_is_missed_or_answered(self, facts, its_rules):
        def made(policy):
            both = replace(its_rules, unknown=policy, known=policy)
            return decide(facts, both) == CREATE

        self.assertFalse(made("never"))
        self.assertEqual(made("always"), made("missed") or made("answered"))
        self.assertFalse(made("missed") and made("answered"))

    @given(FACTS, RULES)
    def test_the_other_rule_does_not_matter(self, facts, its_rules):
        other = "unknown" if facts.is_known else "known"
        verdicts = {
            decide(facts, replace(its_rules, **{other: policy})) for policy in POLICIES
        }
        self.assertEqual(len(verdicts), 1)
