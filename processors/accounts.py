"""The fold of the account: its stage, plan, revenue, owner, contacts, override and muted rules.

Any account event may carry `plan`, `mrr_cents`, `currency`, `seats`, `segment`, `renewal_at` or `owner`; absent means
unchanged. Each of them is a register of its own: the newest value by `occurred_at` wins, whatever the order of arrival, and of
two in one millisecond the one whose event id has the larger hash.
"""

from typing import Final, TypeVar

from processors import account_stage, registers
from processors.account_state import FIELDS, AccountState, Cancellation, Contact, Mute, Override
from processors.names import Names
from processors.registers import newer
from processors.totals import Totals
from processors.windows import D90, DAY_MS
from schemas.events import AccountEvent

MAX_CONTACTS: Final = 100
MAX_REFERRALS: Final = 100
MAX_MUTES: Final = 64
MAX_MRR_ENTRIES: Final = 24
MAX_RENEWAL_ENTRIES: Final = 12
MAX_CURRENCY_ENTRIES: Final = 16
MAX_SEATS_ENTRIES: Final = 16
SETTLED_MS: Final = 60 * DAY_MS
"""How long what repeats something is kept: an event that was held up on its way may still come before it."""

MAX_TEXT: Final = 200
"""Characters kept of what a person wrote as a reason."""


def fold(
    state: AccountState,
    event: AccountEvent,
    clock_ms: int,  # noqa: ARG001 - the folds of all families are called alike
    definitions: Names,  # noqa: ARG001 - the folds of all families are called alike
    totals: Totals,
) -> None:
    """Take over what an event says of the account where nothing newer did."""
    if state.base_ms is None:
        state.base_ms = event.occurred_at
    after_ms = event.occurred_at - state.base_ms
    version = registers.version_of(after_ms, event.event_id)
    _remember_seats(state, event, version, totals)
    _set_fields(state, event, version)
    _set_terms(state, event, version, totals)
    account_stage.set_stage(state, event.kind, after_ms)
    match event.kind:
        case "cancelled":
            _cancel(state, event, version)
        case "contact":
            _set_contact(state, event, version, totals)
        case "referred":
            _refer(state, event, totals)
        case "override":
            _override(state, event, version)
        case "muted":
            _mute(state, event, version, totals)
        case _:
            pass


def muted_until(state: AccountState, rule: str) -> int:
    """Until when a rule opens silently; 0 when it was never muted."""
    mute = state.mutes.get(rule)
    return 0 if mute is None else mute.until


def keep_newest(state: AccountState, most: int, at_ms: int, totals: Totals) -> None:
    """Keep at most so many of each: contacts, referrals and mutes. The number of referrals stays right."""
    _keep_contacts(state, most, at_ms, totals)
    _keep_referrals(state, most, at_ms, totals)
    _keep_mutes(state, most, at_ms, totals)


def prune(state: AccountState, as_of_ms: int) -> None:
    """Drop mutes that are over and repeated terms, once no event old enough to matter to them can still come."""
    if state.base_ms is None:
        return
    settled = (as_of_ms - SETTLED_MS - state.base_ms) << registers.HASH_BITS
    for rule in [rule for rule, mute in state.mutes.items() if mute.until <= as_of_ms and mute.version < settled]:
        del state.mutes[rule]
    state.mrr_history = registers.without_repetitions(state.mrr_history, settled)
    state.renewal_history = registers.without_repetitions(state.renewal_history, settled)
    state.currency_history = registers.without_repetitions(state.currency_history, settled)
    _prune_seats(state, settled)


def _prune_seats(state: AccountState, settled: int) -> None:
    """Drop repeated seats, and those that had been replaced so long before that no figure looks back to them."""
    if not state.seats_before:
        return
    now = state.seats_version
    assert now is not None, "there are seats of now where there are older ones"
    replaced_by = [*(version for version, _ in state.seats_before[1:]), now]
    seen_from = settled - (D90.days * DAY_MS << registers.HASH_BITS)
    seen = [entry for entry, by in zip(state.seats_before, replaced_by, strict=True) if by >= seen_from]
    state.seats_before = registers.without_repetitions(seen, settled)


def _remember_seats(state: AccountState, event: AccountEvent, version: int, totals: Totals) -> None:
    """Keep the older of the seats that are known and those of the event: the newest are a field."""
    known, seats = state.seats_version, state.seats
    if event.seats is None or known is None or seats is None or version == known:
        return
    older = (known, seats) if version > known else (version, event.seats)
    if older not in state.seats_before and registers.remember(state.seats_before, *older, MAX_SEATS_ENTRIES):
        state.cut_terms += 1
        totals.oddity("cut_account_history", event.occurred_at)


def _set_fields(state: AccountState, event: AccountEvent, version: int) -> None:
    """Set the fields that the event carries."""
    said = [(place, value) for place, name in enumerate(FIELDS) if (value := getattr(event, name)) is not None]
    if not said:
        return
    versions = registers.unpacked(state.versions, state.version_places, len(FIELDS))
    for place, value in said:
        if newer(version, versions[place]):
            versions[place] = version
            setattr(state, FIELDS[place], value)
    state.versions, state.version_places = registers.packed(versions)


def _set_terms(state: AccountState, event: AccountEvent, version: int, totals: Totals) -> None:
    """Put revenue, renewal and currency into their histories, which keep the newest ones."""
    cut = 0
    if event.mrr_cents is not None:
        cut += registers.remember(state.mrr_history, version, event.mrr_cents, MAX_MRR_ENTRIES)
    if event.renewal_at is not None:
        assert state.base_ms is not None, "the first event sets the base"
        cut += registers.remember(state.renewal_history, version, event.renewal_at - state.base_ms, MAX_RENEWAL_ENTRIES)
    if event.currency is not None:
        cut += registers.remember(state.currency_history, version, event.currency, MAX_CURRENCY_ENTRIES)
    if cut:
        state.cut_terms += cut
        totals.oddity("cut_account_history", event.occurred_at)


def _cancel(state: AccountState, event: AccountEvent, version: int) -> None:
    """Remember why the customer left."""
    if state.cancellation is None or version > state.cancellation.version:
        text = None if event.reason_text is None else event.reason_text[:MAX_TEXT]
        state.cancellation = Cancellation(version, event.reason, text)


def _set_contact(state: AccountState, event: AccountEvent, version: int, totals: Totals) -> None:
    """Remember a respondent; what an event does not say is unchanged, so that nobody's refusal is lost by a new address."""
    assert event.respondent_id is not None, "a contact without a respondent is refused by the checks"
    known = state.contacts.get(event.respondent_id, Contact(version))
    newest = max(version, known.version)
    locale_at = known.version if known.locale_version is None else known.locale_version
    consent_at = known.version if known.consent_version is None else known.consent_version
    locale, locale_at = _newer_of(known.locale, locale_at, event.locale, version)
    consent, consent_at = _newer_of(known.consent, consent_at, event.consent, version)
    state.contacts[event.respondent_id] = Contact(
        newest,
        locale,
        consent,
        None if locale is None or locale_at == newest else locale_at,
        None if consent is None or consent_at == newest else consent_at,
    )
    _keep_contacts(state, MAX_CONTACTS, event.occurred_at, totals)


_Said = TypeVar("_Said", str, bool)


def _newer_of(known: _Said | None, known_version: int, said: _Said | None, version: int) -> tuple[_Said | None, int]:
    """What is known, or what an event says if that is newer, with its version."""
    if said is None or (known is not None and version <= known_version):
        return known, known_version
    return said, version


def _refer(state: AccountState, event: AccountEvent, totals: Totals) -> None:
    """Remember who was referred, and when first."""
    assert event.referred_customer_id is not None, "a referral of nobody is refused by the checks"
    referred = state.referred
    first_at = referred.get(event.referred_customer_id)
    referred[event.referred_customer_id] = event.occurred_at if first_at is None else min(first_at, event.occurred_at)
    _keep_referrals(state, MAX_REFERRALS, event.occurred_at, totals)


def _override(state: AccountState, event: AccountEvent, version: int) -> None:
    """Take over a person's score; the newest wins."""
    assert event.author is not None, "an override without an author is refused by the checks"
    assert event.reason_text is not None, "an override without a reason is refused by the checks"
    assert event.override_score is not None, "an override without a score is refused by the checks"
    assert event.expires_at is not None, "an override without an expiry is refused by the checks"
    if state.override is None or version > state.override.version:
        reason = event.reason_text[:MAX_TEXT]
        state.override = Override(version, event.author, reason, event.override_score, event.expires_at)


def _mute(state: AccountState, event: AccountEvent, version: int, totals: Totals) -> None:
    """Take over until when a rule is muted; the newest wins."""
    assert event.rule is not None, "muting no rule is refused by the checks"
    assert event.muted_until is not None, "muting without an end is refused by the checks"
    known = state.mutes.get(event.rule)
    if known is not None and version <= known.version:
        return
    state.mutes[event.rule] = Mute(version, event.muted_until)
    _keep_mutes(state, MAX_MUTES, event.occurred_at, totals)


def _keep_contacts(state: AccountState, most: int, at_ms: int, totals: Totals) -> None:
    """Drop those heard of longest ago, and those who opted out last of all."""
    while len(state.contacts) > most:
        willing = {name: contact for name, contact in state.contacts.items() if contact.consent is not False}
        del state.contacts[_oldest(willing or state.contacts)]
        state.forgotten_contacts += 1
        totals.oddity("forgotten_contact", at_ms)


def _keep_referrals(state: AccountState, most: int, at_ms: int, totals: Totals) -> None:
    referred = state.referred
    while len(referred) > most:
        del referred[min(referred, key=lambda customer_id: (referred[customer_id], customer_id))]
        state.forgotten_referrals += 1
        totals.oddity("forgotten_referral", at_ms)


def _keep_mutes(state: AccountState, most: int, at_ms: int, totals: Totals) -> None:
    while len(state.mutes) > most:
        del state.mutes[_oldest(state.mutes)]
        state.forgotten_mutes += 1
        totals.oddity("forgotten_mute", at_ms)


_Versioned = TypeVar("_Versioned", Contact, Mute)


def _oldest(kept: dict[str, _Versioned]) -> str:
    """What was said longest ago."""
    return min(kept, key=lambda key: (kept[key].version, key))
