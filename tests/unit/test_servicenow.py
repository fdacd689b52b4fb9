from collections import Counter, defaultdict
from collections.abc import Callable
from datetime import UTC, date, datetime
from itertools import pairwise
from pathlib import Path

import pytest

from schemas.events import TicketEvent
from streams.sources.bad_line import BadLine, SourceUnreadableError
from streams.sources.servicenow import read_servicenow
from tests.support.servicenow_file import real_servicenow_log
from tests.support.servicenow_oracle import AGEING_DAYS, end_of, read_log

DAY_MS = 86_400_000
HEADER = "number,incident_state,caller_id,opened_at,sys_updated_by,sys_updated_at,contact_type,priority,assigned_to"
Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write_log(*rows: str, header: str = HEADER, encoding: str = "utf-8") -> Path:
        path = tmp_path / "log.csv"
        path.write_bytes("\n".join([header, *rows, ""]).encode(encoding))
        return path

    return write_log


def row(
    state: str,
    at: str,
    *,
    number: str = "INC1",
    caller: str = "Caller 7",
    opened: str = "01-03-2016 08:00",
    priority: str = "3 - Moderate",
    agent: str = "Agent 5",
) -> str:
    return f"{number},{state},{caller},{opened},Updated by 2,{at},Phone,{priority},{agent}"


def read(path: Path) -> tuple[list[TicketEvent], list[BadLine]]:
    everything = list(read_servicenow(path))
    return [one for one in everything if isinstance(one, TicketEvent)], [one for one in everything if isinstance(one, BadLine)]


def kinds(path: Path) -> list[str]:
    events, bad_lines = read(path)
    assert bad_lines == []
    return [event.kind for event in events]


def at_ms(text: str) -> int:
    return int(datetime.strptime(text, "%d-%m-%Y %H:%M").replace(tzinfo=UTC).timestamp()) * 1000


def test_an_incident_is_opened_replied_solved_and_closed(write: Write) -> None:
    events, bad_lines = read(
        write(
            row("New", "01-03-2016 08:05"),
            row("Active", "01-03-2016 09:00"),
            row("Awaiting User Info", "01-03-2016 10:00"),
            row("Resolved", "02-03-2016 09:00"),
            row("Resolved", "02-03-2016 09:30"),
            row("Closed", "07-03-2016 12:00"),
        )
    )
    assert bad_lines == []
    assert [(event.kind, event.occurred_at) for event in events] == [
        ("opened", at_ms("01-03-2016 08:00")),
        ("replied", at_ms("01-03-2016 09:00")),
        ("solved", at_ms("02-03-2016 09:00")),
        ("closed", at_ms("07-03-2016 12:00")),
    ]
    assert events[0] == TicketEvent(
        event_id="servicenow-INC1-1-opened",
        customer_id="Caller 7",
        occurred_at=at_ms("01-03-2016 08:00"),
        kind="opened",
        ticket_id="INC1",
        priority="normal",
        touchpoint="support",
        channel="Phone",
        agent_id="Agent 5",
        requester_id="Caller 7",
    )


@pytest.mark.parametrize(
    ("text", "priority"), [("1 - Critical", "urgent"), ("2 - High", "high"), ("3 - Moderate", "normal"), ("4 - Low", "low")]
)
def test_priorities_1_to_4_are_urgent_high_normal_and_low(write: Write, text: str, priority: str) -> None:
    events, _ = read(write(row("New", "01-03-2016 08:05", priority=text)))
    assert [event.priority for event in events] == [priority]


@pytest.mark.parametrize("back", ["Active", "Awaiting User Info", "Awaiting Vendor", "New"])
@pytest.mark.parametrize("over", ["Resolved", "Closed"])
def test_going_back_from_resolved_or_closed_is_a_reopening(write: Write, over: str, back: str) -> None:
    log = write(
        row("Active", "01-03-2016 08:05"),
        row(over, "01-03-2016 09:00"),
        row(back, "01-03-2016 10:00"),
        row("Resolved", "01-03-2016 11:00"),
    )
    assert kinds(log) == ["opened", "replied", "solved" if over == "Resolved" else "closed", "reopened", "solved"]


def test_resolved_after_closed_solves_nothing_a_second_time(write: Write) -> None:
    log = write(row("Closed", "01-03-2016 09:00"), row("Resolved", "01-03-2016 10:00"), row("Closed", "01-03-2016 11:00"))
    assert kinds(log)[:2] == ["opened", "closed"]
    assert "solved" not in kinds(log)


def test_rows_out_of_order_are_sorted_and_rows_of_one_minute_keep_their_order(write: Write) -> None:
    log = write(
        row("Closed", "05-03-2016 12:00"),
        row("Active", "01-03-2016 09:00"),
        row("Resolved", "01-03-2016 09:00"),
        row("New", "01-03-2016 08:05"),
    )
    assert kinds(log) == ["opened", "replied", "solved", "closed"]


def test_incidents_are_merged_by_time(write: Write) -> None:
    events, _ = read(
        write(
            row("New", "01-03-2016 08:05", number="INC1"),
            row("Closed", "03-03-2016 08:05", number="INC1"),
            row("Closed", "02-03-2016 08:05", number="INC2", opened="01-03-2016 07:00"),
        )
    )
    assert [(event.ticket_id, event.kind) for event in events] == [
        ("INC2", "opened"),
        ("INC1", "opened"),
        ("INC2", "closed"),
        ("INC1", "closed"),
    ]


def test_an_incident_that_begins_active_is_replied_at_its_first_row(write: Write) -> None:
    events, _ = read(write(row("Active", "01-03-2016 09:00")))
    assert [(event.kind, event.occurred_at) for event in events] == [
        ("opened", at_ms("01-03-2016 08:00")),
        ("replied", at_ms("01-03-2016 09:00")),
    ]


def test_an_opening_after_the_first_reply_is_moved_to_it(write: Write) -> None:
    events, _ = read(write(row("Active", "01-03-2016 07:00"), row("Resolved", "01-03-2016 07:00")))
    assert [(event.kind, event.occurred_at) for event in events] == [
        (kind, at_ms("01-03-2016 07:00")) for kind in ("opened", "replied", "solved")
    ]


def test_an_opening_after_a_row_that_says_nothing_is_taken_as_the_log_has_it(write: Write) -> None:
    events, _ = read(write(row("New", "01-03-2016 07:00"), row("Resolved", "01-03-2016 09:00")))
    assert events[0].occurred_at == at_ms("01-03-2016 08:00")


def test_a_missing_opening_is_the_next_rows_or_else_the_first_rows_time(write: Write) -> None:
    given, _ = read(write(row("New", "01-03-2016 08:30", opened="?"), row("Resolved", "01-03-2016 09:00")))
    absent, _ = read(write(row("New", "01-03-2016 08:30", opened="?"), row("Resolved", "01-03-2016 09:00", opened="?")))
    assert given[0].occurred_at == at_ms("01-03-2016 08:00")
    assert absent[0].occurred_at == at_ms("01-03-2016 08:30")


def test_a_ticket_stays_with_its_first_known_caller(write: Write) -> None:
    events, bad_lines = read(
        write(
            row("New", "01-03-2016 08:05", caller="?"),
            row("Active", "01-03-2016 09:00", caller="Caller 1"),
            row("Resolved", "01-03-2016 10:00", caller="Caller 2"),
        )
    )
    assert bad_lines == []
    assert [event.customer_id for event in events] == ["Caller 1"] * 3
    assert [event.requester_id for event in events] == ["Caller 1", "Caller 1", "Caller 2"]


def test_an_incident_without_any_caller_is_reported_row_by_row(write: Write) -> None:
    events, bad_lines = read(
        write(
            row("New", "01-03-2016 08:05", caller="?"),
            row("New", "01-03-2016 08:05", number="INC2"),
            row("Closed", "01-03-2016 09:00", caller=""),
        )
    )
    assert [event.ticket_id for event in events] == ["INC2"]
    assert [bad.line_number for bad in bad_lines] == [2, 4]
    assert "caller_id is missing" in bad_lines[0].message


@pytest.mark.parametrize(
    ("bad_row", "words"),
    [
        (row("Active", "31-02-2016 09:00"), "sys_updated_at is '31-02-2016 09:00'"),
        (row("Active", "01-03-1816 09:00"), "between 1970 and 2200"),
        (row("Active", "?"), "sys_updated_at is missing"),
        (row("Active", "01-03-2016 09:00", opened="yesterday"), "opened_at is 'yesterday'"),
        (row("Active", "01-03-2016 09:00", number="?"), "number is missing"),
        (row("-100", "01-03-2016 09:00"), "incident_state is '-100'"),
        (row("Active", "01-03-2016 09:00", priority="5 - Planning"), "priority is '5 - Planning'"),
        (row("Active", "01-03-2016 09:00", caller="x" * 300), "caller_id has 300 characters"),
        ("INC1,Active", "2 fields where the header has 9"),
        (row("Active", "01-03-2016 09:00") + ",one more", "10 fields where the header has 9"),
    ],
)
def test_a_bad_row_is_reported_with_its_number_and_the_rest_goes_on(write: Write, bad_row: str, words: str) -> None:
    events, bad_lines = read(write(row("New", "01-03-2016 08:05"), "", bad_row, row("Resolved", "01-03-2016 10:00")))
    assert [event.kind for event in events] == ["opened", "solved"]
    assert [bad.line_number for bad in bad_lines] == [4]
    assert words in bad_lines[0].message


def test_a_field_beyond_the_csv_limit_is_a_bad_line_too(write: Write) -> None:
    events, bad_lines = read(write(row("New", "01-03-2016 08:05", agent="y" * 200_000), row("Resolved", "01-03-2016 10:00")))
    assert [bad.line_number for bad in bad_lines] == [2]
    assert [event.kind for event in events] == ["opened", "solved"]


def test_line_numbers_count_the_lines_inside_quotes(write: Write) -> None:
    _, bad_lines = read(write(row("New", "01-03-2016 08:05", agent='"two\nlines"'), row("?", "01-03-2016 10:00")))
    assert [bad.line_number for bad in bad_lines] == [4]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_usual_encodings_and_delimiters_are_recognised(write: Write, encoding: str, delimiter: str) -> None:
    rows = [text.replace(",", delimiter) for text in (HEADER, row("New", "01-03-2016 08:05", caller="Zoë Müller"))]
    events, bad_lines = read(write(*rows[1:], header=rows[0], encoding=encoding))
    assert bad_lines == []
    assert [event.customer_id for event in events] == ["Zoë Müller"]


@pytest.mark.parametrize(
    "text", ["01-03-2016 09:00", "01/03/2016 09:00", "1/3/2016 09:00", "2016-03-01 09:00:00", "2016-03-01 09:00"]
)
def test_day_first_and_iso_dates_are_read(write: Write, text: str) -> None:
    events, _ = read(write(row("Resolved", text)))
    assert events[-1].occurred_at == at_ms("01-03-2016 09:00")


def test_missing_columns_are_all_named(write: Write) -> None:
    with pytest.raises(SourceUnreadableError, match=r"log\.csv, line 1: no column incident_state, caller_id, priority\."):
        list(read_servicenow(write(header="number,opened_at,sys_updated_at")))


def test_optional_columns_may_be_absent(write: Write) -> None:
    log = write(
        "INC1,New,Caller 7,?,01-03-2016 08:05,4 - Low", header="number,incident_state,caller_id,opened_at,sys_updated_at,priority"
    )
    events, _ = read(log)
    assert [(event.agent_id, event.channel) for event in events] == [(None, None)]


def test_an_empty_file_and_an_absent_one_say_what_is_wrong(write: Write, tmp_path: Path) -> None:
    with pytest.raises(SourceUnreadableError, match="no column number"):
        list(read_servicenow(write(header="")))
    with pytest.raises(SourceUnreadableError, match="No such file"):
        list(read_servicenow(tmp_path / "none.csv"))


def _balance(events: list[TicketEvent], before_ms: int) -> dict[str, int]:
    """Open tickets at a moment, with the time of their first opening."""
    opened: dict[str, int] = {}
    is_open: dict[str, bool] = {}
    for event in events:
        if event.occurred_at < before_ms:
            opened.setdefault(event.ticket_id, event.occurred_at)
            is_open[event.ticket_id] = event.kind in {"opened", "reopened"} or (
                event.kind == "replied" and is_open[event.ticket_id]
            )
    return {ticket: opened[ticket] for ticket, still in is_open.items() if still}


def test_the_real_log_has_the_figures_of_the_independent_computation() -> None:
    servicenow_log = real_servicenow_log()
    events, bad_lines = read(servicenow_log)
    oracle = read_log(servicenow_log)
    assert bad_lines == []
    assert [event.occurred_at for event in events] == sorted(event.occurred_at for event in events)
    assert len({event.event_id for event in events}) == len(events)
    assert len({event.customer_id for event in events}) == 639
    per_day: dict[str, Counter[date]] = defaultdict(Counter)
    for event in events:
        per_day[event.kind][datetime.fromtimestamp(event.occurred_at / 1000, UTC).date()] += 1
    for kind in ("opened", "solved", "reopened", "closed"):
        assert dict(per_day[kind]) == oracle.count_by_day(kind)
    assert (oracle.count("opened"), oracle.count("closed")) == (890, 890)
    ageing = oracle.ageing_by_day_end()
    for day, backlog in oracle.backlog_by_day_end().items():
        end_ms = int(end_of(day).timestamp()) * 1000
        open_tickets = _balance(events, end_ms)
        assert len(open_tickets) == backlog, day
        ages = [(end_ms - opened) / DAY_MS for opened in open_tickets.values()]
        borders = [0, *AGEING_DAYS, 10_000]
        counted = [sum(low <= age < high for age in ages) for low, high in pairwise(borders)]
        assert counted == ageing[day], day
