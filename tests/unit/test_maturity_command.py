import msgspec
import pytest

from streams.commands.maturity import show
from tests.support.maturities import assessment


def printed(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]


def test_the_criteria_come_in_their_order_with_what_is_missing(capsys: pytest.CaptureFixture[str]) -> None:
    show(assessment())
    lines = printed(capsys)
    assert lines[0] == "maturity as of 2026-02-16T12:00:00.000Z, from 100 % of the partitions, definitions version 3"
    assert "1. nps not measured - - - service nps_pct" in lines
    assert "2. satisfaction 3 of 5 80.5 85 4.5 40 service satisfaction_pct" in lines
    assert "3. churn 5 of 5 95 - - 40 service churn_pct" in lines
    assert lines.index("1. nps: mend nps") < lines.index("2. satisfaction: mend satisfaction")
    assert "not measured: no answers in the window" in lines


def test_the_plans_show_what_is_done_beside_the_time_that_is_gone(capsys: pytest.CaptureFixture[str]) -> None:
    show(assessment())
    lines = printed(capsys)
    assert "satisfaction 70 90 80.5 52 % 75 % 2026-03-08 Lan behind" in lines
    assert "satisfaction: call back" in lines


def test_the_history_shows_the_levels_by_month(capsys: pytest.CaptureFixture[str]) -> None:
    show(assessment())
    lines = printed(capsys)
    assert "level at the end of 2026-01 2026-02" in lines
    assert "nps - -" in lines
    assert "satisfaction 3" in lines


def test_without_plans_and_history_nothing_is_said_of_them(capsys: pytest.CaptureFixture[str]) -> None:
    show(msgspec.structs.replace(assessment(), plans=[], history=[]))
    lines = printed(capsys)
    assert not [line for line in lines if line.startswith(("plan", "level at"))]
