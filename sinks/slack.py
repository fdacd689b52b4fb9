"""Messages for Slack's incoming webhooks, and whoever takes the same: blocks for people, and a plain text for notifications.

Whatever comes from outside is escaped and cut to Slack's limits: a customer's text can neither mention a channel nor pose as a
link.
"""

from collections.abc import Iterator
from typing import Any, Final

import msgspec

from schemas.records import ChurnAlert, Evidence, FleetAlert, OwnerEntry, OwnerList
from schemas.times import format_time
from sinks.messages import Format, Message, no_headers
from sinks.notices import Notice

CONTENT_TYPE: Final = "application/json; charset=utf-8"
HEADER_MOST: Final = 150
SECTION_MOST: Final = 3_000
FIELD_MOST: Final = 2_000
FALLBACK_MOST: Final = 3_000
MOST_EVIDENCE: Final = 10
MOST_ENTRIES: Final = 30
_ESCAPED: Final = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_ELLIPSIS: Final = "…"


def slack_format() -> Format:
    """Slack checks no signature: its address is the secret."""
    return Format(slack_message, no_headers)


def slack_message(notice: Notice) -> Message:
    """The message that tells a notice."""
    record = notice.record
    if isinstance(record, OwnerList):
        title, blocks = _of_list(record)
    else:
        title, blocks = _of_alert(notice, record)
    payload = {
        "text": escaped(title, FALLBACK_MOST),
        "blocks": [_header(title), *blocks],
        "unfurl_links": False,
        "unfurl_media": False,
    }
    return Message(CONTENT_TYPE, msgspec.json.encode(payload))


def escaped(text: str, most: int) -> str:
    """The text as Slack shows it as it is, on `most` characters at the most (as Slack counts: after escaping); never empty."""
    pieces: list[str] = []
    left = most
    for character in text.strip() or "-":
        piece = _ESCAPED.get(character, character)
        if len(piece) > left - 1:  # room for the ellipsis
            return "".join([*pieces, _ELLIPSIS])
        pieces.append(piece)
        left -= len(piece)
    return "".join(pieces)


def _of_alert(notice: Notice, alert: ChurnAlert | FleetAlert) -> tuple[str, list[dict[str, Any]]]:
    title = f"{alert.severity.capitalize()}: {alert.rule} {alert.state}, {notice.subject}"
    blocks = [_section(alert.explanation)]
    if isinstance(alert, ChurnAlert) and (fields := list(_account_fields(alert))):
        blocks.append({"type": "section", "fields": fields})
    if notice.is_end:
        blocks.append(_section(alert.resolution or "it is over", "How it ended"))
    elif alert.action:
        blocks.append(_section(alert.action, "What to do"))
    if alert.evidence:
        shown = "\n".join(_evidence(one) for one in alert.evidence[:MOST_EVIDENCE])
        blocks.append(_section(shown, "Figures"))
    blocks.append(_context(f"opened {format_time(alert.opened_at)}, judged {format_time(alert.as_of)}, {alert.episode_id}"))
    return title, blocks


def _account_fields(alert: ChurnAlert) -> Iterator[dict[str, Any]]:
    """What is known of the account, as pairs in two columns."""
    pairs = (
        ("Monthly revenue", None if alert.mrr_cents is None else _money(alert.mrr_cents, alert.currency)),
        ("Renewal", None if alert.renewal_at is None else _day(alert.renewal_at)),
        ("Owner", alert.owner),
        ("Segment", alert.segment),
        ("Acknowledged by", alert.acknowledged_by),
        ("Acted", None if alert.acted_by is None else f"{alert.acted_by}: {alert.acted_action or '-'}"),
    )
    for label, value in pairs:
        if value:
            yield _text(f"*{label}*\n", value, FIELD_MOST)


def _of_list(listed: OwnerList) -> tuple[str, list[dict[str, Any]]]:
    what = "Morning list" if listed.kind == "morning_list" else "Digest of what was beyond the day's budget"
    count = len(listed.entries) + listed.left_out
    title = f"{what}, {listed.day}, {listed.owner or 'owned by nobody'}: {count} {'alert' if count == 1 else 'alerts'}"
    lines = [_entry(entry) for entry in listed.entries[:MOST_ENTRIES]]
    more = count - len(lines)
    if more > 0:
        lines.append(f"and {more} more")
    return title, [*(_section(part) for part in _parts(lines)), _context(f"as of {format_time(listed.as_of)}")]


def _parts(lines: list[str]) -> Iterator[str]:
    """The lines in as few texts as a section has room for."""
    part: list[str] = []
    for line in lines:
        if part and len(escaped("\n".join([*part, line]), 2 * SECTION_MOST)) > SECTION_MOST:
            yield "\n".join(part)
            part = []
        part.append(line)
    yield "\n".join(part)


def _entry(entry: OwnerEntry) -> str:
    money = "" if entry.mrr_cents is None else f", {_money(entry.mrr_cents, entry.currency)} a month"
    renewal = "" if entry.renewal_at is None else f", renewal {_day(entry.renewal_at)}"
    done = ", over" if entry.ended else ", acted upon" if entry.acted else ", acknowledged" if entry.acknowledged else ""
    return f"{entry.severity.capitalize()}: {entry.customer_id}, {entry.rule}{money}{renewal}{done}"


def _evidence(evidence: Evidence) -> str:
    name = f"{evidence.figure} ({evidence.dimension})" if evidence.dimension else evidence.figure
    value = "unknown" if evidence.value is None else f"{evidence.value:g}"
    threshold = "" if evidence.threshold is None else f", threshold {evidence.threshold:g}"
    return f"{name}: {value}{threshold}"


def _money(cents: int, currency: str | None) -> str:
    return f"{cents / 100:,.2f} {currency or ''}".rstrip()


def _day(at_ms: int) -> str:
    return format_time(at_ms)[:10]


def _header(title: str) -> dict[str, Any]:
    return {"type": "header", "text": {"type": "plain_text", "text": escaped(title, HEADER_MOST), "emoji": False}}


def _section(text: str, label: str = "") -> dict[str, Any]:
    return {"type": "section", "text": _text(f"*{label}*\n" if label else "", text, SECTION_MOST)}


def _context(text: str) -> dict[str, Any]:
    return {"type": "context", "elements": [_text("", text, FIELD_MOST)]}


def _text(before: str, text: str, most: int) -> dict[str, Any]:
    """A text of which only `before` is ours. Verbatim: Slack looks for no links or names in it."""
    return {"type": "mrkdwn", "text": before + escaped(text, most - len(before)), "verbatim": True}
