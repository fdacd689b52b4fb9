"""The figures of a ServiceNow incident log, computed from the CSV file alone in the plainest way.

Shares no code with the product. The rules, in words: an incident's rows in order of `sys_updated_at` (rows of one minute as they
stand in the file) give its states. It is opened at its first row's `opened_at`, but not later than the first thing that
happened to it (a reply, a solve, a reopening, a closing). Coming to Resolved from anything but Closed is a solve. Going from
Resolved or Closed back to New, Active or Awaiting is a reopening. Open is what was opened and is neither Resolved nor Closed;
a reopened incident keeps the time of its first opening. Days are UTC.
"""

import csv
from bisect import bisect_right
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

AGEING_DAYS = (1, 3, 7, 30)


@dataclass
class Incident:
    caller: str
    opened: datetime
    changes: list[tuple[datetime, str]] = field(default_factory=list)
    """(when, which of opened, solved, reopened, closed)"""

    def is_open_at(self, moment: datetime) -> bool:
        is_open = False
        for when, what in self.changes:
            if when < moment:
                is_open = what in {"opened", "reopened"}
        return is_open


@dataclass
class Log:
    incidents: dict[str, Incident]

    def count(self, what: str, caller: str | None = None) -> int:
        """How often this happened, to one caller's incidents or to all."""
        return sum(
            1
            for incident in self.incidents.values()
            if caller is None or incident.caller == caller
            for _, change in incident.changes
            if change == what
        )

    def count_by_day(self, what: str) -> dict[date, int]:
        counts: dict[date, int] = defaultdict(int)
        for incident in self.incidents.values():
            for when, change in incident.changes:
                if change == what:
                    counts[when.date()] += 1
        return dict(counts)

    def days(self) -> list[date]:
        """Every UTC day from the first change to the last."""
        moments = [when for incident in self.incidents.values() for when, _ in incident.changes]
        first, last = min(moments).date(), max(moments).date()
        return [first + timedelta(days=n) for n in range((last - first).days + 1)]

    def ageing_at(self, moment: datetime) -> list[int]:
        """Open incidents by age in buckets of 0-1, 1-3, 3-7, 7-30 and 30+ days, an age on a border in the older bucket."""
        buckets = [0] * (len(AGEING_DAYS) + 1)
        for incident in self.incidents.values():
            if incident.is_open_at(moment):
                age_days = (moment - incident.opened) / timedelta(days=1)
                buckets[bisect_right(AGEING_DAYS, age_days)] += 1
        return buckets

    def backlog_at(self, moment: datetime) -> int:
        return sum(1 for incident in self.incidents.values() if incident.is_open_at(moment))

    def backlog_by_day_end(self) -> dict[date, int]:
        return {day: self.backlog_at(end_of(day)) for day in self.days()}

    def ageing_by_day_end(self) -> dict[date, list[int]]:
        return {day: self.ageing_at(end_of(day)) for day in self.days()}


def end_of(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1)


def read_log(path: Path) -> Log:
    by_number: dict[str, list[dict[str, str]]] = defaultdict(list)
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            by_number[row["number"]].append(row)
    return Log({number: _incident(rows) for number, rows in by_number.items()})


def _incident(rows: list[dict[str, str]]) -> Incident:
    rows = sorted(rows, key=lambda row: _when(row["sys_updated_at"]))
    changes: list[tuple[datetime, str]] = []
    first_reply: datetime | None = None
    before = "New"
    for row in rows:
        when, now = _when(row["sys_updated_at"]), row["incident_state"]
        now = "Awaiting" if now.startswith("Awaiting") else now
        if now in {"Active", "Awaiting"} and first_reply is None:
            first_reply = when
        if now == "Resolved" and before not in {"Resolved", "Closed"}:
            changes.append((when, "solved"))
        elif now == "Closed" and before != "Closed":
            changes.append((when, "closed"))
        elif now in {"New", "Active", "Awaiting"} and before in {"Resolved", "Closed"}:
            changes.append((when, "reopened"))
        before = now
    happened = [when for when, _ in changes] + ([first_reply] if first_reply else [])
    opened = min([_when(rows[0]["opened_at"]), *happened])
    return Incident(rows[0]["caller_id"], opened, [(opened, "opened"), *changes])


def _when(text: str) -> datetime:
    return datetime.strptime(text, "%d-%m-%Y %H:%M").replace(tzinfo=UTC)
