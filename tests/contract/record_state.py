"""Writes down what a worker of this version leaves in its changelogs, once a format: `python -m tests.contract.record_state`.

What is recorded is never changed: it shows that a state written then is still read, and means the same, today.
"""

import gzip
from pathlib import Path
from typing import Any, Final

import msgspec

from processors.definitions import Definitions, parse
from processors.figures import Sheet, all_figures
from processors.state import CustomerState
from schemas.jsonlines import format_line, parse_line
from schemas.outcome import Malformed
from streams.catalogue import default_text
from streams.sources.simulator import Disorder, Simulation, simulate
from streams.state_bytes import FORMAT_VERSION, unpack
from tests.support.driven import Driven
from tests.support.histories import DAY_MS, HOUR_MS, numbered, tick

RECORDED: Final = Path(__file__).parent / "recorded"
END_MS: Final = 20_400 * DAY_MS
GOING_ON_MS: Final = 10 * DAY_MS
UNTIDY: Final = Disorder(duplicate_share=0.02)
SIMULATION: Final = Simulation(customers=8, days=70, seed=2_026, end_ms=END_MS + GOING_ON_MS, disorder=UNTIDY)


class Recording(msgspec.Struct):
    """What lay in the changelogs and what it meant, and the events that came next as JSON lines."""

    definitions: str
    changelog: list[tuple[str, bytes, bytes]]
    as_of_ms: int
    known: dict[str, dict[str, Any]]
    next_lines: list[str]


def recording(version: int) -> Path:
    """The file of a format of the state."""
    return RECORDED / f"state.v{version}.msgpack.gz"


def read(version: int) -> Recording:
    """What was recorded."""
    return msgspec.msgpack.decode(gzip.decompress(recording(version).read_bytes()), type=Recording)


def meaning(state: CustomerState, as_of_ms: int, definitions: Definitions) -> dict[str, Any]:
    """What a state says of its customer."""
    figures = all_figures(Sheet(state, as_of_ms, definitions))
    return {
        "events_accepted": state.events_accepted,
        "last_seen_at": state.last_seen_at,
        "stage": state.account.stage,
        "figures": {f"{one.name}|{one.dimension}|{one.window_days}": [one.value, one.n] for one in figures},
    }


def main() -> None:
    """Record the format of now, if it has no recording yet."""
    file = recording(FORMAT_VERSION)
    if file.exists():
        return
    lines = sorted(simulate(SIMULATION), key=lambda line: line.timestamp_ms)
    records = [
        {"topic": line.topic, "timestamp_ms": line.timestamp_ms, "value": msgspec.to_builtins(line.value)}
        for line in lines
        if line.timestamp_ms <= END_MS
    ]
    ticks = [tick(at_ms) for at_ms in range(END_MS - 60 * DAY_MS, END_MS + 1, 12 * HOUR_MS)]
    driven = Driven()
    for record in numbered(sorted([*records, *ticks], key=lambda record: record["timestamp_ms"])):
        driven.feed(record)
    driven.take()
    newest = {(table, key): value for table, key, value in driven.changelog}
    changelog = [(table, key, value) for (table, key), value in newest.items() if value is not None]
    changelog += [("fleet", key, value) for key, value in driven.fleet().table("fleet")]
    states = {key.decode(): unpack(value) for table, key, value in changelog if table == "customers"}
    definitions = parse(default_text())
    made = Recording(
        definitions=default_text(),
        changelog=changelog,
        as_of_ms=END_MS,
        known={name: meaning(state, END_MS, definitions) for name, state in states.items()},
        next_lines=[
            format_line(line.topic, line.value, timestamp_ms=line.timestamp_ms) for line in lines if line.timestamp_ms > END_MS
        ],
    )
    file.write_bytes(gzip.compress(msgspec.msgpack.encode(made), mtime=0))
    print(f"recorded {file.name}: {len(changelog)} records, {file.stat().st_size} bytes")


def next_records(made: Recording) -> list[dict[str, Any]]:
    """The events that came after, as plain records."""
    found = []
    for text in made.next_lines:
        line = parse_line(text)
        assert not isinstance(line, Malformed), line
        found.append({"topic": line.topic, "timestamp_ms": line.timestamp_ms, "value": msgspec.to_builtins(line.value)})
    return found


if __name__ == "__main__":
    main()
