"""Records as one line for people, and numbers as people read them."""

import pytest

from schemas.events import TicketEvent
from schemas.records import ChurnAlert, HealthChange, MeasureChange
from streams.commands.readable import number, readable

AT_MS = 1_767_323_045_678


def change(old: float | None, new: float) -> HealthChange:
    measures = [
        MeasureChange(
            measure=name,
            figure=figure,
            old_figure=1.0,
            new_figure=5.0,
            old_value=50.0,
            new_value=20.0,
            old_weight=1.0,
            new_weight=1.0,
            old_contribution=0.0,
            new_contribution=delta,
            delta=delta,
        )
        for name, figure, delta in (("recency", "days_since_last_sign", -2.0), ("backlog", "open_tickets", -20.5))
    ]
    return HealthChange(
        record_id="r",
        customer_id="c-1",
        sequence=1,
        as_of=AT_MS,
        emitted_at=None,
        caused_by=["e-1"],
        caused_by_count=1,
        config_version=0,
        scorecard="standard",
        purpose="risk",
        cause="data",
        revision=0,
        old_score=old,
        new_score=new,
        old_displayed=old,
        new_displayed=new,
        old_band=None if old is None else "yellow",
        new_band="red",
        old_measures_present=2,
        new_measures_present=2,
        measures_total=7,
        measures=measures,
    )


def test_a_health_change_names_scores_band_and_the_measure_that_moved_most() -> None:
    assert readable(change(61.5, 39.0)) == (
        "c-1  health 61.5 -> 39  yellow -> red  (2 of 7 measures, by data), mostly backlog -20.5 (open_tickets 1 -> 5)"
    )


def test_the_first_score_comes_from_nothing() -> None:
    assert "health - -> 39  no band -> red" in readable(change(None, 39.0))


def test_an_alert_says_state_rule_severity_reason_and_what_to_do() -> None:
    alert = ChurnAlert(
        record_id="r",
        customer_id="c-1",
        sequence=1,
        as_of=AT_MS,
        emitted_at=None,
        caused_by=[],
        caused_by_count=0,
        config_version=0,
        episode_id="e",
        rule="backlog",
        rule_version=1,
        state="resolved",
        severity="high",
        opened_at=AT_MS,
        evidence=[],
        explanation="5 tickets are open",
        action="call them",
        cause="data",
        resolution="2 are open",
    )

    assert readable(alert) == "c-1  resolved backlog  high: 5 tickets are open [2 are open]  -> call them"


def test_an_event_shows_the_fields_that_are_set() -> None:
    event = TicketEvent(event_id="e-1", customer_id="c-1", occurred_at=AT_MS, kind="opened", ticket_id="t-1")

    assert readable(event) == "c-1  opened  event_id=e-1 occurred_at=2026-01-02T03:04:05.678Z ticket_id=t-1"


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [(None, 1, "-"), (39.0, 1, "39"), (40.1228, 1, "40.1"), (-0.04, 1, "0"), (100.0, 0, "100"), (0.006, 2, "0.01")],
)
def test_numbers_carry_no_idle_digits(value: float | None, digits: int, text: str) -> None:
    assert number(value, digits) == text
