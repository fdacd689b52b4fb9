import pytest

from processors.definitions import DefinitionsError, Goal, Mistake, parse

SCORECARD = """
[[scorecards]]
name = "standard"
[[scorecards.measures]]
name = "backlog"
figure = "open_tickets"
curve = [[0, 100], [10, 0]]
weight = 1
"""


def the_goal(body: str) -> Goal:
    (goal,) = parse(f'[[goals]]\nname = "invoices"\n{body}\n{SCORECARD}').goals.values()
    return goal


def the_mistake(body: str) -> Mistake:
    with pytest.raises(DefinitionsError) as caught:
        the_goal(body)
    (mistake,) = caught.value.mistakes
    return mistake


def test_a_goal_needs_nothing_but_a_name_and_then_nothing_is_expected_of_it() -> None:
    goal = the_goal("")
    assert (goal.kind, goal.label, goal.expected(None), goal.expected("enterprise")) == ("count", "invoices", None, None)


def test_a_segment_may_expect_something_of_its_own() -> None:
    goal = the_goal("expected_per_30_days = 4\nexpected_by_segment = { enterprise = 40, small = 0 }")
    assert [goal.expected(segment) for segment in (None, "enterprise", "small", "other")] == [4, 40, 0, 4]


def test_more_than_a_whole_cannot_be_expected_of_a_share() -> None:
    mistake = the_mistake('kind = "correct_ratio"\nexpected_per_30_days = 90')
    assert mistake.place == 'goals["invoices"].expected_per_30_days'
    assert mistake.expected == "a number from 0 to 1"
    assert (
        the_mistake('kind = "reach"\nexpected_by_segment = { small = 2 }').place == 'goals["invoices"].expected_by_segment.small'
    )


def test_what_is_expected_must_be_a_number() -> None:
    assert the_mistake('expected_per_30_days = "often"').expected == "a number from 0 to 1,000,000,000"
    assert the_mistake("expected_by_segment = 4").place == 'goals["invoices"].expected_by_segment'
    assert the_mistake("expected_by_segment = { small = true }").place == 'goals["invoices"].expected_by_segment.small'


def test_other_is_no_goal() -> None:
    with pytest.raises(DefinitionsError, match="is where everything not configured is counted"):
        parse(f'[[goals]]\nname = "other"\n{SCORECARD}')


def test_there_are_at_most_64_goals() -> None:
    goals = "".join(f'[[goals]]\nname = "g{number}"\n' for number in range(65))
    with pytest.raises(DefinitionsError, match="there are 65 of them"):
        parse(goals + SCORECARD)


STATION = '[[touchpoints]]\nname = "onboarding"\ndepartment = "Success"\n'


def test_a_goal_may_say_at_which_touchpoint_it_is_worked_for() -> None:
    assert the_goal(f'touchpoint = "onboarding"\n{STATION}').touchpoint == "onboarding"
    assert the_goal(STATION).touchpoint is None


def test_a_touchpoint_that_is_not_there_is_a_mistake() -> None:
    mistake = the_mistake(f'touchpoint = "onbording"\n{STATION}')
    assert (mistake.place.rpartition(".")[2], mistake.message) == ("touchpoint", 'there is no touchpoint "onbording"')
