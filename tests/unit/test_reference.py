"""The documents about definitions and figures say what the code does."""

import re
from functools import cache

import pytest

from benchmarks import reference
from benchmarks.asked_keys import keys_asked_for, keys_of
from benchmarks.reference import names_in, rows, wordless, written
from processors.definitions import DefinitionsError, parse
from processors.figures import Sheet, all_figures
from processors.fleet_figures import MAKERS
from processors.fleet_publication import COVERAGE
from processors.vocabulary import TERMS
from processors.windows import DAY_MS
from schemas.contracts import OUTPUTS
from schemas.events import SurveyEvent
from tests.support.everything_counted import EverythingCounted
from tests.support.happenings import NOON, account, answer, ticket, usage
from tests.support.judging import Judged

DEFINITIONS = reference.DOCUMENT.read_text(encoding="utf-8")
FIGURES_TEXT = reference.DOCUMENT.with_name("figures.md").read_text(encoding="utf-8")
SENT = SurveyEvent(
    event_id="sent", customer_id="c", occurred_at=NOON, kind="sent", survey="csat", touchpoint="support", request_id="r-1"
)


@cache
def published() -> set[str]:
    return {value.figure for maker in MAKERS for value in maker(EverythingCounted())} | {COVERAGE}


def documented(section: str) -> list[str]:
    """The names in the first column of a section's tables of figures."""
    text = FIGURES_TEXT.partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    tables = [line for line in text.split("\n") if line.startswith("| `")]
    return [name for line in tables for name in names_in(line.strip("|").split("|")[0])]


def test_the_tables_of_the_definitions_are_what_the_code_says() -> None:
    assert written(DEFINITIONS) == DEFINITIONS, "python -m benchmarks.reference writes them anew"


def test_every_key_and_figure_of_the_definitions_has_its_words() -> None:
    assert wordless(DEFINITIONS) == []


def test_every_key_that_the_reader_asks_for_stands_in_a_table() -> None:
    asked = keys_asked_for()
    told = set()
    for line in DEFINITIONS.split("\n"):
        match = reference.MARKER.fullmatch(line)
        if match is not None and match[1] == "keys":
            names = [key.name.rpartition(": ")[2] for key in keys_of(asked, match[2])]
            told |= {f"{root}.{name}" for root in match[2].removesuffix(" of a kind").split(", ") for name in names}
    assert {f"{one.place}.{one.key}" for one in asked} - told == set()


def test_every_example_of_the_definitions_is_right_beside_a_scorecard_and_a_touchpoint() -> None:
    examples = re.findall(r"```toml\n(.*?)```", DEFINITIONS, re.DOTALL)
    scorecard = next(example for example in examples if "[[scorecards]]" in example)
    support = '[[touchpoints]]\nname = "support"\ndepartment = "Support"\n'
    assert len(examples) == 5
    for example in examples:
        parse("\n".join({example: None, scorecard: None, support: None}))


def test_a_file_without_scorecards_is_refused_and_one_with_nothing_else_is_right() -> None:
    (scorecard,) = re.findall(r"```toml\n(\[\[scorecards\]\].*?)```", DEFINITIONS, re.DOTALL)
    found = parse(scorecard)
    assert (found.rules, found.goals, found.touchpoints, found.fleet.rules) == ({}, {}, {}, {})
    with pytest.raises(DefinitionsError, match="scorecards: there is none"):
        parse("")


def test_a_new_key_gets_a_row_without_words() -> None:
    without = DEFINITIONS.replace("| `morning_hour` |", "| `evening_hour` |")
    assert wordless(written(without)) == ["| `morning_hour` | whole number, 0 to 23 | 6 |  |"]


def test_a_bound_that_is_told_wrong_is_put_right() -> None:
    assert written(DEFINITIONS.replace("whole number, 0 to 23", "whole number, 0 to 24")) == DEFINITIONS


def test_defaults_that_differ_by_kind_name_the_kinds() -> None:
    dwell = next(key for key in keys_of(keys_asked_for(), "rules") if key.name == "dwell_hours")
    assert dwell.default == "0; 72 (health_red, health_fell); 168 (goals_fell, renewal)"


def test_a_name_with_braces_stands_for_several() -> None:
    assert list(names_in("`a_{7,30}d{,_pct}`, `b`")) == ["a_7d", "a_7d_pct", "a_30d", "a_30d_pct", "b"]


def test_rows_are_told_by_their_first_cell() -> None:
    assert rows(["| key | x |", "|---|---|", "| `a` | 1 |"]) == {"`a`": ["`a`", "1"]}


def test_every_figure_of_the_fleet_is_documented_once_and_no_other() -> None:
    assert sorted(documented("Figures of the fleet")) == sorted(published())


def test_every_figure_that_only_a_snapshot_shows_is_documented_and_so_are_those_with_a_dimension() -> None:
    customer = Judged()
    customer.happens(
        account("lead", NOON - DAY_MS),
        account("trial_started", NOON, seats=5),
        ticket("opened", NOON, touchpoint="support"),
        answer("csat", "good_bad", 1, NOON, touchpoint="support"),
        SENT,
        usage("goal_completed", NOON, goal="report_created"),
    )
    sheet = Sheet(customer.state, NOON, customer.context.definitions)
    shown = {figure.name for figure in all_figures(sheet) if figure.name not in TERMS or figure.dimension}
    assert set(documented("Figures of a customer")) == shown


def test_every_topic_of_results_is_named() -> None:
    elsewhere = ("cs.definitions", "cs.dead-letters", "cs.deliveries", "cs.delivery-failures")
    assert [topic for topic in OUTPUTS if topic not in elsewhere and f"`{topic}`" not in FIGURES_TEXT] == []
