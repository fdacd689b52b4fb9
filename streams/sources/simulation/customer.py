"""One simulated customer, day by day."""

from collections.abc import Iterator

from schemas.jsonlines import Line
from streams.sources.simulation import characters
from streams.sources.simulation.account import Account
from streams.sources.simulation.chance import DAY_MS
from streams.sources.simulation.desk import Desk
from streams.sources.simulation.disorder import Disorder
from streams.sources.simulation.journal import Journal
from streams.sources.simulation.mood import Mood
from streams.sources.simulation.profiles import Profile, Span, profile_of, rng_of
from streams.sources.simulation.support import Support
from streams.sources.simulation.surveys import Surveys, first_nps
from streams.sources.simulation.usage import Usage

_REFERRED_BEFORE_MS = 2 * DAY_MS


def lines_of(profile: Profile, seed: int, span: Span, disorder: Disorder, friend_id: str | None) -> Iterator[Line]:
    """Everything the customer does in the span, in order of the records' timestamps.

    `friend_id` is the customer that this one may bring along, if that one is new.
    """
    rng = rng_of(seed, profile.customer_id)
    journal = Journal(profile, span, disorder, rng_of(seed, profile.customer_id, "disorder"))
    mood = Mood(profile, rng, span.start_ms)
    account = Account(profile, rng, journal)
    surveys = Surveys(profile, rng, journal, first_nps(profile, rng, span.start_ms))
    usage = Usage(profile, rng, journal, surveys)
    support = Support(profile, rng, journal, surveys, Desk(seed))
    account.begin(span)
    if friend_id is not None:
        _bring_along(profile, seed, span, account, friend_id)
    first_day_ms = span.start_ms - span.start_ms % DAY_MS
    for day_ms in range(first_day_ms, span.end_ms, DAY_MS):
        mood.step(day_ms)
        ability = account.ability(day_ms)
        if not profile.is_gone(day_ms):
            usage.on_the_way_in(day_ms, mood)
        if ability > 0.0 and not profile.is_gone(day_ms):
            usage.day(day_ms, mood, ability)
            support.day(day_ms, mood)
            surveys.day(day_ms, mood)
        account.day(day_ms, mood)
        yield from journal.until(day_ms + DAY_MS)


def _bring_along(profile: Profile, seed: int, span: Span, account: Account, friend_id: str) -> None:
    friend = profile_of(friend_id, seed, span)
    willing = rng_of(seed, profile.customer_id, "referral").random() < characters.REFERRAL_SHARE[profile.character.name]
    if friend.arrival is not None and willing:
        account.refer(max(span.start_ms, friend.arrival.lead_at - _REFERRED_BEFORE_MS), friend_id)
