"""What is said beside CSAT and NPS: effort, the product as a whole, how many answer at all, and how much they tell."""

from collections.abc import Iterable, Iterator, Sequence
from math import sqrt

from ddsketch.mapping import LogarithmicMapping

from tests.support.oracle.acceptance import Event
from tests.support.oracle.events import Names, answers, in_window, is_in_window, newest_at
from tests.support.oracle.found import Found, Key

Z = 1.959963984540054
GOOD_FROM = {"good_bad": 1, "1_5": 4, "1_7": 5, "0_10": 7}
FOLLOWED_SECONDS = 14 * 24 * 60 * 60
BINS = LogarithmicMapping(0.01)

Counted = tuple[str, str, int, tuple[int, ...]]
"""A fleet figure, its dimension, when, and the counts."""


def surveys(events: Sequence[Event], as_of_ms: int, names: Names) -> dict[Key, Found]:
    """The figures of a customer, over 90 days."""
    ces = list(answers(in_window(events, 90, as_of_ms), "ces"))
    product = list(answers(in_window(events, 90, as_of_ms), "product"))
    said = [event for event in in_window(events, 90, as_of_ms) if is_answer(event)]
    newest_ces, newest_product = (newest_at(answers(events, survey)) for survey in ("ces", "product"))
    n, mean = len(ces), sum(event["score"] for event in ces) / len(ces) if ces else None
    found: dict[Key, Found] = {
        ("ces_1_7_easy_mean_90d", "", 90): Found(mean, n, newest_at=newest_ces),
        ("ces_1_7_easy_pct_90d", "", 90): share(sum(event["score"] >= 5 for event in ces), n, newest_ces),
        ("product_feedback_90d_pct", "", 90): share(sum(map(is_good_product, product)), len(product), newest_product),
        ("answers_90d", "", 90): Found(len(said)),
        ("answers_with_comment_90d_pct", "", 90): share(sum(length(event) > 0 for event in said), len(said)),
        ("answers_with_touchpoint_90d_pct", "", 90): share(sum(map(names_touchpoint, said)), len(said)),
    }
    sendings = [sending for sending in requests(events, names) if is_in_window(sending[0], 90, as_of_ms)]
    for dimension in {"", *(part.split("/")[0] for _, part, _ in sendings), *(part for _, part, _ in sendings)}:
        mine = [answered for _, part, answered in sendings if dimension in ("", part, part.split("/")[0])]
        found["response_rate_90d_pct", dimension, 90] = share(sum(mine), len(mine))
    return found


def share(part: int, n: int, newest: int | None = None) -> Found:
    """A share in percent, with Wilson's interval."""
    if n == 0:
        return Found(None, 0, newest_at=newest)
    p = part / n
    middle = p + Z * Z / (2 * n)
    half = Z * sqrt(p * (1 - p) / n + Z * Z / (4 * n * n))
    scale = 1 + Z * Z / n
    return Found(100 * p, n, 100 * max(0, (middle - half) / scale), 100 * min(1, (middle + half) / scale), newest)


def is_answer(event: Event) -> bool:
    return "survey" in event and event["kind"] == "answered"


def is_good_product(event: Event) -> bool:
    return bool(event["score"] >= GOOD_FROM[event["scale"]])


def length(event: Event) -> int:
    return len((event["comment"] or "").strip())


def names_touchpoint(event: Event) -> bool:
    return event["touchpoint"] not in (None, "other")


def requests(events: Sequence[Event], names: Names) -> Iterator[tuple[int, str, bool]]:
    """Each request that was sent: when first, its survey and touchpoint, and whether it was answered within 14 days."""
    mine = [event for event in events if "survey" in event and event["request_id"] is not None]
    for request_id in {event["request_id"] for event in mine if event["kind"] == "sent"}:
        here = [event for event in mine if event["request_id"] == request_id]
        sent_s, part = min((event["occurred_at"] // 1000, _part(event, names)) for event in here if event["kind"] == "sent")
        answered = any(is_answer(event) and event["occurred_at"] // 1000 <= sent_s + FOLLOWED_SECONDS for event in here)
        yield sent_s * 1000, part, answered


def _part(event: Event, names: Names) -> str:
    if event["touchpoint"] is None:
        return str(event["survey"])
    return f"{event['survey']}/{names.touchpoint(event['touchpoint'])}"


def survey_flows(events: Sequence[Event], names: Names) -> Iterator[Counted]:
    """What one customer adds to the fleet's flows."""
    for at, part, answered in requests(events, names):
        yield "requests_by_day", part, at, (1, int(answered))
    for event in filter(is_answer, events):
        at = event["occurred_at"]
        told = length(event)
        yield "answers_by_day", event["survey"], at, (1, int(told > 0), int(names_touchpoint(event)))
        if told:
            yield "comment_lengths_by_day", str(BINS.key(told)), at, (1,)
        if event["survey"] == "ces":
            yield "ces_by_day", "1_7", at, tuple(int(event["score"] == score) for score in range(1, 8))
        if event["survey"] == "product":
            yield "product_by_day", event["scale"], at, (int(is_good_product(event)), 1)


def between_erasures(events: Iterable[Event]) -> list[list[Event]]:
    """A customer's events, cut where the customer was erased: what is before knows nothing of what is after."""
    parts: list[list[Event]] = [[]]
    for event in events:
        if event["kind"] == "erased":
            parts.append([])
        else:
            parts[-1].append(event)
    return parts
