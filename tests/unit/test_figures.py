import pytest

from processors.figures import Sheet, all_figures
from schemas.records import Figure
from tests.support.happenings import NOON, account, answer, ticket, usage
from tests.support.judging import Judged

DAY = 86_400_000


def sheet_of(customer: Judged, at: int) -> Sheet:
    return Sheet(customer.state, at, customer.context.definitions)


def figure(customer: Judged, name: str, dimension: str = "", at: int = NOON) -> Figure:
    (found,) = [item for item in all_figures(sheet_of(customer, at)) if (item.name, item.dimension) == (name, dimension)]
    return found


def test_csat_of_eight_good_of_ten_has_wilsons_interval_whole_and_by_touchpoint() -> None:
    customer = Judged()
    customer.happens(*(answer("csat", "good_bad", int(index < 8), NOON, touchpoint="support") for index in range(10)))
    for dimension in ("", "support"):
        found = figure(customer, "csat_7d_pct", dimension)
        assert (found.value, found.n, found.window_days) == (80, 10, 7)
        assert [found.low, found.high] == pytest.approx([49.02, 94.33], abs=0.01)


def test_nps_has_its_interval_and_each_scale_its_own_figure() -> None:
    customer = Judged()
    scores = [10] * 5 + [8] * 3 + [2] * 2
    customer.happens(*(answer("nps", "0_10", score, NOON) for score in scores), answer("nps", "1_10", 1, NOON))
    found = figure(customer, "nps_0_10_90d")
    assert (found.value, found.n) == (30, 10)
    assert [found.low, found.high] == pytest.approx([-19.1, 65.2], abs=0.05)
    assert figure(customer, "nps_1_10_180d").value == -100


def test_an_nps_is_as_old_as_the_newest_answer_on_its_own_scale() -> None:
    customer = Judged()
    customer.happens(answer("nps", "1_10", 9, NOON), answer("nps", "0_10", 9, NOON + DAY))
    assert sheet_of(customer, NOON + DAY).read("nps_1_10_90d").newest_at_ms == NOON
    assert sheet_of(customer, NOON + DAY).read("nps_0_10_90d").newest_at_ms == NOON + DAY


def test_a_figure_that_cannot_be_known_is_null_and_says_why() -> None:
    customer = Judged()
    customer.happens(account("known", NOON))
    reasons = {item.name: item.reason for item in all_figures(sheet_of(customer, NOON)) if item.value is None}
    assert reasons["csat_90d_pct"] == "no answers in the window"
    assert reasons["goals_completed_30d"] == "no usage was ever seen"
    assert reasons["oldest_open_ticket_days"] == "no ticket is open"
    assert reasons["days_since_last_sign"] == "no usage, ticket or answer was ever seen"
    assert figure(customer, "open_tickets").value == 0


def test_goals_are_unknown_until_usage_was_seen_and_then_zero() -> None:
    customer = Judged()
    assert sheet_of(customer, NOON).read("goals_completed_30d").value is None
    customer.happens(usage("feature_used", NOON, feature="board"))
    assert sheet_of(customer, NOON).read("goals_completed_30d").value == 0
    assert sheet_of(customer, NOON).read("features_used_7d").value == 1


def test_the_backlog_is_cut_by_priority_touchpoint_and_age() -> None:
    customer = Judged()
    customer.happens(
        ticket("opened", NOON - 4 * DAY, "A", priority="urgent", touchpoint="support"),
        ticket("opened", NOON, "B", touchpoint="product"),
    )
    assert figure(customer, "open_tickets_by_priority", "urgent").value == 1
    assert figure(customer, "open_tickets_by_touchpoint", "product").value == 1
    assert [figure(customer, "open_tickets_by_age", age).value for age in ("0-1d", "1-3d", "3-7d", "7-30d", "30d+")] == [
        1,
        0,
        1,
        0,
        0,
    ]
    assert figure(customer, "oldest_open_ticket_days").value == 4
    assert figure(customer, "tickets_opened_30d").value == 2


def test_the_renewal_counts_down_and_is_unknown_without_a_contract_that_ends() -> None:
    customer = Judged()
    assert sheet_of(customer, NOON).read("renewal_in_days").value is None
    customer.happens(account("contracted", NOON, renewal_at=NOON + 36 * DAY, mrr_cents=500, seats=7))
    assert sheet_of(customer, NOON).read("renewal_in_days").value == 36
    assert sheet_of(customer, NOON).read("mrr_cents").value == 500
    assert sheet_of(customer, NOON).read("seats").value == 7


def test_a_sheet_reads_each_figure_once() -> None:
    customer = Judged()
    customer.happens(ticket("opened", NOON))
    sheet = sheet_of(customer, NOON)
    assert sheet.read("oldest_open_ticket_days") is sheet.read("oldest_open_ticket_days")
