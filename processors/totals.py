"""What the folds add to the fleet's flows, collected until the caller knows that the fold succeeded."""

from collections.abc import ItemsView
from typing import Final, Literal

from processors.windows import DAY_MS, HOUR_MS
from schemas.events import AccountEvent, CustomerEvent, SurveyEvent, TicketEvent, UsageEvent

Flow = Literal[
    "promises",
    "first_values",
    "steps",
    "step_days",
    "csat",
    "csat_scales",
    "nps",
    "ces",
    "product",
    "answers",
    "comment_lengths",
    "requests",
    "survey_requests",
    "tickets",
    "goals",
    "goal_durations",
    "interactions",
    "episodes",
    "ended_episodes",
    "actions",
    "outcomes",
    "events",
    "oddities",
    "first_responses",
    "resolutions",
    "agent_responses",
    "agent_load",
]
Family = Literal["tickets", "usage", "surveys", "accounts"]
Oddity = Literal[
    "duplicate",
    "unverifiable",
    "replayed_again",
    "forgotten_letter",
    "erased",
    "other_touchpoint",
    "other_goal",
    "folded_feature",
    "folded_goal",
    "folded_touchpoint",
    "coarsened",
    "capped_quantity",
    "unfollowed_ticket",
    "forgotten_ticket",
    "cut_ticket_history",
    "folded_agent",
    "forgotten_respondent",
    "forgotten_request",
    "forgotten_question",
    "request_without_id",
    "forgotten_contact",
    "forgotten_referral",
    "forgotten_goal",
    "sampled_users",
    "forgotten_mute",
    "forgotten_followup",
    "unknown_episode",
    "cut_timeline",
    "cut_account_history",
    "renewed_after_end",
]
"""Something out of the ordinary that was dealt with and is counted: a name nobody configured, or a bound that was reached."""

FIGURES_OF_FLOW: Final[dict[Flow, tuple[tuple[str, int], ...]]] = {
    "csat": (("csat_by_hour", HOUR_MS), ("csat_by_day", DAY_MS)),
    "csat_scales": (("csat_scales_by_hour", HOUR_MS), ("csat_scales_by_day", DAY_MS)),
    "nps": (("nps_by_day", DAY_MS),),
    "ces": (("ces_by_day", DAY_MS),),
    "product": (("product_by_day", DAY_MS),),
    "answers": (("answers_by_day", DAY_MS),),
    "comment_lengths": (("comment_lengths_by_day", DAY_MS),),
    "requests": (("requests_by_day", DAY_MS),),
    "survey_requests": (("survey_requests_by_day", DAY_MS),),
    "tickets": (("tickets_by_day", DAY_MS),),
    "first_responses": (("first_responses_by_day", DAY_MS),),
    "resolutions": (("resolutions_by_day", DAY_MS),),
    "agent_responses": (("agent_responses_by_day", DAY_MS),),
    "agent_load": (("agent_load_by_day", DAY_MS),),
    "goals": (("goals_by_hour", HOUR_MS), ("goals_by_day", DAY_MS)),
    "goal_durations": (("goal_durations_by_day", DAY_MS),),
    "promises": (("promises_by_day", DAY_MS),),
    "first_values": (("first_values_by_day", DAY_MS),),
    "steps": (("steps_by_day", DAY_MS),),
    "step_days": (("step_days_by_day", DAY_MS),),
    "interactions": (("interactions_by_day", DAY_MS),),
    "episodes": (("episodes_by_day", DAY_MS),),
    "ended_episodes": (("episodes_ended_by_day", DAY_MS),),
    "actions": (("actions_by_day", DAY_MS),),
    "outcomes": (("outcomes_by_day", DAY_MS),),
    "events": (("events_by_day", DAY_MS),),
    "oddities": (("oddities_by_day", DAY_MS),),
}
"""The figures of `processors.fleet.FIGURES` that a flow is counted in, with the length of their buckets."""

_FAMILY_OF_RECORD: Final[dict[type[CustomerEvent], Family]] = {
    TicketEvent: "tickets",
    UsageEvent: "usage",
    SurveyEvent: "surveys",
    AccountEvent: "accounts",
}

FlowKey = tuple[str, str, int]
"""Figure, dimension, and the start of the bucket in epoch milliseconds."""


class Totals:
    """Changes of the fleet's flows, by figure, dimension and bucket; negative where late data takes something back."""

    __slots__ = ("flows",)

    def __init__(self) -> None:
        self.flows: dict[FlowKey, list[int]] = {}

    def add(self, flow: Flow, dimension: str, at_ms: int, counts: tuple[int, ...]) -> None:
        """Add to each figure of the flow, in the bucket that `at_ms` lies in."""
        for figure, bucket_ms in FIGURES_OF_FLOW[flow]:
            self.add_to_bucket(figure, dimension, at_ms - at_ms % bucket_ms, counts)

    def add_to_bucket(self, figure: str, dimension: str, start_ms: int, counts: tuple[int, ...]) -> None:
        """Add to a figure in the bucket that starts at `start_ms`, such as a calendar month."""
        key = (figure, dimension, start_ms)
        known = self.flows.get(key)
        if known is None:
            self.flows[key] = list(counts)
        else:
            for place, count in enumerate(counts):
                known[place] += count

    def oddity(self, oddity: Oddity, at_ms: int) -> None:
        """Count something out of the ordinary."""
        self.add("oddities", oddity, at_ms, (1,))

    def accepted(self, event: CustomerEvent) -> None:
        """Count an accepted event, by its family."""
        self.add("events", _FAMILY_OF_RECORD[type(event)], event.occurred_at, (1,))

    def items(self) -> ItemsView[FlowKey, list[int]]:
        """Everything that was added."""
        return self.flows.items()
