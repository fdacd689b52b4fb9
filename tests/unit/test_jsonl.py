from pathlib import Path

import pytest

from schemas.events import TicketEvent
from schemas.jsonlines import Line, format_line
from streams.sources.bad_line import BadLine, SourceUnreadableError
from streams.sources.jsonl import LINE_BYTES_MAX, read_jsonl


def ticket(number: int, at_ms: int) -> str:
    event = TicketEvent(event_id=f"e{number}", customer_id="c", occurred_at=at_ms, kind="opened", ticket_id=f"t{number}")
    return format_line("cs.tickets", event, timestamp_ms=at_ms)


def ids(path: Path) -> list[str]:
    return [line.value.event_id for line in read_jsonl(path) if isinstance(line, Line) and isinstance(line.value, TicketEvent)]


def test_lines_are_sorted_by_time_and_ties_stay_as_they_stand(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_text("\n".join(ticket(number, at_ms) for number, at_ms in enumerate([30, 10, 20, 10, 30])))
    assert ids(path) == ["e1", "e3", "e2", "e0", "e4"]


def test_a_bad_line_is_reported_with_its_number_and_the_rest_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(
        b"\n".join(
            [
                ticket(1, 20).encode(),
                b"",
                b"{no json",
                b'{"topic": "cs.nothing", "value": {}}',
                b"\xff\xfe",
                ticket(2, 10).encode(),
            ]
        )
    )
    bad_lines = [line for line in read_jsonl(path) if isinstance(line, BadLine)]
    assert [bad.line_number for bad in bad_lines] == [3, 4, 5]
    assert bad_lines[0].message.startswith("undecodable: not valid JSON")
    assert "no topic 'cs.nothing'" in bad_lines[1].message
    assert ids(path) == ["e2", "e1"]


def test_an_endless_line_is_reported_without_being_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(b"x" * (2 * LINE_BYTES_MAX + 5) + b"\n" + ticket(1, 10).encode() + b"\n")
    bad, good = read_jsonl(path)
    assert isinstance(bad, BadLine)
    assert (bad.line_number, "too_large" in bad.message) == (1, True)
    assert isinstance(good, Line)


def test_a_byte_order_mark_and_windows_line_ends_do_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(b"\xef\xbb\xbf" + ticket(1, 10).encode() + b"\r\n" + ticket(2, 5).encode() + b"\r\n")
    assert ids(path) == ["e2", "e1"]


def test_an_empty_file_holds_nothing(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_bytes(b"")
    assert list(read_jsonl(path)) == []


def test_a_file_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceUnreadableError, match=r"none\.jsonl: No such file"):
        list(read_jsonl(tmp_path / "none.jsonl"))
    with pytest.raises(SourceUnreadableError, match="Is a directory"):
        list(read_jsonl(tmp_path))


def test_a_file_that_changes_while_it_is_read_is_said_to(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    path.write_text(ticket(1, 10) + "\nbad\n" + ticket(2, 5) + "\n")
    reading = read_jsonl(path)
    assert isinstance(next(reading), BadLine)
    path.write_text("something else\n" * 100)
    with pytest.raises(SourceUnreadableError, match="changed while it was read"):
        list(reading)
