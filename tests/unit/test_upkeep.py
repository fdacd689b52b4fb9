from processors import accounts, csat, nps, tickets, upkeep, usage
from processors.seen import GRACE_MS, SeenIds
from processors.state import CustomerState
from processors.totals import Totals
from processors.windows import DAY_MS
from schemas.events import CustomerEvent, SurveyEvent, TicketEvent, UsageEvent
from tests.support import happenings
from tests.support.happenings import NAMES, NOON, account, answer, ticket


def folded(*events: CustomerEvent) -> CustomerState:
    state, totals = CustomerState("c"), Totals()
    for event in events:
        state.seen.setdefault("all", SeenIds()).remember(event.event_id, event.occurred_at, NOON)
        if isinstance(event, TicketEvent):
            tickets.fold(state.tickets, event, NOON, NAMES, totals)
        elif isinstance(event, UsageEvent):
            usage.fold(state.usage, event, NOON, NAMES, totals)
        elif isinstance(event, SurveyEvent):
            csat.fold(state.csat, event, NOON, NAMES, totals)
            nps.fold(state.nps, event, NOON, NAMES, totals)
        else:
            accounts.fold(state.account, event, NOON, NAMES, totals)
    return state


def test_pruning_reaches_every_part_of_the_state() -> None:
    state = folded(
        answer("csat", "1_5", 4),
        answer("nps", "0_10", 9, respondent="r"),
        ticket("replied", NOON),
        happenings.usage("feature_used", feature="search"),
        happenings.usage("goal_completed", goal="invoices"),
        account("muted", rule="silence", muted_until=NOON),
    )
    upkeep.prune(state, NOON + 500 * DAY_MS)
    assert not state.csat.by_touchpoint
    assert not state.nps.by_scale
    assert not state.nps.latest
    assert not state.tickets.closed
    assert not state.usage.features
    assert not state.usage.goals
    assert not state.account.mutes
    assert state.seen["all"].count == 0


def test_pruning_at_once_forgets_no_id_of_the_grace() -> None:
    state = folded(answer("csat", "1_5", 4))
    upkeep.prune(state, NOON + GRACE_MS)
    assert state.seen["all"].count == 1


def test_a_customer_of_whom_all_is_exact_has_no_flags() -> None:
    assert upkeep.flags(folded(answer("csat", "1_5", 4), ticket("opened", NOON))) == []


def test_what_is_less_than_exact_is_flagged_by_name() -> None:
    state = folded(
        answer("csat", "1_5", 4, touchpoint="nowhere"),
        ticket("reopened", NOON),
        happenings.usage("goal_completed", goal="invoices", quantity=2**40),
        *(account("referred", NOON + number, referred_customer_id=f"d{number}") for number in range(101)),
    )
    state.counters = {"unverifiable": 2, "duplicate": 0}
    assert upkeep.flags(state) == ["assumed_opening", "capped_quantity", "forgotten_referral", "other_name", "unverifiable"]
