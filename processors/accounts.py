"""The account: its stage, plan, revenue, owner, contacts, override and muted rules.

Any account event may carry `plan`, `mrr_cents`, `currency`, `seats`, `segment`, `renewal_at` or `owner`; absent means
unchanged. Each of them is a register of its own: the newest value by `occurred_at` wins, whatever the order of arrival, and of
two in one millisecond the one whose event id has the larger hash.
"""

from typing import Final, Literal, NamedTuple, TypeVar

from msgspec import Struct, field

from processors import registers
from processors.names import Names
from processors.registers import HASH_BITS, History, newer
from processors.totals import Totals
from processors.windows import DAY_MS
from schemas.events import AccountEvent, AccountKind, Reason

Stage = Literal[
    "unknown", "known", "lead", "trial", "contracted", "handed_over", "onboarded", "cancelled", "lapsed", "reactivated"
]

MAX_CONTACTS: Final = 100
MAX_REFERRALS: Final = 100
MAX_MUTES: Final = 64
MAX_MRR_ENTRIES: Final = 24
MAX_RENEWAL_ENTRIES: Final = 12
MAX_CURRENCY_ENTRIES: Final = 16
SETTLED_MS: Final = 60 * DAY_MS
"""How long what repeats something is kept: an event that was held up on its way may still come before it."""

OVERDUE_DAYS: Final = 30
"""So long past its date a renewal that nobody told of is still expected; after that the date says nothing any more."""

MAX_TEXT: Final = 200
"""Characters kept of what a person wrote as a reason."""

FIELDS: Final = ("plan", "currency", "seats", "segment", "owner")
"""The fields that any event may set, by their places in `AccountState.versions`; revenue and renewal have their own histories."""

_STAGE_OF_KIND: Final[dict[AccountKind, Stage]] = {
    "lead": "lead",
    "trial_started": "trial",
    "contracted": "contracted",
    "handed_over": "handed_over",
    "onboarded": "onboarded",
    "lapsed": "lapsed",
    "cancelled": "cancelled",
    "reactivated": "reactivated",
}
_STAGE_RANK: Final[dict[AccountKind, int]] = {kind: rank for rank, kind in enumerate(_STAGE_OF_KIND)}
_STAGES: Final = tuple(_STAGE_OF_KIND.values())
_RANK_BITS: Final = 4
_ENDS: Final[tuple[AccountKind, ...]] = ("lapsed", "cancelled")
_STARTS: Final[tuple[AccountKind, ...]] = ("contracted", "reactivated")  # a new contract brings back as well


class Contact(Struct, array_like=True, gc=False):
    """Someone at the customer: locale and consent as the newest event that says anything of them; None when none did.

    `version` is that of the newest event; locale and consent have one of their own where an older event said them.
    """

    version: int
    locale: str | None = None
    consent: bool | None = None
    locale_version: int | None = None
    consent_version: int | None = None


class Override(Struct, array_like=True, gc=False):
    """A score set by a person instead of the computed one, until `expires_at`."""

    version: int
    author: str
    reason: str
    score: float
    expires_at: int


class Cancellation(Struct, array_like=True, gc=False):
    """Why the customer left, from the newest cancellation."""

    version: int
    reason: Reason | None = None
    text: str | None = None


class Mute(Struct, array_like=True, gc=False):
    """Until when a rule opens silently."""

    version: int
    until: int


class PreviousMrr(NamedTuple):
    """The revenue before the one of now, and the time from which it has been the one of now."""

    mrr_cents: int
    changed_at: int


class AccountState(Struct, array_like=True, gc=False):
    """What is known of the account.

    Versions are those of `processors.registers`, relative to `base_ms`; `versions` and `version_places` hold those of `FIELDS`.
    `mrr_history` holds (version, cents), oldest first, at most 24, `renewal_history` (version, renewal date - base_ms), at most
    12, `currency_history` (version, currency), at most 16. `stage_version` is (occurred_at - base_ms) * 16 + a rank, so that of
    two stages in one millisecond the later in the life of an account wins; such versions are also those of the newest end and of
    the newest start. Who has left stays gone until a start: a stage in `waiting_version` counts only then. The other integers
    count what was dropped beyond a bound.
    """

    base_ms: int | None = None
    stage: Stage = "unknown"
    stage_version: int | None = None
    versions: list[int] = field(default_factory=list)
    version_places: int = 0
    plan: str | None = None
    currency: str | None = None
    seats: int | None = None
    segment: str | None = None
    owner: str | None = None
    mrr_history: History = field(default_factory=list)
    renewal_history: History = field(default_factory=list)
    contacts: dict[str, Contact] = field(default_factory=dict)
    referred: dict[str, int] = field(default_factory=dict)
    override: Override | None = None
    mutes: dict[str, Mute] = field(default_factory=dict)
    cancellation: Cancellation | None = None
    forgotten_contacts: int = 0
    forgotten_referrals: int = 0
    forgotten_mutes: int = 0
    cut_terms: int = 0
    currency_history: list[tuple[int, str]] = field(default_factory=list)
    left_version: int | None = None
    came_version: int | None = None
    waiting_version: int | None = None

    @property
    def is_gone(self) -> bool:
        """Whether the customer has cancelled or lapsed and not come back."""
        return self.stage == "cancelled" or self.stage == "lapsed"

    @property
    def stage_since(self) -> int | None:
        """When the stage was reached; None when no event said so."""
        if self.stage_version is None or self.base_ms is None:
            return None
        return self.base_ms + (self.stage_version >> _RANK_BITS)

    @property
    def mrr_cents(self) -> int | None:
        """The monthly recurring revenue of now, in cents of `currency`."""
        return self.mrr_history[-1][1] if self.mrr_history else None

    @property
    def renewal_at(self) -> int | None:
        """When the contract ends unless it is renewed; None for one without an end."""
        if not self.renewal_history or self.base_ms is None:
            return None
        return self.base_ms + self.renewal_history[-1][1]

    @property
    def previous_mrr(self) -> PreviousMrr | None:
        """The revenue before the last change of it that is remembered; None when there was none."""
        changed = None
        for version, cents in reversed(self.mrr_history):
            if cents != self.mrr_cents:
                return None if changed is None else PreviousMrr(cents, self.time_of(changed))
            changed = version
        return None

    @property
    def referrals(self) -> int:
        """How many customers this one has referred."""
        return len(self.referred) + self.forgotten_referrals

    def time_of(self, version: int) -> int:
        """The `occurred_at` that a version stands for."""
        assert self.base_ms is not None, "a version is relative to the base"
        return self.base_ms + (version >> HASH_BITS)

    def currency_at(self, at_ms: int) -> str:
        """The currency in force right before a time; before any was told the first one, and nothing when none ever was."""
        history = self.currency_history
        if not history or self.base_ms is None:
            return ""
        if len(history) == 1:
            return history[0][1]
        return registers.value_before(history, at_ms - self.base_ms) or history[0][1]

    def override_at(self, as_of_ms: int) -> Override | None:
        """The override in force, if there is one."""
        override = self.override
        return override if override is not None and as_of_ms < override.expires_at else None


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
    _set_fields(state, event, version)
    _set_terms(state, event, version, totals)
    _set_stage(state, event.kind, after_ms)
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
    settled = (as_of_ms - SETTLED_MS - state.base_ms) << HASH_BITS
    for rule in [rule for rule, mute in state.mutes.items() if mute.until <= as_of_ms and mute.version < settled]:
        del state.mutes[rule]
    state.mrr_history = registers.without_repetitions(state.mrr_history, settled)
    state.renewal_history = registers.without_repetitions(state.renewal_history, settled)
    state.currency_history = registers.without_repetitions(state.currency_history, settled)


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


def _set_stage(state: AccountState, kind: AccountKind, after_ms: int) -> None:
    """Move the stage, if the event's kind says one; `known` says only that there is an account."""
    if kind not in _STAGE_RANK:
        if kind == "known" and state.stage_version is None:
            state.stage = "known"
        return
    version = after_ms << _RANK_BITS | _STAGE_RANK[kind]
    if kind in _ENDS:
        state.left_version = _newest(version, state.left_version)
    elif kind in _STARTS:
        state.came_version = _newest(version, state.came_version)
    newest = _newest(version, state.waiting_version, state.stage_version)
    left = state.left_version
    state.stage_version = left if left is not None and newer(left, state.came_version) else newest
    state.waiting_version = None if newest == state.stage_version else newest
    state.stage = _STAGES[state.stage_version % (1 << _RANK_BITS)]


def _newest(version: int, *others: int | None) -> int:
    return max([version, *(other for other in others if other is not None)])


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
