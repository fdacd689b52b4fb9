"""The response rate: of the requests that were sent, each counted on the day of its sending, the share answered so far.

A request and its answer meet by the request's id, whichever comes first; a request without an id cannot be followed and is left
out of the rate. Of several requests with one id the earliest is the request, and the others are reminders of it.

A request expires after 14 days, the life of an NPS request and the longest of any by default; the times are those of the two
events. An answer after that counts among the answers like any other, and leaves the request unanswered. Requests are followed
for 16 days of the partition's clock: an answer in time is accepted at most 48 hours after it occurred. Only one that was later
still, and was repaired by a replay of its dead letter, or that lay behind records of other times in its topic, may find its
request followed no longer: it too counts among the answers only.
"""

from collections.abc import Iterable
from hashlib import blake2b
from typing import Final, NamedTuple

from msgspec import Struct, field

from processors.names import OTHER, Names
from processors.seen import GRACE_MS
from processors.totals import Totals
from processors.windows import D90, DAY_MS, Days, Window
from schemas.events import SurveyEvent

FOLLOWED_DAYS: Final = 14
"""An answer later than that after the sending does not answer the request: it has expired. That does not depend on the plan."""

MAX_REQUESTS: Final = 512
"""So many requests are followed at a time, the newest: five questions to each of the 100 respondents that are followed."""

MAX_EARLY: Final = 64
"""So many answers wait for their request, the newest; those to requests that nobody tells of push no request out."""

_FOLLOWED_S: Final = FOLLOWED_DAYS * DAY_MS // 1000
_REMEMBERED_MS: Final = FOLLOWED_DAYS * DAY_MS + GRACE_MS
_UNANSWERED: Final = 0
_ANSWERED: Final = 1


class Responses(NamedTuple):
    """Requests that were answered so far, of all that were sent."""

    answered: int
    sent: int


class Asked(Struct, array_like=True, gc=False):
    """The requests of one survey and touchpoint: by day of sending those unanswered and answered, and those followed.

    `followed` has the time of sending in seconds * 2 + whether it was answered, by 32 bits of the hash of the request's id.
    """

    days: Days = field(default_factory=lambda: Days(2))
    followed: dict[int, int] = field(default_factory=dict)


class ResponseState(Struct, array_like=True, gc=False):
    """The requests to one customer.

    `parts` are by survey and touchpoint, as `part_of` names them. `early` are answers whose request has not come yet: the time in
    seconds by the hash of the request's id. `forgotten` counts what was no longer followed because of a bound,
    `without_id` those that could not be followed, `folded_parts` the touchpoints that were moved into `other` to save space.
    """

    parts: dict[str, Asked] = field(default_factory=dict)
    early: dict[int, int] = field(default_factory=dict)
    forgotten: int = 0
    without_id: int = 0
    folded_parts: int = 0


def part_of(survey: str, touchpoint: str | None, names: Names) -> str:
    """What a request counts under: its survey, and its touchpoint where it has one, such as `csat/support`."""
    if touchpoint is None:
        return survey
    return f"{survey}/{touchpoint if touchpoint in names.touchpoints else OTHER}"


def survey_of(part: str) -> str:
    """The survey of a part."""
    return part.partition("/")[0]


def fold(state: ResponseState, event: SurveyEvent, clock_ms: int, definitions: Names, totals: Totals) -> None:
    """Follow a request that was sent, or note that one was answered."""
    if event.kind == "expired":
        return
    forget(state, clock_ms)
    if event.kind == "sent":
        _send(state, event, definitions, totals)
    elif event.request_id is not None:
        _answer(state, _key_of(event.request_id), event.occurred_at // 1000, totals)


def responses(state: ResponseState, part: str, window: Window, as_of_ms: int) -> Responses:
    """The requests of one part that were sent in a window, and those of them that were answered so far."""
    asked = state.parts.get(part)
    if asked is None:
        return Responses(0, 0)
    unanswered, answered = asked.days.total(window, as_of_ms)
    return Responses(answered, unanswered + answered)


def added(found: Iterable[Responses]) -> Responses:
    """The requests of several parts together."""
    answered = sent = 0
    for one in found:
        answered += one.answered
        sent += one.sent
    return Responses(answered, sent)


def forget(state: ResponseState, clock_ms: int) -> None:
    """Follow no longer the requests that nobody can answer in time any more, nor the answers whose request never came."""
    oldest = (clock_ms - _REMEMBERED_MS) // 1000
    for asked in state.parts.values():
        for key in [key for key, packed in asked.followed.items() if packed >> 1 < oldest]:
            del asked.followed[key]
    for key in [key for key, answered in state.early.items() if answered < oldest]:
        del state.early[key]


def keep_newest(state: ResponseState, totals: Totals) -> None:
    """Keep to the bounds on requests that are followed and on early answers: the oldest are forgotten and counted."""
    places = [asked.followed for asked in state.parts.values()]
    if sum(map(len, places)) > MAX_REQUESTS:
        followed = [(packed >> 1, key, place) for place in places for key, packed in place.items()]
        _forget_oldest(state, followed, MAX_REQUESTS, totals)
    if len(state.early) > MAX_EARLY:
        early = [(answered, key, state.early) for key, answered in state.early.items()]
        _forget_oldest(state, early, MAX_EARLY, totals)


def fold_touchpoints(state: ResponseState, most: int, at_ms: int, totals: Totals) -> None:
    """Keep at most so many touchpoints by name; those with the fewest requests go into `other` of their survey."""
    named = [part for part in state.parts if "/" in part and not part.endswith(f"/{OTHER}")]
    by_count = sorted((sum(state.parts[part].days.days.values()), part) for part in named)
    for _, part in by_count[: max(0, len(by_count) - most)]:
        rare = state.parts.pop(part)
        other = state.parts.setdefault(f"{survey_of(part)}/{OTHER}", Asked())
        for day, place, count in list(rare.days.by_day()):
            other.days.add(day * DAY_MS, place, count)
        other.followed.update(rare.followed)
        state.folded_parts += 1
        totals.oddity("folded_touchpoint", at_ms)


def prune(state: ResponseState, as_of_ms: int) -> None:
    """Drop what no window sees any more."""
    forget(state, as_of_ms)
    for part, asked in list(state.parts.items()):
        asked.days.prune(as_of_ms, D90)
        if asked.days.empty and not asked.followed:
            del state.parts[part]


def _key_of(request_id: str) -> int:
    """32 bits for a request's id: of 100 that are followed, two are taken for one once in a million customers."""
    return int.from_bytes(blake2b(request_id.encode("utf-8", "surrogatepass"), digest_size=4).digest(), "big")


def _forget_oldest(state: ResponseState, followed: list[tuple[int, int, dict[int, int]]], most: int, totals: Totals) -> None:
    """Keep the newest of what is followed, given by seconds and key with the place where it is kept."""
    followed.sort(key=lambda entry: entry[:2])
    for at_s, key, place in followed[: len(followed) - most]:
        del place[key]
        state.forgotten += 1
        totals.oddity("forgotten_request", at_s * 1000)


def _part_following(state: ResponseState, key: int) -> str | None:
    return next((part for part, asked in state.parts.items() if key in asked.followed), None)


def _send(state: ResponseState, event: SurveyEvent, names: Names, totals: Totals) -> None:
    """Count a request on the day of its sending."""
    if event.request_id is None:
        state.without_id += 1
        totals.oddity("request_without_id", event.occurred_at)
        return
    key, sent_s = _key_of(event.request_id), event.occurred_at // 1000
    part = part_of(event.survey, event.touchpoint, names)
    answered_s = state.early.pop(key, None)
    answered = int(answered_s is not None and _is_in_time(sent_s, answered_s))
    known = _part_following(state, key)
    if known is not None:
        packed = state.parts[known].followed[key]
        if (packed >> 1, known) <= (sent_s, part):
            return
        del state.parts[known].followed[key]
        answered = packed & 1
        _count(state, known, packed >> 1, answered, -1, totals)
    state.parts.setdefault(part, Asked()).followed[key] = sent_s << 1 | answered
    _count(state, part, sent_s, answered, 1, totals)
    keep_newest(state, totals)


def _answer(state: ResponseState, key: int, answered_s: int, totals: Totals) -> None:
    """Note that a request was answered, or remember the answer until its request comes."""
    part = _part_following(state, key)
    if part is None:
        state.early[key] = min(answered_s, state.early.get(key, answered_s))
        keep_newest(state, totals)
        return
    followed = state.parts[part].followed
    packed = followed[key]
    if not packed & 1 and _is_in_time(packed >> 1, answered_s):
        followed[key] = packed | _ANSWERED
        _count(state, part, packed >> 1, _UNANSWERED, -1, totals)
        _count(state, part, packed >> 1, _ANSWERED, 1, totals)


def _is_in_time(sent_s: int, answered_s: int) -> bool:
    return answered_s <= sent_s + _FOLLOWED_S


def _count(state: ResponseState, part: str, sent_s: int, answered: int, count: int, totals: Totals) -> None:
    """Count one request, or take it back, here and for the fleet."""
    at = sent_s * 1000
    state.parts[part].days.add(at, answered, count)
    totals.add("requests", part, at, (count, count * answered))
