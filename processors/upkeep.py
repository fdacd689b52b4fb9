"""What a customer's state needs beside events: to drop what nobody can see any more, and to say which bounds it has reached."""

from typing import TYPE_CHECKING

from processors import accounts, commercial, csat, feedback, nps, responses, tickets, touchpoints, usage

if TYPE_CHECKING:
    from processors.state import CustomerState


def prune(state: "CustomerState", as_of_ms: int) -> None:
    """Drop what no figure at `as_of_ms` or later can see. No figure changes by it; only the state becomes smaller."""
    csat.prune(state.csat, as_of_ms)
    nps.prune(state.nps, as_of_ms)
    feedback.prune(state.feedback, as_of_ms)
    responses.prune(state.responses, as_of_ms)
    tickets.prune(state.tickets, as_of_ms)
    usage.prune(state.usage, as_of_ms)
    commercial.prune(state.commercial, state.account, as_of_ms)
    accounts.prune(state.account, as_of_ms)
    touchpoints.prune(state.interactions, as_of_ms)
    for ids in state.seen.values():
        ids.prune(as_of_ms)


def counted_by_whole_days(state: "CustomerState") -> int:
    """How many goals and touchpoints have given up their hours: their 7 days are whole UTC days."""
    families = (state.csat.by_touchpoint, state.usage.goals)
    return sum(buckets.hours is None for family in families for buckets in family.values())


def flags(state: "CustomerState") -> list[str]:
    """What makes a customer's figures less than exact, by name: bounds that were reached, and names that nobody configured."""
    counted = {
        "assumed_opening": tickets.assumed_openings(state.tickets),
        "cut_account_history": state.account.cut_terms + state.commercial.cut,
        "capped_quantity": state.usage.capped_quantities,
        "cut_timeline": state.timeline.cut,
        "cut_ticket_history": state.tickets.cut_histories,
        "folded_agent": state.tickets.folded_agents,
        "folded_feature": state.usage.folded_features,
        "folded_goal": state.usage.folded_goals,
        "folded_touchpoint": state.csat.folded_touchpoints + state.responses.folded_parts,
        "forgotten_followup": state.alerts.forgotten_followups,
        "forgotten_contact": state.account.forgotten_contacts,
        "forgotten_goal": state.promises.forgotten,
        "forgotten_mute": state.account.forgotten_mutes,
        "forgotten_referral": state.account.forgotten_referrals,
        "forgotten_question": state.plan.throttle.forgotten,
        "forgotten_request": state.responses.forgotten,
        "forgotten_respondent": state.nps.forgotten,
        "forgotten_ticket": state.tickets.forgotten_closed,
        "sampled_users": int(state.usage.active.theta > 0),
        "other_name": state.csat.other_touchpoints + state.tickets.other_touchpoints + state.usage.other_names,
        "request_without_id": state.responses.without_id,
        "unfollowed_ticket": state.tickets.overflow_open,
        "whole_days": counted_by_whole_days(state),
        **state.counters,
    }
    return sorted(name for name, count in counted.items() if count)
