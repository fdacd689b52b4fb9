"""The second opinion is one: it shares no code with the product, and the checker that uses it notices what is wrong."""

import ast
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from tests.support import histories, log_checker, oracle
from tests.support.driven import Driven
from tests.support.log_checker import check
from tests.support.oracle.acceptance import REMEMBERED, judged
from tests.support.oracle.figures import figures
from tests.support.oracle.rules import new_detractor

PRODUCT = {"schemas", "processors", "streams", "sinks"}
NOON = 20_500 * 86_400_000 + 43_200_000
HOUR = 3_600_000
Output = dict[str, Any]

INDEPENDENT = [Path(log_checker.__file__), *Path(str(oracle.__file__)).parent.glob("*.py")]


@pytest.mark.parametrize("path", INDEPENDENT, ids=lambda path: path.name)
def test_the_second_opinion_shares_no_code_with_the_product(path: Path) -> None:
    tree = ast.parse(path.read_text())
    names = [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    names += [str(node.module) for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    assert not {name.partition(".")[0] for name in names} & PRODUCT
    allowed = ("tests.support.oracle",)
    assert not [name for name in names if name.startswith("tests") and not name.startswith(allowed)]


def use(number: int, at_ms: int, **said: Any) -> histories.Record:
    value = {"event_id": f"u{number}", "customer_id": "ann", "occurred_at": at_ms, "kind": "feature_used", "feature": "search"}
    said = {"goal": None, "touchpoint": None, "quantity": None, "user_id": None, **said}
    return {"topic": "cs.usage", "partition": 0, "timestamp_ms": at_ms, "value": {**value, **said}}


def ticket(number: int, at_ms: int) -> histories.Record:
    value = {"event_id": f"t{number}", "customer_id": "ann", "occurred_at": at_ms, "kind": "opened", "ticket_id": f"T{number}"}
    said = {"priority": "urgent", "touchpoint": "support"}
    return {"topic": "cs.tickets", "partition": 0, "timestamp_ms": at_ms, "value": {**value, **said}}


def verdicts(*records: histories.Record) -> list[str]:
    return [judgement.verdict for judgement in judged(records)]


def test_exactly_at_the_grace_and_the_skew_a_record_still_counts() -> None:
    at = {"timestamp_ms": NOON}
    assert verdicts(use(1, NOON - 48 * HOUR) | at, use(2, NOON - 48 * HOUR - 1) | at) == ["accepted", "late"]
    assert verdicts(use(3, NOON + 600_000) | at, use(4, NOON + 600_001) | at) == ["accepted", "future"]


def test_an_id_beyond_the_number_remembered_cannot_be_told_from_a_duplicate() -> None:
    many = [use(number, NOON + number) for number in range(REMEMBERED + 1)]
    repeated = {"timestamp_ms": NOON + 1000}
    assert verdicts(*many, many[1] | repeated, many[0] | repeated)[-2:] == ["duplicate", "unverifiable"]


def test_the_windows_hold_whole_hours_and_days() -> None:
    events = [use(1, NOON - 167 * HOUR)["value"], use(2, NOON - 167 * HOUR - 1, feature="share")["value"]]
    found = figures(events, NOON, oracle_names())
    assert found["features_used_7d", "", 7].value == 1
    assert found["features_used_30d", "", 30].value == 2


def test_of_two_answers_at_once_either_may_be_the_latest() -> None:
    said = {"survey": "nps", "kind": "answered", "scale": "0_10", "respondent_id": "r", "occurred_at": NOON}
    worse, better = {**said, "score": 2}, {**said, "score": 9}
    assert new_detractor([worse, better], NOON) == (False, True)
    assert new_detractor([worse, worse], NOON) == (True, True)
    assert new_detractor([worse, better | {"occurred_at": NOON + 1}], NOON) == (False, False)
    assert new_detractor([worse], NOON + 30 * 24 * HOUR - 1) == (True, True)
    assert new_detractor([worse], NOON + 30 * 24 * HOUR) == (False, False)


def oracle_names() -> Any:
    from tests.support.oracle.events import Names

    return Names(frozenset({"support"}), frozenset())


@pytest.fixture(scope="module")
def honest() -> tuple[list[histories.Record], list[Output], str]:
    """A log with one of everything, and what the product makes of it."""
    from streams.catalogue import default_text

    used = [use(number, NOON + number * HOUR) for number in range(4)]
    opened = [ticket(number, NOON + 5 * HOUR + number) for number in range(3)]
    late = use(9, NOON) | {"timestamp_ms": NOON + 49 * HOUR}
    ticks = [histories.tick(NOON + 6 * HOUR), histories.tick(NOON + 20 * 24 * HOUR)]
    log = histories.numbered([*used, *opened, ticks[0], late, ticks[1]])
    driven = Driven()
    for record in log:
        driven.feed(record)
    driven.take()
    return log, driven.plain_outputs(), default_text()


def test_the_checker_finds_nothing_wrong_in_what_is_right(honest: tuple[list[histories.Record], list[Output], str]) -> None:
    assert check(*honest) == []


def of(topic: str, outputs: list[Output]) -> list[Output]:
    return [output for output in outputs if output["topic"] == topic]


def lose(topic: str) -> Callable[[list[Output]], None]:
    return lambda outputs: outputs.remove(of(topic, outputs)[0])


def repeat(topic: str) -> Callable[[list[Output]], None]:
    return lambda outputs: outputs.append(of(topic, outputs)[0] | {"offset": 10**6})


def change(topic: str, **said: Any) -> Callable[[list[Output]], None]:
    return lambda outputs: of(topic, outputs)[-1]["value"].update(said)


def change_a_figure(outputs: list[Output]) -> None:
    of("cs.customer-snapshots", outputs)[-1]["value"]["figures"][0]["n"] += 1


def change_an_explanation(outputs: list[Output]) -> None:
    of("cs.health-changes", outputs)[-1]["value"]["measures"][-1]["delta"] += 1e-6


def change_a_score(outputs: list[Output]) -> None:
    of("cs.customer-snapshots", outputs)[-1]["value"]["health"][0]["score"] += 1e-6


def change_a_band(outputs: list[Output]) -> None:
    last = of("cs.health-changes", outputs)[-1]["value"]
    last["old_band"] = "green" if last["old_band"] != "green" else "red"


def change_a_partial(outputs: list[Output]) -> None:
    opened = [output for output in of("cs.fleet-partials", outputs) if output["key"].startswith("tickets_by_day|support")]
    opened[-1]["value"]["counts"][0] += 1


CUSTOMER_TOPICS = ["cs.health-changes", "cs.churn-alerts", "cs.customer-snapshots"]
DAMAGE = {
    **{f"lost from {topic}": lose(topic) for topic in (*CUSTOMER_TOPICS, "cs.dead-letters", "cs.fleet-partials")},
    **{f"twice in {topic}": repeat(topic) for topic in (*CUSTOMER_TOPICS, "cs.dead-letters", "cs.fleet-partials")},
    "a broken chain": change("cs.health-changes", old_score=1.5),
    "another band": change_a_band,
    "an episode without an opening": change("cs.churn-alerts", state="updated"),
    "an account field": change("cs.customer-snapshots", plan="pro"),
    "another stage": change("cs.customer-snapshots", stage="lead"),
    "another quadrant": change("cs.customer-snapshots", quadrant="advocate"),
    "another station": change("cs.customer-snapshots", touchpoints=[]),
    "an incomplete snapshot": change("cs.customer-snapshots", events_accepted=1),
    "another reason": change("cs.dead-letters", reason="future"),
    "a figure": change_a_figure,
    "an explanation": change_an_explanation,
    "a score": change_a_score,
    "a partial": change_a_partial,
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_the_checker_notices(
    damage: Callable[[list[Output]], None], honest: tuple[list[histories.Record], list[Output], str]
) -> None:
    log, outputs, definitions_text = honest
    damaged = deepcopy(outputs)
    damage(damaged)
    assert damaged != outputs
    assert check(log, damaged, definitions_text)
