"""Who a simulated customer is, drawn before anything happens to it: its character, its habits and its fate."""

from random import Random

from msgspec import Struct

from schemas.events import Reason
from streams.sources.simulation import characters
from streams.sources.simulation.chance import DAY_MS, HOUR_MS, around, clamp, pick, poisson
from streams.sources.simulation.characters import CHARACTERS, Character, Trouble

LAPSE_GRACE_MS = 30 * DAY_MS
_YEAR_DAYS = 365
_SETTLED_DAYS = 20  # nobody leaves sooner than this after the beginning


class Span(Struct, frozen=True):
    """The simulated time, from `start_ms` up to and not including `end_ms`."""

    start_ms: int
    end_ms: int

    @property
    def days(self) -> float:
        """Its length."""
        return (self.end_ms - self.start_ms) / DAY_MS


class Spell(Struct, frozen=True):
    """A bad time: what it does, from when until when, and how strongly (0-1)."""

    trouble: Trouble
    from_ms: int
    until_ms: int
    strength: float


class Respondent(Struct, frozen=True):
    """A person who answers surveys: `bias` is how much kinder (or harsher) than the customer as a whole.

    Who does not `consent` is not asked, and who opts out not from then on.
    """

    name: str
    locale: str
    bias: float
    consent: bool
    opts_out_at: int | None

    def may_be_asked(self, at_ms: int) -> bool:
        """Whether a survey may be sent then."""
        return self.consent and (self.opts_out_at is None or at_ms < self.opts_out_at)


class Arrival(Struct, frozen=True):
    """The steps of a newcomer; `contracted_at` is None for a trial that led to nothing."""

    lead_at: int
    trial_at: int
    contracted_at: int | None
    handed_over_at: int
    onboarded_at: int


class Departure(Struct, frozen=True):
    """How a customer left: at its own word (with a reason) or by letting the contract run out. Some come back.

    A few of the others are `erased_at` some time later.
    """

    at: int
    lapsed: bool
    reason: Reason
    back_at: int | None
    erased_at: int | None


class Profile(Struct, frozen=True, kw_only=True):
    """Everything about a customer that is drawn once. Times are epoch milliseconds.

    `renewal_at` is the first renewal in the simulated time, and one follows every `term_days`; `late_payment_share` of the
    payments come late or fail.
    """

    customer_id: str
    character: Character
    arrival: Arrival | None
    departure: Departure | None
    spells: list[Spell]
    satisfaction: float
    activity: float
    utc_offset_hours: int
    respondents: list[Respondent]
    favourites: list[float]
    csat_scale_is_binary: bool
    plan: int
    seats: int
    segment: str
    owner: str
    renewal_at: int
    term_days: int
    late_payment_share: float

    def is_gone(self, at_ms: int) -> bool:
        """Whether the customer has left by then and has not come back."""
        departure = self.departure
        return departure is not None and at_ms > departure.at and (departure.back_at is None or at_ms < departure.back_at)


def rng_of(seed: int, customer_id: str, purpose: str = "life") -> Random:
    """A generator that depends on nothing but these, so that a customer is the same whoever else is simulated."""
    return Random(f"{seed}/{customer_id}/{purpose}")


def profile_of(customer_id: str, seed: int, span: Span) -> Profile:
    """The customer of this id."""
    rng = rng_of(seed, customer_id, "profile")
    character = rng.choices(CHARACTERS, [one.share for one in CHARACTERS])[0]
    arrival = _arrival(rng, span) if rng.random() < characters.NEWCOMER_SHARE else None
    departure = _departure(rng, character, arrival, span)
    spells = _dips(rng, span)
    if character.trouble is not None:
        bad_times = _late_start if character.starts_late else _troubles
        spells += bad_times(rng, character.trouble, departure, arrival, span)
    segment = pick(rng, dict(characters.SEGMENTS))
    term_days = pick(rng, characters.TERM_DAYS)
    return Profile(
        customer_id=customer_id,
        character=character,
        arrival=arrival,
        departure=departure,
        spells=spells,
        satisfaction=clamp(rng.gauss(character.satisfaction, characters.SATISFACTION_SD), 0.2, 0.97),
        activity=around(rng, characters.ACTIVITY_MEDIAN, characters.ACTIVITY_SIGMA),
        utc_offset_hours=rng.choice((-6, -5, 0, 1, 2, 7, 7)),
        respondents=_respondents(rng, span),
        favourites=[around(rng, 1 / (place + 1), 0.8) for place in range(len(characters.FEATURES))],
        csat_scale_is_binary=rng.random() < 0.7,
        plan=rng.choice((0, 0, 1, 1, 1, 2)),
        seats=max(1, round(around(rng, 40 if segment == "enterprise" else 8, 0.7))),
        segment=segment,
        owner=rng.choice(characters.OWNERS),
        renewal_at=_first_renewal(rng, term_days, departure, arrival, span),
        term_days=term_days,
        late_payment_share=min(0.5, around(rng, characters.LATE_PAYMENT_SHARE, characters.LATE_PAYMENT_SIGMA)),
    )


def _arrival(rng: Random, span: Span) -> Arrival:
    lead_at = span.start_ms + int(rng.uniform(0.0, 0.8) * span.days * DAY_MS)
    trial_at = lead_at + int(rng.uniform(1, 9) * DAY_MS)
    contracted_at = trial_at + int(rng.uniform(6, 21) * DAY_MS)
    handed_over_at = contracted_at + int(rng.uniform(4, 60) * HOUR_MS)
    onboarded_at = handed_over_at + int(rng.uniform(5, 30) * DAY_MS)
    stays = rng.random() >= characters.TRIAL_WITHOUT_CONTRACT_SHARE
    return Arrival(lead_at, trial_at, contracted_at if stays else None, handed_over_at, onboarded_at)


def _departure(rng: Random, character: Character, arrival: Arrival | None, span: Span) -> Departure | None:
    """Whether and when the customer leaves: the longer it is there, the likelier, as so many leave in a year."""
    place, hour = rng.random(), rng.uniform(8, 18)
    lapsed = rng.random() < characters.LAPSED_SHARE
    comes_back, away_days = rng.random() < characters.REACTIVATED_SHARE, rng.uniform(20, 90)
    is_erased, erased_days = rng.random() < characters.ERASED_SHARE, rng.uniform(30, 120)
    reason = pick(rng, character.reasons)
    draw = rng.random()
    if arrival is not None and arrival.contracted_at is None:
        return None
    earliest = (arrival.onboarded_at if arrival is not None else span.start_ms) + _SETTLED_DAYS * DAY_MS
    if lapsed:
        earliest += LAPSE_GRACE_MS
    years_there = (span.end_ms - earliest) / DAY_MS / _YEAR_DAYS
    if years_there <= 0 or draw >= 1.0 - (1.0 - character.leaves_a_year) ** years_there:
        return None
    at = earliest + int(place**character.hurry * (span.end_ms - earliest))
    # The hour of the day at which people cancel.
    at -= at % DAY_MS - int(hour * HOUR_MS)
    if at >= span.end_ms - DAY_MS:
        return None
    back_at, erased_at = at + int(away_days * DAY_MS), at + int(erased_days * DAY_MS)
    comes_back = comes_back and back_at < span.end_ms
    return Departure(at, lapsed, reason, back_at if comes_back else None, erased_at if is_erased and not comes_back else None)


def _first_renewal(rng: Random, term_days: int, departure: Departure | None, arrival: Arrival | None, span: Span) -> int:
    """The first renewal of the contract in the simulated time, in step with how the customer leaves."""
    term_ms = term_days * DAY_MS
    begun_at = span.start_ms if arrival is None or arrival.contracted_at is None else arrival.contracted_at
    usual = begun_at + (term_ms if arrival is not None else int(rng.random() * term_ms))
    soon_days, before_renewal = rng.uniform(1, 45), rng.random() < characters.CANCELS_BEFORE_RENEWAL_SHARE
    if departure is None:
        return usual
    if departure.lapsed:
        last = departure.at - LAPSE_GRACE_MS
    elif before_renewal:
        last = departure.at + int(soon_days * DAY_MS)
    else:
        return usual
    return begun_at + (last - begun_at) % term_ms


def _troubles(rng: Random, trouble: Trouble, departure: Departure | None, arrival: Arrival | None, span: Span) -> list[Spell]:
    """The bad time before a customer leaves, or those that one who stays gets over."""
    strength = rng.uniform(*characters.TROUBLE_STRENGTH)
    length_ms = int(rng.uniform(*characters.TROUBLE_DAYS) * DAY_MS)
    if departure is not None:
        return [Spell(trouble, departure.at - length_ms, departure.at, strength)]
    earliest = arrival.onboarded_at if arrival is not None else span.start_ms
    there_ms = span.end_ms - earliest
    found = []
    for _ in range(poisson(rng, characters.TROUBLES_A_YEAR * there_ms / DAY_MS / _YEAR_DAYS)):
        from_ms = earliest + int(rng.random() * there_ms)
        length_ms = int(rng.uniform(*characters.TROUBLE_DAYS) * DAY_MS)
        found.append(Spell(trouble, from_ms, from_ms + length_ms, rng.uniform(*characters.TROUBLE_STRENGTH)))
    return found


def _late_start(rng: Random, trouble: Trouble, departure: Departure | None, arrival: Arrival | None, span: Span) -> list[Spell]:
    """The time until the first use: up to the departure of one who leaves, some weeks or for good of one who stays."""
    never = rng.random() < characters.NEVER_STARTS_SHARE
    idle_ms = int(around(rng, characters.LATE_START_DAYS_MEDIAN, characters.LATE_START_SIGMA) * DAY_MS)
    begun_at = bought_at = span.start_ms - span.start_ms % DAY_MS
    if arrival is not None:
        begun_at, bought_at = arrival.trial_at, arrival.contracted_at or arrival.trial_at
    starts_at = span.end_ms if never else bought_at + idle_ms
    return [Spell(trouble, begun_at, starts_at if departure is None else departure.at, 1.0)]


def _dips(rng: Random, span: Span) -> list[Spell]:
    spells = []
    for _ in range(poisson(rng, characters.DIPS_A_YEAR * span.days / _YEAR_DAYS)):
        trouble, days = rng.choice(characters.DIPS)
        from_ms = span.start_ms + int(rng.random() * span.days * DAY_MS)
        spells.append(
            Spell(trouble, from_ms, from_ms + int(rng.uniform(*days) * DAY_MS), rng.uniform(*characters.TROUBLE_STRENGTH))
        )
    return spells


def _respondents(rng: Random, span: Span) -> list[Respondent]:
    home = rng.choice(("en", "en", "vi"))
    found = []
    for number in range(1, rng.choice((1, 2, 2, 3)) + 1):
        locale = home if rng.random() < 0.85 else "en"
        bias, consent = rng.gauss(0.0, 0.08), rng.random() < characters.CONSENT_SHARE
        opts_out = rng.random() < characters.OPTS_OUT_SHARE_A_YEAR * span.days / _YEAR_DAYS
        opts_out_at = span.start_ms + int(rng.random() * (span.end_ms - span.start_ms))
        found.append(Respondent(f"u{number}", locale, bias, consent, opts_out_at if consent and opts_out else None))
    return found
