"""The pure routing decision: examples and properties."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from odoo.tests import BaseCase, tagged

from ...models.routing.decision import Facts, Person, Step, decide, decide_all

ANNA, BORIS, VERA, GLEB = 1, 2, 3, 4


def plan(*targets, **more):
    return [
        Step(id=position * 10, position=position, target=target, **more)
        for position, target in enumerate(targets, start=1)
    ]


def people(**changes):
    """Return Анна, Борис and Вера, all of them free; ``changes`` by name."""
    named = {"anna": ANNA, "boris": BORIS, "vera": VERA}
    return {
        key: replace(Person(extension=f"10{key}"), **changes.get(name, {}))
        for name, key in named.items()
    }


def owned(**changes):
    return Facts(
        people=people(**changes),
        owners={"lead_owner": ANNA, "contact_owner": BORIS},
        is_known=True,
    )


@tagged("post_install", "-at_install")
class TestRouteDecision(BaseCase):
    def assertConsidered(self, decision, *expected):
        self.assertEqual(
            [(one.step.target, one.person, one.reason) for one in decision.considered],
            list(expected),
        )

    # -- one decision -------------------------------------------------------------

    def test_first_step_with_an_available_person(self):
        steps = plan("lead_owner", "contact_owner", "pbx")
        decision = decide(steps, owned())
        self.assertConsidered(decision, ("lead_owner", ANNA, "available"))
        self.assertEqual(decision.chosen.number, "101")

    def test_order_is_the_position(self):
        steps = plan("lead_owner", "contact_owner")[::-1]
        self.assertEqual(decide(steps, owned()).chosen.person, ANNA)

    def test_skipped_with_a_reason(self):
        steps = plan("company_owner", "lead_owner", "contact_owner", "pbx")
        decision = decide(steps, owned(anna={"obstacle": "talking"}))
        self.assertConsidered(
            decision,
            ("company_owner", None, "nobody"),
            ("lead_owner", ANNA, "talking"),
            ("contact_owner", BORIS, "available"),
        )

    def test_pbx_ends_the_plan(self):
        decision = decide(plan("pbx", "lead_owner"), owned())
        self.assertConsidered(decision, ("pbx", None, "pbx"))
        self.assertIsNone(decision.chosen)

    def test_empty_plan(self):
        self.assertEqual(decide([], owned()).considered, ())

    def test_without_extension(self):
        facts = replace(owned(), owners={"lead_owner": 99})
        decision = decide(plan("lead_owner"), facts)
        self.assertConsidered(decision, ("lead_owner", 99, "no_extension"))

    def test_working_hours_are_a_switch_of_the_step(self):
        facts = owned(anna={"is_off_hours": True})
        [step] = plan("lead_owner")
        self.assertConsidered(decide([step], facts), ("lead_owner", ANNA, "off_hours"))
        anytime = replace(step, only_working_hours=False)
        self.assertEqual(decide([anytime], facts).chosen.person, ANNA)

    def test_problem_of_the_step(self):
        decision = decide(plan("user", user=ANNA, problem="user_left"), owned())
        self.assertConsidered(decision, ("user", None, "user_left"))

    # -- conditions -----------------------------------------------------------------

    def test_conditions(self):
        cases = [
            ({"lines": frozenset({5})}, {"line": 5}, {"line": 6}, "other_line"),
            (
                {"tags": frozenset({7, 8})},
                {"tags": frozenset({8, 9})},
                {"tags": frozenset({9})},
                "other_tags",
            ),
            ({"caller": "known"}, {}, {"is_known": False}, "unknown_caller"),
            ({"caller": "unknown"}, {"is_known": False}, {}, "known_caller"),
            (
                {"hours": "within", "calendar": 3},
                {"open_calendars": {3}},
                {"open_calendars": {None}},
                "outside_hours",
            ),
            ({"hours": "outside"}, {}, {"open_calendars": {None}}, "within_hours"),
        ]
        for condition, fitting, other, reason in cases:
            steps = plan("lead_owner", **condition)
            with self.subTest(reason):
                decision = decide(steps, replace(owned(), **fitting))
                self.assertEqual(decision.chosen.person, ANNA)
                decision = decide(steps, replace(owned(), **other))
                self.assertConsidered(decision, ("lead_owner", None, reason))

    def test_pbx_step_for_some_only(self):
        steps = [
            replace(plan("pbx")[0], caller="unknown"),
            *plan("x", "lead_owner")[1:],
        ]
        self.assertEqual(decide(steps, owned()).chosen.person, ANNA)

    # -- targets --------------------------------------------------------------------

    def test_last_spoken_within_days(self):
        steps = plan("last_spoken", within_days=30)
        facts = replace(owned(), last_spoken=(VERA, 29.9))
        self.assertEqual(decide(steps, facts).chosen.person, VERA)
        facts = replace(owned(), last_spoken=(VERA, 30.1))
        self.assertConsidered(decide(steps, facts), ("last_spoken", None, "nobody"))

    def test_team_longest_idle_first(self):
        team = frozenset({4})
        facts = owned(
            anna={"teams": team, "idle_since": 300},
            boris={"teams": team, "idle_since": 100, "obstacle": "talking"},
            vera={"teams": team, "idle_since": 200},
        )
        decision = decide(plan("team", team=4), facts)
        self.assertConsidered(
            decision, ("team", BORIS, "talking"), ("team", VERA, "available")
        )

    def test_group_and_number(self):
        for target in ("group", "number"):
            [step] = plan(target, number="500")
            decision = decide([step], Facts())
            self.assertEqual(decision.chosen.number, "500")
            self.assertIsNone(decide([step], decision.in_vain).chosen)

    # -- substitutes ----------------------------------------------------------------

    def test_substitute_directly_after(self):
        facts = owned(anna={"obstacle": "away", "substitute": VERA})
        decision = decide(plan("lead_owner", "contact_owner"), facts)
        self.assertConsidered(
            decision, ("lead_owner", ANNA, "away"), ("lead_owner", VERA, "available")
        )
        self.assertEqual(decision.chosen.stands_in_for, ANNA)

    def test_circle_of_substitutes(self):
        facts = owned(
            anna={"obstacle": "away", "substitute": VERA},
            vera={"obstacle": "dnd", "substitute": ANNA},
            boris={"obstacle": "talking", "substitute": BORIS},
        )
        decision = decide(plan("lead_owner", "contact_owner", "pbx"), facts)
        self.assertConsidered(
            decision,
            ("lead_owner", ANNA, "away"),
            ("lead_owner", VERA, "dnd"),
            ("contact_owner", BORIS, "talking"),
            ("pbx", None, "pbx"),
        )

    # -- what comes next ------------------------------------------------------------

    def chosen(self, steps, facts):
        return [
            decision.chosen.person
            for decision in decide_all(steps, facts)
            if decision.chosen
        ]

    def test_next_step_after_no_answer(self):
        steps = plan("lead_owner", "contact_owner", "pbx")
        self.assertEqual(self.chosen(steps, owned()), [ANNA, BORIS])

    def test_substitute_after_no_answer(self):
        facts = owned(anna={"substitute": VERA})
        steps = plan("lead_owner", "contact_owner")
        self.assertEqual(self.chosen(steps, facts), [ANNA, VERA, BORIS])

    def test_same_person_in_several_steps(self):
        facts = replace(owned(), owners={"lead_owner": ANNA, "contact_owner": ANNA})
        steps = plan("lead_owner", "contact_owner", "pbx")
        self.assertEqual(self.chosen(steps, facts), [ANNA])
        *_first, last = decide_all(steps, facts)
        self.assertConsidered(
            last, ("contact_owner", ANNA, "repeated"), ("pbx", None, "pbx")
        )

    def test_whole_team_in_turn(self):
        team = frozenset({4})
        facts = owned(
            anna={"teams": team, "idle_since": 3}, vera={"teams": team, "idle_since": 2}
        )
        self.assertEqual(self.chosen(plan("team", team=4), facts), [VERA, ANNA])

    def test_earlier_steps_are_over(self):
        """An employee skipped as busy is not rung after a later step."""
        steps = plan("lead_owner", "contact_owner")
        decision = decide(steps, owned(anna={"obstacle": "talking"}))
        facts = replace(decision.in_vain, people=people())
        self.assertIsNone(decide(steps, facts).chosen)


# ---------------------------------------------------------------------------
# Properties

KEYS = st.integers(-2, 6)
CODES = st.sampled_from([None, "talking", "dnd"])
SMALL = st.frozensets(st.integers(1, 3), max_size=3)

steps_strategy = st.lists(
    st.builds(
        Step,
        id=st.integers(1, 9),
        position=st.integers(1, 6),
        target=st.sampled_from(
            [
                "lead_owner",
                "contact_owner",
                "company_owner",
                "last_spoken",
                "user",
                "team",
                "group",
                "number",
                "pbx",
                "nonsense",
            ]
        ),
        lines=SMALL,
        tags=SMALL,
        caller=st.sampled_from(["any", "known", "unknown"]),
        hours=st.sampled_from(["any", "within", "outside"]),
        calendar=st.none() | st.integers(1, 2),
        user=st.none() | KEYS,
        team=st.none() | st.integers(1, 3),
        number=st.none() | st.sampled_from(["500", "501"]),
        within_days=st.integers(0, 9),
        only_working_hours=st.booleans(),
        problem=st.sampled_from([None, None, "user_left"]),
    ),
    max_size=8,
)
facts_strategy = st.builds(
    Facts,
    people=st.dictionaries(
        KEYS,
        st.builds(
            Person,
            extension=st.none() | st.sampled_from(["101", "102", "103"]),
            obstacle=CODES,
            is_off_hours=st.booleans(),
            substitute=st.none() | KEYS,
            teams=SMALL,
            idle_since=st.floats(0, 9),
        ),
        max_size=8,
    ),
    owners=st.dictionaries(
        st.sampled_from(["lead_owner", "contact_owner", "company_owner"]), KEYS
    ),
    last_spoken=st.none() | st.tuples(KEYS, st.floats(0, 20)),
    is_known=st.booleans(),
    line=st.none() | st.integers(1, 3),
    tags=SMALL,
    open_calendars=st.frozensets(st.none() | st.integers(1, 2)),
)


@tagged("post_install", "-at_install")
class TestRouteDecisionProperties(BaseCase):
    @settings(deadline=None, max_examples=100)
    @given(steps_strategy, facts_strategy)
    def test_total_and_ends(self, steps, facts):
        """The plan always ends, and nobody is rung twice."""
        decisions = list(decide_all(steps, facts))
        self.assertIsNone(decisions[-1].chosen)
        rung = [decision.chosen.rung for decision in decisions[:-1]]
        self.assertEqual(len(rung), len(set(rung)))

    @settings(deadline=None, max_examples=100)
    @given(steps_strategy, facts_strategy)
    def test_never_somebody_unavailable(self, steps, facts):
        for decision in decide_all(steps, facts):
            chosen = decision.chosen
            if not chosen:
                continue
            self.assertTrue(chosen.number)
            self.assertIsNone(chosen.step.problem)
            self.assertNotEqual(chosen.step.target, "pbx")
            if chosen.person is None:
                continue
            person = facts.people[chosen.person]
            self.assertIsNone(person.obstacle)
            self.assertFalse(person.is_off_hours and chosen.step.only_working_hours)

    @settings(deadline=None, max_examples=100)
    @given(steps_strategy, facts_strategy)
    def test_substitute_directly_after_the_person(self, steps, facts):
        steps = [replace(step, position=place) for place, step in enumerate(steps, 1)]
        decisions = list(decide_all(steps, facts))
        considered = [one for decision in decisions for one in decision.considered]
        rung = [decision.chosen.rung for decision in decisions if decision.chosen]
        for before, one in zip([None, *considered], considered, strict=False):
            if one.stands_in_for is not None:
                if before.person != one.stands_in_for:
                    # The employee they stand in for did not answer.
                    self.assertIn(one.stands_in_for, rung)
                self.assertEqual(before.step, one.step)
                self.assertEqual(facts.people[one.stands_in_for].substitute, one.person)

    @settings(deadline=None, max_examples=50)
    @given(steps_strategy, facts_strategy, st.randoms())
    def test_order_of_the_input_does_not_matter(self, steps, facts, random):
        steps = [replace(step, id=place) for place, step in enumerate(steps)]
        shuffled = list(steps)
        random.shuffle(shuffled)
        self.assertEqual(decide(steps, facts), decide(shuffled, facts))
