"""Records as one line for people."""

from collections.abc import Callable, Mapping
from typing import Any, Final

from msgspec import Struct

from schemas.records import (
    ChurnAlert,
    CustomerSnapshot,
    DeadLetter,
    DefinitionsVersion,
    FleetPartial,
    HealthChange,
    MeasureChange,
)
from schemas.times import format_time

_NOT_SHOWN: Final = frozenset({"record_id", "emitted_at", "caused_by", "caused_by_count", "config_version", "revision"})
_MAX_VALUE_CHARACTERS: Final = 60


def readable(record: object) -> str:
    """One line about a record, without its place in the log."""
    form = _FORMS.get(type(record))
    return form(record) if form is not None else _plain(record)


def number(value: float | None, digits: int = 1) -> str:
    """A number as people read it, - when there is none."""
    if value is None:
        return "-"
    text = f"{value:.{digits}f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text == "-0" else text


def signed(value: float) -> str:
    """A difference with its sign."""
    return f"{value:+.1f}"


def _health_change(change: HealthChange) -> str:
    band = change.new_band or "no band"
    moved = band if change.new_band == change.old_band else f"{change.old_band or 'no band'} -> {band}"
    coverage = f"{change.new_measures_present} of {change.measures_total} measures"
    top = max(change.measures, key=lambda measure: abs(measure.delta), default=None)
    reason = "" if top is None or not top.delta else f", mostly {_moved(top)}"
    old, new = number(change.old_displayed), number(change.new_displayed)
    return f"{change.customer_id}  health {old} -> {new}  {moved}  ({coverage}, by {change.cause}){reason}"


def _moved(measure: MeasureChange) -> str:
    return (
        f"{measure.measure} {signed(measure.delta)} "
        f"({measure.figure} {number(measure.old_figure)} -> {number(measure.new_figure)})"
    )


def _alert(alert: ChurnAlert) -> str:
    muted = ", muted" if alert.muted else ""
    end = f" [{alert.resolution}]" if alert.resolution else ""
    return (
        f"{alert.customer_id}  {alert.state} {alert.rule}  {alert.severity}{muted}: {alert.explanation}{end}  -> {alert.action}"
    )


def _snapshot(snapshot: CustomerSnapshot) -> str:
    risk = next((one for one in snapshot.health if one.purpose == "risk"), None)
    health = "no score" if risk is None else f"health {number(risk.displayed)} {risk.band or 'no band'}"
    alerts = ", ".join(alert.rule for alert in snapshot.open_alerts) or "no alerts"
    return f"{snapshot.customer_id}  {snapshot.stage}  {health}  {alerts}"


def _dead_letter(letter: DeadLetter) -> str:
    place = f"{letter.topic}[{letter.partition}]@{letter.offset}"
    return f"{letter.customer_id or 'unknown customer'}  {letter.reason}  {place}: {letter.message}"


def _definitions(version: DefinitionsVersion) -> str:
    return f"version {version.version} by {version.author} at {format_time(version.applied_at)}, sha256 {version.sha256[:12]}"


def _partial(partial: FleetPartial) -> str:
    bucket = "now" if partial.bucket is None else format_time(partial.bucket)
    counts = " ".join(map(str, partial.counts))
    return f"partition {partial.partition}  {partial.figure} {partial.dimension or 'all'}  {bucket}: {counts}"


_FORMS: Final[Mapping[type, Callable[[Any], str]]] = {
    HealthChange: _health_change,
    ChurnAlert: _alert,
    CustomerSnapshot: _snapshot,
    DeadLetter: _dead_letter,
    DefinitionsVersion: _definitions,
    FleetPartial: _partial,
}


def _plain(record: object) -> str:
    """The fields that are set, those that say most first."""
    if not isinstance(record, Struct):
        return str(record)
    fields = {name: getattr(record, name) for name in record.__struct_fields__ if name not in _NOT_SHOWN}
    customer = fields.pop("customer_id", None)
    kind = fields.pop("kind", None)
    head = "  ".join(str(part) for part in (customer, kind) if part is not None)
    shown = " ".join(f"{name}={_value(name, value)}" for name, value in fields.items() if value not in (None, [], ""))
    return f"{head}  {shown}" if head else shown


def _value(name: str, value: object) -> str:
    if isinstance(value, int) and not isinstance(value, bool) and name.endswith(("_at", "as_of", "muted_until")):
        return format_time(value)
    text = " ".join(str(value).split())
    return text if len(text) <= _MAX_VALUE_CHARACTERS else f"{text[: _MAX_VALUE_CHARACTERS - 1]}…"
