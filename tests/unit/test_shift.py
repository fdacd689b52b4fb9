import msgspec

from schemas.contracts import INPUTS, contract
from schemas.events import AccountEvent, FleetFigure, Tick, TicketEvent
from schemas.jsonlines import Line
from streams.shift import TIME_FIELDS, shift, shift_to_now
from streams.sources.bad_line import BadLine
from streams.sources.lines import line_of

NOW_MS = 1_767_225_600_000
DAY_MS = 86_400_000
BAD = BadLine(line_number=3, message="not JSON")
OLD = line_of(TicketEvent(event_id="a", customer_id="c", occurred_at=1_000, kind="opened", ticket_id="t"), 3_000)
NEW = line_of(AccountEvent(event_id="b", customer_id="c", occurred_at=5_000, kind="renewed", renewal_at=9_000 + DAY_MS), 9_000)


def test_the_newest_record_ends_now_and_every_distance_stays() -> None:
    shifted = list(shift_to_now(lambda: [OLD, BAD, NEW], NOW_MS))
    assert shifted[1] == BAD
    first, last = shifted[0], shifted[2]
    assert isinstance(first, Line)
    assert isinstance(last, Line)
    assert isinstance(first.value, TicketEvent)
    assert isinstance(last.value, AccountEvent)
    assert (first.timestamp_ms, first.value.occurred_at) == (NOW_MS - 6_000, NOW_MS - 8_000)
    assert (last.timestamp_ms, last.value.occurred_at, last.value.renewal_at) == (NOW_MS, NOW_MS - 4_000, NOW_MS + DAY_MS)
    assert last.value.expires_at is None


def test_a_tick_and_its_figures_move_together() -> None:
    tick = Tick(occurred_at=10, partition=0, config_version=1, fleet=[FleetFigure(name="x", value=1.0, as_of=7)])
    (moved,) = shift([Line(topic="cs.ticks", timestamp_ms=10, value=tick)], 100)
    assert isinstance(moved, Line)
    assert isinstance(moved.value, Tick)
    assert (moved.timestamp_ms, moved.value.occurred_at, moved.value.fleet[0].as_of) == (110, 110, 107)


def test_nothing_to_shift_is_nothing() -> None:
    assert list(shift_to_now(list, NOW_MS)) == []
    assert list(shift_to_now(lambda: [BAD], NOW_MS)) == [BAD]


def _is_time(schema: object) -> bool:
    branches = schema if isinstance(schema, list) else [schema]
    return any(isinstance(branch, dict) and branch.get("logicalType") == "timestamp-millis" for branch in branches)


def test_every_time_of_the_contracts_is_moved() -> None:
    for topic, record in INPUTS.items():
        fields = contract(topic).newest.published["fields"]
        assert {field["name"] for field in fields if _is_time(field["type"])} == set(TIME_FIELDS[record])
        assert set(TIME_FIELDS[record]) <= {field.name for field in msgspec.structs.fields(record)}
