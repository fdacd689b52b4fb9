import pytest

from processors.definitions import DefinitionsError, parse
from processors.maturity_file import DEFAULTS
from processors.windows import DAY_MS
from tests.support.summed import default_definitions, default_text

PLAN = """
[[plans]]
criterion = "feedback"
figure = "response_rate_90d_pct"
baseline = 10
target = 25
starts_at = 2026-01-01
due_at = 2026-01-31
owner = "Lan"
steps = ["ask sooner"]
"""


def without_maturity() -> str:
    text = default_text()
    start = text.index("[maturity.satisfaction]")
    return text[:start] + text[text.index("# Plans to raise a criterion") :]


def test_the_default_file_documents_what_holds_without_it() -> None:
    assert default_definitions().maturity.criteria == parse(without_maturity()).maturity.criteria == DEFAULTS
    assert default_definitions().maturity.plans == ()


def test_a_plan_lasts_from_the_first_millisecond_of_its_first_day_to_the_last_of_its_last() -> None:
    plan = parse(default_text() + PLAN).maturity.plans[0]
    assert plan.due_at - plan.starts_at == 31 * DAY_MS
    assert (plan.figure, plan.steps) == ("response_rate_90d_pct", ("ask sooner",))
    without_figure = PLAN.replace('figure = "response_rate_90d_pct"\n', "")
    assert parse(default_text() + without_figure).maturity.plans[0].figure == "response_rate_90d_pct"


def test_a_criterion_may_read_another_figure() -> None:
    own = '[maturity.nps]\nparts = [{ figure = "nps_1_10_180d", thresholds = [-10, 0, 10, 20] }]\nweight = 2\n'
    criterion = parse(without_maturity() + own).maturity.criteria[-1]
    assert (criterion.parts[0].figure, criterion.parts[0].thresholds, criterion.weight) == ("nps_1_10_180d", (-10, 0, 10, 20), 2)
    assert criterion.next_steps == DEFAULTS[-1].next_steps


@pytest.mark.parametrize(
    ("section", "mistake"),
    [
        ("[maturity.nps]\nparts = [{ figure = 'a', thresholds = [1, 2, 3] }]", "maturity.nps.parts[1].thresholds: [1, 2, 3] is"),
        (
            "[maturity.nps]\nparts = [{ figure = 'a', thresholds = [1, 3, 2, 4] }]",
            "maturity.nps.parts[1].thresholds: [1, 3, 2, 4]",
        ),
        ("[maturity.nps]\nparts = [{ figure = 'a' }]", "maturity.nps.parts[1].thresholds: is missing"),
        ("[maturity.nps]\nparts = []", "maturity.nps.parts: there are 0 of them"),
        ("[maturity.nps]\nside = 'both'", "maturity.nps.side: "),
        ("[maturity.nps]\nnext_steps = ['one']", "maturity.nps.next_steps: there are 1 of them"),
        ("[maturity.nps]\nleast_n = 0", "maturity.nps.least_n: "),
        ("[maturity.mood]\nweight = 1", "maturity.mood: is not known here"),
        (PLAN.replace('"feedback"', '"mood"'), 'plans[1].criterion: "mood" is not known here'),
        (
            PLAN.replace("response_rate_90d_pct", "csat_90d_pct"),
            'plans[1].figure: the criterion feedback does not read "csat_90d_pct"',
        ),
        (PLAN.replace("target = 25", "target = 10"), "plans[1].target: 10 is the baseline itself"),
        (PLAN.replace("2026-01-31", "2025-12-01"), "plans[1].due_at: lies before starts_at"),
        (PLAN.replace("2026-01-31", '"soon"'), "plans[1].due_at: 'soon' is not a date"),
        (PLAN.replace("due_at = 2026-01-31\n", ""), "plans[1].due_at: is missing"),
        (PLAN.replace("2026-01-31", "2026-01-31T10:00:00Z"), "plans[1].due_at: "),
        (PLAN.replace('owner = "Lan"\n', ""), "plans[1].owner: is missing"),
        (PLAN * 33, "plans: there are 33 of them"),
    ],
)
def test_every_mistake_is_told_with_its_place(section: str, mistake: str) -> None:
    with pytest.raises(DefinitionsError) as told:
        parse(without_maturity() + section)
    assert [one for one in map(str, told.value.mistakes) if one.startswith(mistake)], list(map(str, told.value.mistakes))
