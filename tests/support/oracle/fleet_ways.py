"""What is to be published of the whole fleet about effort, the product, promises, the way to the sale, owners and revenue."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from tests.support.oracle.acceptance import Event, Judged
from tests.support.oracle.account import account
from tests.support.oracle.events import DAY_MS, Names, in_window, is_in_window
from tests.support.oracle.figures import figures
from tests.support.oracle.fleet import SKETCH_ERROR, Customers, Due, Found, exactly, is_customer, ratio_of, step_conversions
from tests.support.oracle.surveys import is_answer, length
from tests.support.oracle.totals import FAMILIES
from tests.support.oracle.usage import STEPS, ledger, promises_ever, quantity, step_days, to_next

SAID = ("ces_1_7_easy_mean_90d", "ces_1_7_easy_pct_90d", "product_feedback_90d_pct", "nps_0_10_180d", "nps_1_10_180d")
Rows = Iterator[tuple[tuple[str, str], Due]]


def ways(customers: Customers, as_of_ms: int, names: Names) -> Found:
    """The figures by name and dimension; only those of customers who were never erased."""
    everybody = list(customers.values())
    return dict(
        [
            *_said(everybody, as_of_ms, names),
            *_promises(everybody, as_of_ms, names),
            *_steps(customers, as_of_ms),
            *_interactions(everybody, as_of_ms),
            *_durations(everybody, as_of_ms, names),
            *_owners(everybody),
        ]
    )


def _said(everybody: Sequence[Sequence[Event]], as_of_ms: int, names: Names) -> Rows:
    everything = [event for events in everybody for event in events]
    for (name, dimension, _), found in figures(everything, as_of_ms, names).items():
        if name in SAID:
            yield (name, dimension), Due(found.value, found.n, found.low, found.high)
    lengths = [length(event) for event in in_window(everything, 90, as_of_ms) if is_answer(event) and length(event)]
    yield ("comment_length_median_90d_chars", ""), _median(lengths)


def _median(values: Sequence[float]) -> Due:
    return Due(exactly(values, 0.5), len(values), error=SKETCH_ERROR)


def _promises(everybody: Sequence[Sequence[Event]], as_of_ms: int, names: Names) -> Rows:
    now = [entry for events in everybody if not _is_gone(events) for entry in ledger(events, as_of_ms, names)]
    yield ("promises_valued_ratio", ""), ratio_of(sum(entry["first_value_at"] is not None for entry in now), len(now))
    ever = [promise for events in everybody for promise in promises_ever(events, names)]
    for days in (90, 180):
        given = [(day, first) for day, first in ever if is_in_window(day * DAY_MS, days, as_of_ms)]
        waited = [first - day for day, first in given if first is not None]
        yield (f"promises_valued_{days}d_ratio", ""), ratio_of(len(waited), len(given))
        yield (f"days_to_first_value_median_{days}d", ""), _median(waited)


def kept_promises(customers: Customers, as_of_ms: int, names: Names) -> tuple[int, int, int]:
    """How many promises were attained in full at each of the last looks, at one of them at least, and how many hold now.

    A customer is looked at when something happens, and once a day.
    """
    surely = perhaps = n = 0
    for events in customers.values():
        if _is_gone(events):
            continue
        looks = [ledger(events, as_of_ms - ago, names) for ago in range(0, DAY_MS + 1, DAY_MS // 24)]
        for entries in zip(*looks, strict=True):
            full = [(entry["attainment_ratio"] or 0) >= 1 for entry in entries]
            surely, perhaps, n = surely + all(full), perhaps + any(full), n + 1
    return surely, perhaps, n


def _steps(customers: Customers, as_of_ms: int) -> Rows:
    paths = [step_days(events) for events in customers.values()]
    for days in (30, 90):
        for step in STEPS.values():
            reached = sum(step in path and is_in_window(path[step] * DAY_MS, days, as_of_ms) for path in paths)
            yield (f"customers_reached_{days}d", step), Due(reached)
    for (step, days), (there, went_on) in step_conversions(customers, as_of_ms).items():
        yield (f"step_conversion_{days}d_ratio", step), ratio_of(went_on, there)
        recent = [path for path in paths if step in to_next(path) and is_in_window(path[step] * DAY_MS, days, as_of_ms)]
        yield (f"days_to_next_step_median_{days}d", step), _median([to_next(path)[step] for path in recent])


def _interactions(everybody: Sequence[Sequence[Event]], as_of_ms: int) -> Rows:
    ended = [event for events in everybody for event in events if event["kind"] == "interaction_ended"]
    for days in (30, 90):
        counts = Counter(event["touchpoint"] for event in in_window(ended, days, as_of_ms))
        for touchpoint in {event["touchpoint"] for event in ended}:
            yield (f"interactions_{days}d", touchpoint), Due(counts[touchpoint])


def _durations(everybody: Sequence[Sequence[Event]], as_of_ms: int, names: Names) -> Rows:
    for days in (30, 90):
        took: dict[str, list[float]] = defaultdict(list)
        for events in everybody:
            for event in in_window(events, days, as_of_ms):
                if event["kind"] == "goal_completed" and quantity(event) and event["duration_ms"] is not None:
                    took[names.goal(event["goal"])].append(event["duration_ms"] / 1000)
        for goal, seconds in took.items():
            for name, q in (("p50", 0.5), ("p90", 0.9)):
                yield (f"goal_duration_{name}_seconds_{days}d", goal), Due(exactly(seconds, q), len(seconds), error=SKETCH_ERROR)


def _owners(everybody: Sequence[Sequence[Event]]) -> Rows:
    owned: Counter[str] = Counter()
    revenue: dict[str, list[int]] = defaultdict(list)
    for now in map(account, everybody):
        if now["owner"] and now["stage"] not in {"cancelled", "lapsed"}:
            owned[now["owner"]] += 1
            if now["mrr_cents"] is not None:
                revenue[f"{now['owner']}/{now['currency']}" if now["currency"] else now["owner"]].append(now["mrr_cents"])
    for owner, n in owned.items():
        yield ("accounts_by_owner", owner), Due(n, n)
    for dimension, cents in revenue.items():
        yield ("mrr_by_owner_cents", dimension), Due(sum(cents), len(cents))


def revenues(customers: Customers) -> dict[str, list[int]]:
    """The monthly revenue of every customer who has one, by currency."""
    found: dict[str, list[int]] = defaultdict(list)
    for now in map(account, filter(is_customer, customers.values())):
        if now["mrr_cents"]:
            found[now["currency"] or ""].append(now["mrr_cents"])
    return found


def heard(accepted: Mapping[str, Sequence[Judged]], as_of_ms: int) -> Counter[str]:
    """The events of 30 days by family."""
    records = [judgement.record for mine in accepted.values() for judgement in mine]
    recent = [record for record in records if is_in_window(record["value"]["occurred_at"], 30, as_of_ms)]
    return Counter(FAMILIES[record["topic"]] for record in recent)


def _is_gone(events: Iterable[Event]) -> bool:
    return account(events)["stage"] in {"cancelled", "lapsed"}
