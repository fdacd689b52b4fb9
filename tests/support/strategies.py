"""Random events for property tests: few names and few times, so that they meet."""

from typing import get_args

from hypothesis import strategies as st

from processors.windows import DAY_MS, HOUR_MS
from schemas.events import (
    AccountEvent,
    AccountKind,
    Priority,
    PromisedGoal,
    SurveyEvent,
    TicketEvent,
    TicketKind,
    UsageEvent,
    UsageKind,
)
from tests.support.happenings import NOON

TOUCHPOINTS = st.sampled_from([None, "trial", "support", "nowhere", "other"])
SCORES = {"good_bad": (0, 1), "1_5": (1, 5), "1_7": (1, 7), "0_10": (0, 10), "1_10": (1, 10)}


def times(days: int) -> st.SearchStrategy[int]:
    """Times around the edges of hours and days, and a few anywhere, of the days before noon and ten minutes after it."""
    edges = st.builds(
        lambda hour, shift: NOON + hour * HOUR_MS + shift,
        st.integers(-24 * days, 0),
        st.sampled_from([-1, 0, 1, 600_000]),
    )
    return edges | st.integers(NOON - days * DAY_MS, NOON + 600_000)


EVENT_IDS = st.integers(0, 10**9).map(str)


def ticket_events(at: st.SearchStrategy[int], tickets: int = 3) -> st.SearchStrategy[TicketEvent]:
    return st.builds(
        TicketEvent,
        event_id=EVENT_IDS,
        customer_id=st.just("c"),
        occurred_at=at,
        kind=st.sampled_from(get_args(TicketKind)),
        ticket_id=st.sampled_from([f"T{number}" for number in range(tickets)]),
        priority=st.sampled_from([None, *get_args(Priority)]),
        touchpoint=TOUCHPOINTS,
        agent_id=st.sampled_from([None, "an", "bo", "chi"]),
    )


def usage_events(at: st.SearchStrategy[int]) -> st.SearchStrategy[UsageEvent]:
    return st.builds(
        UsageEvent,
        event_id=EVENT_IDS,
        customer_id=st.just("c"),
        occurred_at=at,
        kind=st.sampled_from(get_args(UsageKind)),
        feature=st.sampled_from(["search", "import", "share", "print"]),
        goal=st.sampled_from(["invoices", "exports", "dreams"]),
        touchpoint=TOUCHPOINTS,
        quantity=st.none() | st.integers(0, 5),
    )


@st.composite
def answers(draw: st.DrawFn, at: st.SearchStrategy[int]) -> SurveyEvent:
    survey, scale = draw(
        st.sampled_from([("csat", "good_bad"), ("csat", "1_5"), ("csat", "1_7"), ("nps", "0_10"), ("nps", "1_10")])
    )
    return SurveyEvent(
        event_id=draw(EVENT_IDS),
        customer_id="c",
        occurred_at=draw(at),
        kind="answered",
        survey=survey,  # type: ignore[arg-type]  # one of the pairs above
        scale=scale,  # type: ignore[arg-type]  # one of the pairs above
        score=draw(st.integers(*SCORES[scale])),
        touchpoint=draw(TOUCHPOINTS),
        respondent_id=draw(st.sampled_from([None, "r1", "r2", "r3"])),
    )


def account_events(at: st.SearchStrategy[int]) -> st.SearchStrategy[AccountEvent]:
    maybe = st.none()
    return st.builds(
        AccountEvent,
        event_id=EVENT_IDS,
        customer_id=st.just("c"),
        occurred_at=at,
        kind=st.sampled_from(get_args(AccountKind)),
        plan=maybe | st.sampled_from(["basic", "pro"]),
        mrr_cents=maybe | st.integers(0, 3),
        seats=maybe | st.integers(1, 3),
        owner=maybe | st.sampled_from(["Ann", "Binh"]),
        goals=maybe
        | st.lists(st.builds(PromisedGoal, goal=st.sampled_from("ab"), expected_per_30_days=st.just(1.0)), max_size=2),
        reason=maybe | st.sampled_from(["price", "other"]),
        reason_text=st.sampled_from(["one", "two"]),
        referred_customer_id=st.sampled_from(["d", "e"]),
        respondent_id=st.sampled_from(["r1", "r2"]),
        locale=maybe | st.sampled_from(["en", "vi"]),
        consent=maybe | st.booleans(),
        author=st.sampled_from(["Ann", "Binh"]),
        override_score=st.sampled_from([10.0, 90.0]),
        expires_at=st.just(NOON + DAY_MS),
        rule=st.sampled_from(["silence", "backlog"]),
        muted_until=st.integers(NOON, NOON + 3),
    )
