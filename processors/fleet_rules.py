"""The rules about the whole fleet: when an alert opens and when it is over, once per crossing.

Rules on shares hold figures of the fleet against thresholds that differ for entering and leaving. A feed that has gone quiet in a
partition opens one alert of its own, and so do partitions that stand still: these are judged whenever a partition goes on, since
no figures are published meanwhile.
"""

from collections.abc import Iterator, Mapping
from hashlib import blake2b
from typing import Final

from msgspec import Struct

from processors.fleet import QUIET_FEEDS
from processors.fleet_figures import View
from processors.fleet_file import FleetRule
from processors.fleet_view import FleetValue
from processors.windows import HOUR_MS
from schemas.records import EpisodeState, Evidence, Severity

_MINUTE_MS: Final = 60_000
_MOST_NAMED: Final = 16
_GONE: Final = "the rule is not in the definitions any more"
_CHANGED: Final = "the rule has changed, and is judged anew"


class FleetEpisode(Struct, array_like=True):
    """An alert that is open, as it was last published; `n` is what its update depends on (partitions quiet or stale)."""

    opened_at: int
    version: int
    severity: Severity
    n: int = 0


class FleetRuleBook(Struct, array_like=True):
    """What is remembered of a rule and its dimension: how many episodes and records there were, and the open episode."""

    episodes: int = 0
    records: int = 0
    open: FleetEpisode | None = None


class Finding(Struct, frozen=True, kw_only=True):
    """A state of an episode that is to be published."""

    place: str
    rule: str
    version: int
    episode_id: str
    sequence: int
    state: EpisodeState
    severity: Severity
    opened_at: int
    evidence: list[Evidence]
    explanation: str
    action: str
    resolution: str | None = None


class _Now(Struct, frozen=True):
    """How a rule stands: whether it would open, whether an open one is over and why, and what it shows."""

    enters: bool
    resolution: str | None
    evidence: list[Evidence]
    explanation: str
    n: int = 0


Values = Mapping[str, FleetValue]
"""The figures that have no dimension, by name."""


def judge(view: View, values: Values, books: dict[str, FleetRuleBook], partitions: int) -> Iterator[Finding]:
    """Hold every rule against the figures; changes the books and yields what is to be published."""
    rules = view.definitions.fleet.rules
    stands: dict[str, tuple[FleetRule, _Now]] = {}
    for rule in rules.values():
        if not rule.enabled:
            continue
        if rule.kind == "partition_stale":
            stands[f"{rule.name}|"] = (rule, _stale_now(view, rule, partitions))
        elif rule.kind == "source_quiet":
            for feed in {*view.dimensions(QUIET_FEEDS), *_open_feeds(rule, books)}:
                stands[f"{rule.name}|{feed}"] = (rule, _feed_now(view, rule, feed, partitions))
        else:
            stands[f"{rule.name}|"] = (rule, _share_now(rule, values))
    for place in sorted({*stands, *(place for place, book in books.items() if book.open is not None)}):
        book = books.setdefault(place, FleetRuleBook())
        yield from _judge_one(place, book, stands.get(place), view.as_of_ms)
        if not book.records:
            del books[place]


def judge_standstill(view: View, books: dict[str, FleetRuleBook], partitions: int) -> Iterator[Finding]:
    """Hold the rules about partitions that stand still against how far each has come; as `judge` otherwise."""
    for rule in view.definitions.fleet.rules.values():
        if rule.enabled and rule.kind == "partition_stale":
            place = f"{rule.name}|"
            now = _stale_now(view, rule, partitions)
            if now.enters or place in books:
                yield from _judge_one(place, books.setdefault(place, FleetRuleBook()), (rule, now), view.as_of_ms)


def _judge_one(place: str, book: FleetRuleBook, stand: tuple[FleetRule, _Now] | None, as_of_ms: int) -> Iterator[Finding]:
    episode = book.open
    if stand is None:
        assert episode is not None, "without a rule there is only an open episode"
        yield _closed(place, book, episode, "", [], _GONE)
        return
    rule, now = stand
    if episode is not None and episode.version != rule.version:
        yield _closed(place, book, episode, rule.action, now.evidence, _CHANGED)
        episode = None
    if episode is None:
        if now.enters:
            book.episodes += 1
            book.open = FleetEpisode(as_of_ms, rule.version, rule.severity, now.n)
            yield _finding(place, book, book.open, "opened", rule.action, now.evidence, now.explanation)
    elif now.resolution is not None:
        yield _closed(place, book, episode, rule.action, now.evidence, now.resolution)
    elif (episode.severity, episode.n) != (rule.severity, now.n):
        episode.severity, episode.n = rule.severity, now.n
        yield _finding(place, book, episode, "updated", rule.action, now.evidence, now.explanation)


def _closed(
    place: str, book: FleetRuleBook, episode: FleetEpisode, action: str, evidence: list[Evidence], resolution: str
) -> Finding:
    found = _finding(place, book, episode, "resolved", action, evidence, f"{resolution[0].upper()}{resolution[1:]}.", resolution)
    book.open = None
    return found


def _finding(
    place: str,
    book: FleetRuleBook,
    episode: FleetEpisode,
    state: EpisodeState,
    action: str,
    evidence: list[Evidence],
    explanation: str,
    resolution: str | None = None,
) -> Finding:
    book.records += 1
    return Finding(
        place=place,
        rule=place.partition("|")[0],
        version=episode.version,
        episode_id=episode_id(place, episode.version, book.episodes),
        sequence=book.records,
        state=state,
        severity=episode.severity,
        opened_at=episode.opened_at,
        evidence=evidence,
        explanation=explanation,
        action=action,
        resolution=resolution,
    )


def episode_id(place: str, version: int, sequence: int) -> str:
    """Id of the `sequence`-th episode of a rule (and its dimension)."""
    name = f"fleet\x00{place}\x00{version}\x00{sequence}"
    return blake2b(name.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def _share_now(rule: FleetRule, values: Values) -> _Now:
    """A share against its thresholds; without customers to speak of, an open episode goes on and none opens."""
    value = values.get(rule.figure)
    part, whole = (value.numerator or 0.0, value.denominator or 0.0) if value is not None else (0.0, 0.0)
    share = part / whole if whole else None
    enters = whole >= rule.least_customers and part * 100 > rule.enter_above_pct * whole
    is_over = whole > 0 and part * 100 < rule.exit_below_pct * whole
    told = "unknown" if share is None else f"{share * 100:.1f} % ({part:.0f} of {whole:.0f} customers)"
    evidence = [
        Evidence(figure=rule.figure, value=share, threshold=rule.enter_above_pct / 100, n=int(whole)),
        Evidence(figure=f"{rule.figure}_numerator", value=part),
        *(Evidence(figure=name, value=other.value, n=other.n) for name in rule.beside if (other := values.get(name)) is not None),
    ]
    return _Now(
        enters=enters,
        resolution=f"the share is {told}, below {rule.exit_below_pct:g} %" if is_over else None,
        evidence=evidence,
        explanation=f"{rule.label}: {told}, above the limit of {rule.enter_above_pct:g} %.",
    )


def _feed_now(view: View, rule: FleetRule, feed: str, partitions: int) -> _Now:
    """A feed against the partitions in which it is quiet."""
    quiet = [counts[0] for counts in view.parts(QUIET_FEEDS, feed).values()]
    evidence = [Evidence(figure="quiet_partitions", dimension=feed, value=float(len(quiet)), threshold=1.0, n=partitions)]
    if quiet:
        hours = (view.as_of_ms - min(quiet)) / HOUR_MS
        evidence.append(Evidence(figure="quiet_hours", dimension=feed, value=hours))
        explanation = f"Nothing of {feed} in {len(quiet)} of {partitions} partitions for {hours:.0f} hours or less."
    else:
        explanation = f"{feed} are heard of in all {partitions} partitions."
    return _Now(
        enters=bool(quiet),
        resolution=None if quiet else f"{feed} are heard of again in every partition",
        evidence=evidence,
        explanation=f"{rule.label}: {explanation}",
        n=len(quiet),
    )


def _stale_now(view: View, rule: FleetRule, partitions: int) -> _Now:
    """How many partitions stand still while others go on."""
    behind = view.stale()
    limit = view.definitions.fleet.stale_after_ms / _MINUTE_MS
    evidence = [Evidence(figure="stale_partitions", value=float(len(behind)), threshold=1.0, n=partitions)]
    evidence += [
        Evidence(figure="minutes_behind", dimension=str(partition), value=behind_ms / _MINUTE_MS, threshold=limit)
        for partition, behind_ms in list(behind.items())[:_MOST_NAMED]
    ]
    named = ", ".join(map(str, list(behind)[:_MOST_NAMED])) + (", …" if len(behind) > _MOST_NAMED else "")
    longest = max(behind.values(), default=0) / _MINUTE_MS
    stand = f"{len(behind)} of {partitions} partitions ({named}) stand still, by up to {longest:.0f} minutes behind the newest"
    return _Now(
        enters=bool(behind),
        resolution=None if behind else "every partition goes on",
        evidence=evidence,
        explanation=f"{rule.label}: {stand}; the figures of the fleet wait for them.",
        n=len(behind),
    )


def _open_feeds(rule: FleetRule, books: Mapping[str, FleetRuleBook]) -> list[str]:
    names = (place.partition("|") for place, book in books.items() if book.open is not None)
    return [feed for name, _, feed in names if name == rule.name]
