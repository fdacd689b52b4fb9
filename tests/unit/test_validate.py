from pathlib import Path

import pytest

from processors.definitions import Definitions, parse
from schemas.events import SurveyEvent, Tick, TicketEvent, UsageEvent
from schemas.jsonlines import format_line
from streams.placing import REPLAY_HEADER
from streams.validate import Finding, validate

HOUR_MS = 3_600_000
AT_MS = 1_767_225_600_000


@pytest.fixture(scope="module")
def definitions() -> Definitions:
    return parse((Path(__file__).parents[2] / "processors" / "default.toml").read_text(encoding="utf-8"))


def ticket(event_id: str = "a", touchpoint: str | None = None) -> TicketEvent:
    return TicketEvent(event_id=event_id, customer_id="c", occurred_at=AT_MS, kind="opened", ticket_id="t", touchpoint=touchpoint)


def written(event: TicketEvent, timestamp_ms: int = AT_MS, **members: object) -> str:
    return format_line("cs.tickets", event, timestamp_ms=timestamp_ms, **members)  # type: ignore[arg-type]  # one helper for all


def findings(tmp_path: Path, definitions: Definitions, *texts: str) -> list[Finding]:
    path = tmp_path / "events.jsonl"
    path.write_text("\n".join(texts), encoding="utf-8")
    return list(validate(path, definitions))


def test_a_good_line_is_accepted_without_a_word(tmp_path: Path, definitions: Definitions) -> None:
    assert findings(tmp_path, definitions, written(ticket(touchpoint="support"))) == [Finding(line_number=1, verdict="accepted")]


@pytest.mark.parametrize(
    ("text", "reason", "words"),
    [
        ("{", "undecodable", "not valid JSON"),
        ('{"topic": "cs.tickets", "value": {"event_id": "a"}}', "missing_field", "customer_id"),
        (written(ticket(), AT_MS + 48 * HOUR_MS + 1), "late", "48.0 h before its record timestamp"),
        (written(ticket(), AT_MS - 600_001), "future", "the allowed skew is 10 min"),
        (written(ticket(), key=b"other"), "key_mismatch", "the key must be the event's customer_id"),
        ('{"topic": "cs.nothing", "value": {}}', "unknown_topic", "cs.nothing"),
    ],
)
def test_what_would_become_a_dead_letter_is_refused_with_its_reason(
    tmp_path: Path, definitions: Definitions, text: str, reason: str, words: str
) -> None:
    _, finding = findings(tmp_path, definitions, written(ticket("first")), text)
    assert (finding.line_number, finding.verdict, finding.reason) == (2, "refused", reason)
    assert words in finding.message


@pytest.mark.parametrize("timestamp_ms", [AT_MS + 48 * HOUR_MS, AT_MS - 600_000])
def test_the_grace_and_the_skew_themselves_are_in(tmp_path: Path, definitions: Definitions, timestamp_ms: int) -> None:
    assert [one.verdict for one in findings(tmp_path, definitions, written(ticket(), timestamp_ms))] == ["accepted"]


def test_a_replayed_dead_letter_may_be_late(tmp_path: Path, definitions: Definitions) -> None:
    text = written(ticket(), AT_MS + 100 * HOUR_MS, headers=[(REPLAY_HEADER, b"id")])
    assert [one.verdict for one in findings(tmp_path, definitions, text)] == ["accepted"]


def test_a_repeated_id_is_dropped_and_names_the_first_line(tmp_path: Path, definitions: Definitions) -> None:
    first, second, third = findings(tmp_path, definitions, written(ticket()), written(ticket("b")), written(ticket(), AT_MS + 5))
    assert [first.verdict, second.verdict, third.verdict] == ["accepted", "accepted", "dropped"]
    assert "stands on line 1 already" in third.message


def test_an_id_of_a_refused_line_is_not_remembered(tmp_path: Path, definitions: Definitions) -> None:
    late, good = findings(tmp_path, definitions, written(ticket(), AT_MS + 72 * HOUR_MS), written(ticket()))
    assert (late.verdict, good.verdict) == ("refused", "accepted")


def test_the_same_id_of_another_customer_or_family_is_another_event(tmp_path: Path, definitions: Definitions) -> None:
    usage = UsageEvent(event_id="a", customer_id="c", occurred_at=AT_MS, kind="session")
    other = TicketEvent(event_id="a", customer_id="d", occurred_at=AT_MS, kind="opened", ticket_id="t")
    found = findings(tmp_path, definitions, written(ticket()), format_line("cs.usage", usage), written(other))
    assert [one.verdict for one in found] == ["accepted"] * 3


def test_unknown_names_and_fields_are_noted(tmp_path: Path, definitions: Definitions) -> None:
    goal = UsageEvent(event_id="g", customer_id="c", occurred_at=AT_MS, kind="goal_completed", goal="fly", touchpoint="moon")
    field = written(ticket()).replace('"ticket_id"', '"colour":"red","ticket_id"')
    noted, ignored = findings(tmp_path, definitions, format_line("cs.usage", goal), field)
    assert noted.verdict == ignored.verdict == "accepted"
    assert noted.notes == (
        "touchpoint 'moon' is not in the definitions: counted under 'other'",
        "goal 'fly' is not in the definitions: counted under 'other'",
    )
    assert ignored.notes == ("field 'value.colour' is not in the contract and is ignored",)


def test_features_beyond_the_bound_of_a_customer_are_noted(tmp_path: Path, definitions: Definitions) -> None:
    most = definitions.max_features
    texts = [
        format_line(
            "cs.usage",
            UsageEvent(event_id=f"f{n}", customer_id="c", occurred_at=AT_MS, kind="feature_used", feature=f"feature-{n}"),
        )
        for n in [*range(most + 1), 0]
    ]
    found = findings(tmp_path, definitions, *(text.replace('"f0"', f'"f{place}"') for place, text in enumerate(texts)))
    assert [bool(one.notes) for one in found] == [False] * most + [True, False]


@pytest.mark.parametrize(("characters", "verdict"), [(16_000, "accepted"), (16_384, "refused")])
def test_a_record_over_64_kilobytes_is_refused(tmp_path: Path, definitions: Definitions, characters: int, verdict: str) -> None:
    survey = SurveyEvent(
        event_id="a",
        customer_id="c",
        occurred_at=AT_MS,
        kind="answered",
        survey="csat",
        score=1,
        scale="good_bad",
        comment="😀" * characters,  # four bytes each
    )
    (finding,) = findings(tmp_path, definitions, format_line("cs.surveys", survey))
    assert finding.verdict == verdict
    assert finding.reason == (None if verdict == "accepted" else "too_large")


def test_ticks_are_taken_and_outputs_are_not(tmp_path: Path, definitions: Definitions) -> None:
    tick = format_line("cs.ticks", Tick(occurred_at=AT_MS, partition=0, config_version=1))
    assert [one.verdict for one in findings(tmp_path, definitions, tick)] == ["accepted"]
