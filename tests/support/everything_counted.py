"""A view of the fleet in which everything was counted once: what can be made of it is every figure there is."""

from collections.abc import Mapping

from processors import commercial_rows
from processors.fleet import FIGURES
from processors.months import month_start, months_later
from processors.windows import DAY_MS, Window
from tests.support.summed import default_definitions

NOW_MS = 20_000 * DAY_MS
DIMENSIONS = {
    "customers": "onboarded",
    "customers_by_mrr": "EUR|100",
    "customers_by_last_use": "20000",
    "comment_lengths_by_day": "100",
    "first_responses_by_day": "support/100",
    "resolutions_by_day": "support/100",
    "agent_responses_by_day": "ann/100",
    "actions_by_day": "ann/100",
    "goal_durations_by_day": "setup_finished/100",
    "first_values_by_day": "1",
    "step_days_by_day": "lead:1",
    "open_tickets_by_opening_day": "20000",
    "accounts_by_owner": "ann\x1fEUR",
    "episodes_open": "ann\x1fc\x1fsilence\x1fe\x1fEUR",
    "outcomes_by_day": "backlog\x1f5\x1facted",
    "nps_by_day": "0_10",
    "requests_by_day": "csat/support",
    "survey_requests_by_day": "csat/due",
    "steps_by_day": "lead",
    **dict.fromkeys(("promises_by_day", "promises", commercial_rows.REFERRALS), ""),
}


class EverythingCounted:
    """A `FleetView` in which every flow and gauge has a count under one dimension."""

    as_of_ms = NOW_MS
    definitions = default_definitions()

    def dimensions(self, figure: str) -> list[str]:
        return [DIMENSIONS.get(figure, "support")]

    def total(self, figure: str, dimension: str, window: Window | None = None) -> tuple[int, ...]:  # noqa: ARG002
        return (1,) * len(FIGURES[figure].places)

    def parts(self, figure: str, dimension: str) -> Mapping[int, tuple[int, ...]]:  # noqa: ARG002
        return {0: (1,) * len(FIGURES[figure].places)}

    def buckets(self, figure: str, dimension: str) -> Mapping[int, tuple[int, ...]]:  # noqa: ARG002
        start_ms = months_later(month_start(NOW_MS), -1)
        return {start_ms: (1,) * len(FIGURES[figure].places)}
