import pytest

from processors.definitions import DefinitionsError, Mistake, parse
from processors.figures import READERS
from processors.scorecard_file import choose
from processors.vocabulary import TERMS, shown
from tests.support.judging import default_definitions, default_text

SCORECARD = """
[[scorecards]]
name = "standard"
[[scorecards.measures]]
name = "backlog"
figure = "open_tickets"
curve = [[0, 100], [10, 0]]
weight = 1
"""


def mistakes_of(text: str) -> list[Mistake]:
    with pytest.raises(DefinitionsError) as caught:
        parse(text)
    return caught.value.mistakes


def the_mistake_of(text: str) -> Mistake:
    (mistake,) = mistakes_of(text)
    return mistake


def test_the_default_is_valid_and_holds_its_rules() -> None:
    definitions = default_definitions()
    assert list(definitions.rules) == [
        *("health_red", "health_fell", "backlog", "silence", "new_detractor"),
        *("became_churner", "became_vip_support", "goals_fell", "renewal", "not_started"),
    ]
    assert [name for name, rule in definitions.rules.items() if not rule.enabled] == ["became_vip_support"]
    names = {purpose: [card.name for card in cards] for purpose, cards in definitions.scorecards.items()}
    assert names == {
        "risk": ["onboarding", "enterprise", "standard"],
        "upgrade_readiness": ["upgrade"],
        "advocacy": ["advocacy"],
    }
    for card in (card for cards in definitions.scorecards.values() for card in cards):
        assert sum(measure.weight for measure in card.measures) == 100
    assert all(rule.action for rule in definitions.rules.values())


def test_every_figure_of_the_vocabulary_can_be_read_and_no_other() -> None:
    assert set(READERS) == set(TERMS)


def test_all_mistakes_are_told_at_once_each_with_its_place() -> None:
    text = default_text()
    for right, wrong in (
        ('side = "before"', 'side = "befor"'),
        ("margin = 3", "margn = 3"),
        ("csat_90d_pct", "csat_90d"),
        ("weight = 11", "weight = 0"),
        ("[[-50, 0]", "[[0, 0]"),
        ("fall_points = 10", "fall_points = 20"),
        ('kind = "silence"', 'kind = "silense"'),
        ("interval_minutes = ", 'interval_minutes = "often" # '),
    ):
        assert text.count(right) > 0
        text = text.replace(right, wrong, 1)
    found = {mistake.place: mistake for mistake in mistakes_of(text)}
    assert set(found) == {
        'touchpoints["marketing"].side',
        'scorecards["standard"].bands.margn',
        'scorecards["onboarding"].measures["satisfaction"].figure',
        'scorecards["standard"].measures["goals"].weight',
        'scorecards["enterprise"].measures["loyalty"].curve',
        'rules["health_fell"].exit.fall_points',
        'rules["silence"].kind',
        "snapshots.interval_minutes",
    }
    assert 'did you mean "before"' in found['touchpoints["marketing"].side'].expected
    assert 'did you mean "margin"' in found['scorecards["standard"].bands.margn'].expected
    assert "csat_90d_pct" in found['scorecards["onboarding"].measures["satisfaction"].figure'].expected
    assert 'did you mean "silence"' in found['rules["silence"].kind'].expected


def test_a_syntax_error_is_told_with_its_line_and_column() -> None:
    mistake = the_mistake_of("[snapshots]\ninterval_minutes = = 3\n")
    assert mistake.place == "line 2, column 20"
    assert "not valid TOML" in mistake.message


def test_a_syntax_error_at_the_end_is_told_as_such() -> None:
    assert the_mistake_of('name = "open').place in {"end of document", "line 1, column 13"}


def test_a_document_nested_beyond_reason_is_a_mistake_and_no_crash() -> None:
    assert "nested" in the_mistake_of("a = " + "[" * 100_000).message


def test_a_file_without_a_scorecard_says_what_is_needed() -> None:
    assert the_mistake_of("").expected == "at least one [[scorecards]]"


def test_a_figure_that_pools_two_nps_scales_is_refused() -> None:
    text = SCORECARD.replace('"open_tickets"', '["nps_0_10_90d", "nps_1_10_90d"]')
    assert "never mixed" in the_mistake_of(text).message


def test_an_nps_figure_that_does_not_name_its_scale_is_refused() -> None:
    mistake = the_mistake_of(SCORECARD.replace("open_tickets", "nps_90d"))
    assert "scale" in mistake.message
    assert "nps_0_10_90d" in mistake.expected


def test_a_score_cannot_measure_itself() -> None:
    assert "cannot be measured" in the_mistake_of(SCORECARD.replace("open_tickets", "health_score")).message


@pytest.mark.parametrize(
    ("curve", "part"),
    [
        ("[[0, 0]]", "not a list of points"),
        ("[[0, 0], [0, 100]]", "0 follows 0"),
        ("[[0, 0], [1, 101]]", "101 is off the scale"),
        ("[[0, 0], [1, true]]", "not a list of points"),
        ("[[0, 0], [1, nan]]", "not a list of points"),
        ("3", "not a list of points"),
    ],
)
def test_a_curve_that_is_none_is_refused(curve: str, part: str) -> None:
    assert part in the_mistake_of(SCORECARD.replace("[[0, 100], [10, 0]]", curve)).message


def test_a_missing_value_says_what_belongs_there() -> None:
    found = {mistake.place: mistake.message for mistake in mistakes_of("[[scorecards]]\n[[scorecards.measures]]\n")}
    assert found["scorecards[1].name"] == "is missing"
    assert found["scorecards[1].measures[1].weight"] == "is missing"
    assert found["scorecards[1].measures[1].curve"] == "is missing"


def test_names_are_told_when_they_are_there_twice() -> None:
    mistake = the_mistake_of(SCORECARD + SCORECARD)
    assert mistake.place == "scorecards[2].name"
    assert "twice" in mistake.message


def test_more_touchpoints_or_goals_than_a_customer_can_have_are_refused() -> None:
    touchpoints = "".join(f'[[touchpoints]]\nname = "t{number}"\ndepartment = "D"\n' for number in range(65))
    goals = "".join(f'[[goals]]\nname = "g{number}"\n' for number in range(65))
    assert [mistake.place for mistake in mistakes_of(touchpoints + goals + SCORECARD)] == ["touchpoints", "goals"]


def test_other_cannot_be_configured() -> None:
    assert the_mistake_of('[[goals]]\nname = "other"\n' + SCORECARD).place == 'goals["other"].name'


def test_touchpoints_stand_in_their_order() -> None:
    text = '[[touchpoints]]\nname = "b"\norder = 2\ndepartment = "D"\n[[touchpoints]]\nname = "a"\norder = 1\ndepartment = "D"\n'
    assert list(parse(text + SCORECARD).touchpoints) == ["a", "b"]


def test_a_severity_is_raised_by_one_known_figure_and_one_bound() -> None:
    lift = '{ to = "high", figure = "mrr", at_least = 1, at_most = 2 }'
    rule = f'[[rules]]\nname = "r"\nkind = "health_red"\naction = "call"\nraise = [{lift}]\n'
    messages = [mistake.message for mistake in mistakes_of(SCORECARD + rule)]
    assert messages == ['there is no figure "mrr"', "needs one bound"]


def test_the_first_scorecard_that_fits_the_segment_is_taken_else_the_standard_one() -> None:
    text = SCORECARD + "".join(
        SCORECARD.replace('"standard"', f'"{name}"\nsegments = {segments}')
        for name, segments in (("onboarding", '["new"]'), ("enterprise", '["large", "new"]'))
    )
    text = text.replace('"standard"', '"standard"\nsegments = ["small"]')
    scorecards = parse(text).scorecards["risk"]
    chosen = [choose(scorecards, segment).name for segment in ("new", "large", "small", "strange", None)]
    assert chosen == ["onboarding", "enterprise", "standard", "standard", "standard"]


def test_a_purpose_without_a_scorecard_for_everybody_is_refused() -> None:
    mistake = the_mistake_of(SCORECARD.replace('"standard"', '"big"\nsegments = ["large"]'))
    assert "unknown segment" in mistake.message


@pytest.mark.parametrize(
    ("figure", "value", "text"),
    [
        ("csat_90d_pct", 41.25, "41.2 %"),
        ("oldest_open_ticket_days", 6.2, "6.2 days"),
        ("oldest_open_ticket_days", 1.0, "1 day"),
        ("open_tickets", 3, "3"),
        ("mrr_cents", 123_456, "1,234.56"),
        ("goals_correct_ratio_30d", 0.5, "50 %"),
        ("open_tickets", None, "unknown"),
    ],
)
def test_a_figure_is_shown_as_a_person_reads_it(figure: str, value: float | None, text: str) -> None:
    assert shown(figure, value) == text


def test_a_number_that_is_left_out_has_the_value_of_the_default_file() -> None:
    default = default_definitions()
    bare = ""
    for name, rule in default.rules.items():
        bare += f'[[rules]]\nname = "{name}"\nkind = "{rule.kind}"\naction = "call"\n'
        bare += f'quadrant = "{rule.quadrant}"\n' if rule.quadrant else ""
    definitions = parse(SCORECARD + bare)
    assert definitions.snapshot_interval_ms == default.snapshot_interval_ms
    assert definitions.max_features == default.max_features
    assert definitions.loyalty == default.loyalty
    assert definitions.scorecards["risk"][0].bands == default.scorecards["risk"][0].bands
    for name, rule in default.rules.items():
        assert (definitions.rules[name].limits, definitions.rules[name].settings) == (rule.limits, rule.settings)
        assert definitions.rules[name].dwell_ms == rule.dwell_ms
