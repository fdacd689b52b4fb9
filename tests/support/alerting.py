"""Alerts of a judged customer, and open episodes, for the tests of rules and owners' lists."""

from processors import episode_gauges
from schemas.events import CustomerEvent
from schemas.records import ChurnAlert
from tests.support.happenings import NOON, usage
from tests.support.judging import Judged

DAY = 86_400_000


def last(customer: Judged, rule: str) -> ChurnAlert:
    return customer.alerts_of(rule)[-1]


def goals(number: int, at: int) -> CustomerEvent:
    return usage("goal_completed", at, goal="report_created", quantity=number)


def open_episode(
    customer_id: str, *, severity: int, mrr_cents: int | None, renewal_in: int | None = None, muted: bool = False
) -> episode_gauges.OpenEpisode:
    has_mrr = mrr_cents is not None
    renewal_at = 0 if renewal_in is None else NOON + renewal_in * DAY
    counts = (NOON - DAY, severity, mrr_cents or 0, renewal_at, 0, 0, int(muted), int(has_mrr))
    found = episode_gauges.read(f"ann\x1f{customer_id}\x1fsilence\x1f{customer_id}0\x1fEUR", counts)
    assert found is not None
    return found
