"""What happened to a customer that mattered, with times: a bounded timeline, as text only where it is shown.

Kept here is what is kept nowhere else: the steps of the account, late and failed payments, changes of band and quadrant, alerts
opened and ended; the newest of them, the steps apart from all else. Changes of revenue, NPS answers, urgent tickets and
overrides are read from where they are kept anyway, as far back as that goes. Times are whole minutes, so that an entry takes 4
or 5 bytes.

Of what the events say, the order of arrival changes nothing. Bands, quadrants and alerts stand where they were judged.
"""

from collections.abc import Iterable, Iterator
from functools import lru_cache
from hashlib import blake2b
from itertools import accumulate
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from processors import nps
from processors.loyalty_file import QUADRANTS
from processors.totals import Totals
from schemas.events import AccountEvent
from schemas.records import Band, ChurnAlert, CustomerOutput, HealthChange, LoyaltyChange, TimelineEntry

if TYPE_CHECKING:
    from processors.definitions import Definitions
    from processors.state import CustomerState

MAX_STEPS: Final = 6
"""Steps of the account that are kept: signing, onboarding, renewing and the like, which no noise of alerts pushes out."""

MAX_OTHERS: Final = 8
"""Other entries that are kept: payments, bands, quadrants, alerts."""

MAX_SHOWN: Final = 30
"""Entries of a snapshot, the newest: those kept here and those read from elsewhere."""

_MINUTE_MS: Final = 60_000
_KIND_BITS: Final = 3
_ACCOUNT, _QUADRANT, _BAND, _OPENED, _RESOLVED, _RETRACTED = range(6)
"""In the order in which they are told of one minute: what happened comes before what was made of it."""

_ACCOUNT_TEXTS: Final[dict[str, str]] = {
    "lead": "became a lead",
    "trial_started": "started a trial",
    "contracted": "signed the contract",
    "handed_over": "was handed over from sales",
    "onboarded": "finished onboarding",
    "renewed": "renewed the contract",
    "plan_changed": "changed the plan",
    "cross_sold": "bought another product",
    "cancelled": "cancelled",
    "lapsed": "let the contract lapse",
    "reactivated": "came back",
    "payment_late": "paid late",
    "payment_failed": "a payment failed",
}
_ACCOUNT_KINDS: Final = tuple(_ACCOUNT_TEXTS)
_BANDS: Final[tuple[Band | None, ...]] = (None, "red", "yellow", "green")
_ALERT_WORDS: Final = {_OPENED: "opened", _RESOLVED: "resolved", _RETRACTED: "retracted"}
_HASH_BYTES: Final = 2


class TimelineState(Struct, array_like=True, gc=False):
    """The newest entries, the oldest first, packed. `cut` counts those dropped beyond the bound.

    An entry is two numbers: epoch minute * 8 + kind, told by how much it is more than that of the entry before, and a detail:
    the place of an account's step in the list above, old * 8 + new for bands and quadrants, a hash of the rule's name for
    alerts. A number is written in groups of 7 bits, the lowest first, all but its last one with the highest bit set (LEB128).
    """

    packed: bytes = b""
    cut: int = 0

    @property
    def entries(self) -> list[tuple[int, int]]:
        """The entries as (epoch minute * 8 + kind, detail)."""
        numbers = _numbers(self.packed)
        heads = accumulate(numbers[::2])
        return list(zip(heads, numbers[1::2], strict=True))


def fold(state: TimelineState, event: AccountEvent, totals: Totals) -> None:
    """Take in what happened to the account, if it is a step that matters."""
    kind: str = event.kind
    if kind == "payment":
        kind = f"payment_{event.status}"
    if kind in _ACCOUNT_TEXTS:
        _add(state, event.occurred_at, _ACCOUNT, _ACCOUNT_KINDS.index(kind), totals)


def note(state: TimelineState, records: Iterable[CustomerOutput], totals: Totals) -> None:
    """Take in what was judged, from the records that say so."""
    for record in records:
        if isinstance(record, ChurnAlert):
            if record.state != "updated":
                kind = {"opened": _OPENED, "resolved": _RESOLVED}.get(record.state, _RETRACTED)
                _add(state, record.as_of, kind, rule_hash(record.rule), totals)
        elif isinstance(record, HealthChange):
            if record.purpose == "risk" and record.old_band != record.new_band:
                _add(state, record.as_of, _BAND, _BANDS.index(record.old_band) << 3 | _BANDS.index(record.new_band), totals)
        elif isinstance(record, LoyaltyChange) and record.old_quadrant != record.new_quadrant:
            detail = QUADRANTS.index(record.old_quadrant) << 3 | QUADRANTS.index(record.new_quadrant)
            _add(state, record.as_of, _QUADRANT, detail, totals)


def shown(state: "CustomerState", definitions: "Definitions") -> list[TimelineEntry]:
    """The newest entries as a person reads them, the oldest first."""
    rules = _rules_by_hash((*definitions.rules, *state.alerts.rules))
    found = [(head >> _KIND_BITS, head & 7, *_told(head & 7, detail, rules)) for head, detail in state.timeline.entries]
    why_at, why = _reason_for_leaving(state)
    found = [(at, kind, name, text + why * (name == "cancelled" and at == why_at)) for at, kind, name, text in found]
    for at_ms, name, text in (*_revenue(state), *_answers(state), *_urgent_tickets(state), *_overrides(state)):
        found.append((at_ms // _MINUTE_MS, _ACCOUNT, name, text))
    newest = sorted(found)[-MAX_SHOWN:]
    return [TimelineEntry(at=minute * _MINUTE_MS, kind=name, text=text) for minute, _, name, text in newest]


@lru_cache(maxsize=1024)
def rule_hash(rule: str) -> int:
    """14 bits of a rule's name: enough among the rules of one file, and where two are alike both are named."""
    digest = blake2b(rule.encode("utf-8", "surrogatepass"), digest_size=_HASH_BYTES).digest()
    return int.from_bytes(digest, "big") >> 2


def _add(state: TimelineState, at_ms: int, kind: int, detail: int, totals: Totals) -> None:
    entries = state.entries
    entry = (max(0, at_ms) // _MINUTE_MS << _KIND_BITS | kind, detail)
    if entry in entries:
        return
    entries.append(entry)
    entries.sort()
    is_step = _is_step(entry)
    alike = [found for found in entries if _is_step(found) == is_step]
    if len(alike) > (MAX_STEPS if is_step else MAX_OTHERS):
        entries.remove(alike[0])
        if not state.cut:
            totals.oddity("cut_timeline", at_ms)
        state.cut += 1
    state.packed = _packed(entries)


def _is_step(entry: tuple[int, int]) -> bool:
    """Whether an entry is a step of the account, and no payment."""
    return entry[0] & 7 == _ACCOUNT and not _ACCOUNT_KINDS[entry[1]].startswith("payment_")


def _packed(entries: list[tuple[int, int]]) -> bytes:
    found = bytearray()
    before = 0
    for head, detail in entries:
        for number in (head - before, detail):
            rest = number
            while rest > 127:
                found.append(rest & 127 | 128)
                rest >>= 7
            found.append(rest)
        before = head
    return bytes(found)


def _numbers(packed: bytes) -> list[int]:
    found = []
    number = shift = 0
    for byte in packed:
        number |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            found.append(number)
            number = shift = 0
    return found


@lru_cache(maxsize=256)
def _rules_by_hash(rules: tuple[str, ...]) -> dict[int, str]:
    found: dict[int, str] = {}
    for rule in dict.fromkeys(rules):
        known = found.get(rule_hash(rule))
        found[rule_hash(rule)] = rule if known is None else f"{known} or {rule}"
    return found


def _told(kind: int, detail: int, rules: dict[int, str]) -> tuple[str, str]:
    """The name and the text of an entry."""
    if kind == _ACCOUNT:
        name = _ACCOUNT_KINDS[detail]
        return name, _ACCOUNT_TEXTS[name]
    old, new = detail >> 3, detail & 7
    if kind == _BAND:
        return "band", f"health went from {_BANDS[old] or 'unknown'} to {_BANDS[new] or 'unknown'}"
    if kind == _QUADRANT:
        return "quadrant", f"loyalty went from {QUADRANTS[old]} to {QUADRANTS[new]}"
    word = _ALERT_WORDS[kind]
    return f"alert_{word}", f"alert {word}: {rules.get(detail, 'a rule that is no longer there')}"


def _reason_for_leaving(state: "CustomerState") -> tuple[int, str]:
    """The minute of the newest cancellation, and the reason and the words it was given; nothing when it was given none."""
    left = state.account.cancellation
    if left is None:
        return 0, ""
    words = [word for word in (left.reason and left.reason.replace("_", " "), left.text) if word]
    return state.account.time_of(left.version) // _MINUTE_MS, f": {', '.join(words)}" if words else ""


def _revenue(state: "CustomerState") -> Iterator[tuple[int, str, str]]:
    """The changes of revenue that are remembered."""
    account = state.account
    before: tuple[int, str] | None = None
    for version, cents in account.mrr_history:
        at_ms = account.time_of(version)
        now = cents, account.currency_at(at_ms + 1)
        if before is not None and now != before:
            # Of amounts in two currencies neither is said to be the larger one.
            way = "went" if now[1] != before[1] else "rose" if cents > before[0] else "fell"
            was = _money(*before) if now[1] != before[1] else f"{before[0] / 100:,.2f}"
            yield at_ms, "mrr_changed", f"monthly revenue {way} from {was} to {_money(*now)}"
        before = now


def _money(cents: int, currency: str) -> str:
    return f"{cents / 100:,.2f} {currency}".rstrip()


def _answers(state: "CustomerState") -> Iterator[tuple[int, str, str]]:
    """The respondents whose newest NPS answer is a promoter's or a detractor's."""
    for answer in nps.latest_answers(state.nps):
        if answer.is_promoter or answer.is_detractor:
            name = "promoter" if answer.is_promoter else "detractor"
            yield answer.occurred_at, name, f"{answer.respondent_id} answered {answer.score} of 10 to the NPS question ({name})"


def _urgent_tickets(state: "CustomerState") -> Iterator[tuple[int, str, str]]:
    """The urgent tickets that are remembered: open, or closed not long ago."""
    for ticket in (*state.tickets.open.values(), *state.tickets.closed.values()):
        if ticket.priority_name == "urgent" and ticket.opened is not None:
            yield ticket.opened_at, "urgent_ticket", f"an urgent ticket was opened ({ticket.touchpoint})"


def _overrides(state: "CustomerState") -> Iterator[tuple[int, str, str]]:
    """The newest override by a person."""
    override = state.account.override
    if override is not None:
        text = f"{override.author} set the health score to {override.score:g}: {override.reason}"
        yield state.account.time_of(override.version), "override", text
