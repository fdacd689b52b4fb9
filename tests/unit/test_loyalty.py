import pytest

from processors import loyalty
from processors.csat import Share
from processors.definitions import Definitions, DefinitionsError, parse
from processors.due import NEVER
from processors.effects import Around
from processors.figures import Sheet
from processors.loyalty import LoyaltyState
from processors.nps import Counts
from processors.state import CustomerState, encode
from processors.windows import DAY_MS
from schemas.records import CustomerSnapshot, LoyaltyChange
from tests.support.happenings import NOON, account, answer, usage
from tests.support.judging import Judged, default_definitions, default_text

CUTOFFS = default_definitions().loyalty


def an_advocate() -> Judged:
    customer = Judged()
    customer.happens(*(answer("csat", "good_bad", 1, touchpoint="trial") for _ in range(2)))
    customer.happens(answer("nps", "0_10", 9, respondent="r"))
    return customer


def changes(customer: Judged) -> list[LoyaltyChange]:
    return [record for record in customer.context.effects.outputs if isinstance(record, LoyaltyChange)]


def test_changes_chain_and_tell_also_when_a_quadrant_is_unknown_for_another_reason() -> None:
    customer = an_advocate()
    assert [(change.old_quadrant, change.new_quadrant, change.reason) for change in changes(customer)] == [
        ("unknown", "unknown", "no valid NPS answer"),
        ("unknown", "advocate", None),
    ]
    assert [change.sequence for change in changes(customer)] == [1, 2]


def test_nothing_is_published_while_nothing_is_answered() -> None:
    customer = Judged()
    customer.happens(account("lead", NOON), usage("feature_used", feature="f"))
    customer.passes(NOON + 300 * DAY_MS)
    assert changes(customer) == []
    assert customer.state.loyalty == LoyaltyState()


def test_a_change_names_its_cause() -> None:
    customer = an_advocate()
    stricter = parse(default_text().replace("least_csat_answers = 2", "least_csat_answers = 3"))
    customer.reconfigured(stricter, NOON + 1)
    assert (changes(customer)[-1].cause, changes(customer)[-1].config_version) == ("config", 2)
    customer.reconfigured(default_definitions(), NOON + 2)
    customer.passes(NOON + 100 * DAY_MS)
    assert [change.cause for change in changes(customer)] == ["data", "data", "config", "config", "time"]
    assert [change.new_quadrant for change in changes(customer)][2:] == ["unknown", "advocate", "unknown"]


def test_an_event_that_is_no_answer_does_not_judge_again_on_the_same_day() -> None:
    customer = an_advocate()
    customer.state.loyalty.code = loyalty.CHURNER  # what a judgement would put right
    customer.happens(usage("feature_used", NOON + 1, feature="f"))
    assert customer.state.loyalty.code == loyalty.CHURNER
    customer.happens(usage("feature_used", NOON + DAY_MS, feature="f"))
    assert customer.state.loyalty.code == loyalty.ADVOCATE


def test_the_end_of_the_oldest_valid_answer_is_due() -> None:
    customer = an_advocate()
    customer.happens(answer("nps", "0_10", 9, NOON - DAY_MS, respondent="older"), clock=NOON)
    valid_ms = CUTOFFS.nps_valid_ms
    assert loyalty.next_due(Sheet(customer.state, NOON, default_definitions())) == NOON - DAY_MS + valid_ms
    assert loyalty.next_due(Sheet(customer.state, NOON - DAY_MS + valid_ms, default_definitions())) == NOON + valid_ms
    assert loyalty.next_due(Sheet(customer.state, NOON + valid_ms, default_definitions())) == NEVER


def test_the_daily_slot_comes_as_long_as_the_window_moves() -> None:
    assert default_definitions().settles_after_ms >= (CUTOFFS.window.days + 1) * DAY_MS


def test_an_answer_without_a_respondent_counts_for_nobodys_loyalty() -> None:
    customer = Judged()
    customer.happens(*(answer("csat", "good_bad", 1) for _ in range(2)), answer("nps", "0_10", 9))
    assert changes(customer)[-1].reason == "no valid NPS answer"


def test_both_scales_tell_promoters_from_detractors() -> None:
    customer = an_advocate()
    customer.happens(answer("nps", "1_10", 1, respondent="r2"), answer("nps", "1_10", 6, respondent="r3"))
    change = changes(customer)[-1]
    assert (change.new_quadrant, change.promoters, change.detractors) == ("wildcard", 1, 2)


@pytest.mark.parametrize(("share", "expected"), [(Share(1, 2), True), (Share(49, 99), False), (Share(50, 100), True)])
def test_the_cut_off_itself_is_satisfied_exactly(share: Share, expected: bool) -> None:
    code = loyalty._code(share, Counts(1, 0, 0), CUTOFFS, loyalty.NO_ANSWERS)
    assert (code == loyalty.ADVOCATE) == expected


def test_where_more_than_one_nps_answer_is_needed_the_reason_says_so() -> None:
    text = default_text().replace("least_nps_answers = 1", "least_nps_answers = 2")
    assert loyalty.reason(loyalty.TOO_FEW_NPS, parse(text).loyalty) == "too few valid NPS answers"
    assert loyalty.reason(loyalty.NO_ANSWERS, CUTOFFS) == "too few CSAT answers and no valid NPS answer"


def test_there_is_no_worst_touchpoint_where_nobody_complains() -> None:
    change = changes(an_advocate())[-1]
    assert (change.worst_touchpoint, change.weak_touchpoint) == (None, False)


def test_of_two_touchpoints_alike_the_one_with_more_answers_is_the_worse() -> None:
    customer = Judged()
    for touchpoint in ("trial", "support", "support"):
        customer.happens(answer("csat", "good_bad", 0, touchpoint=touchpoint))
    customer.happens(answer("nps", "0_10", 9, respondent="r"))
    assert changes(customer)[-1].worst_touchpoint == "support"


def test_the_snapshot_shows_the_quadrant_why_it_is_unknown_and_what_to_do() -> None:
    customer = Judged()
    customer.happens(account("onboarded", NOON))
    snapshot = [record for record in customer.context.effects.outputs if isinstance(record, CustomerSnapshot)][-1]
    assert (snapshot.quadrant, snapshot.quadrant_reason) == ("unknown", "too few CSAT answers and no valid NPS answer")
    assert snapshot.quadrant_action == CUTOFFS.actions["unknown"]


def test_the_standing_takes_11_bytes_with_answers() -> None:
    known = CustomerState("c", loyalty=LoyaltyState(loyalty.ADVOCATE, NOON // DAY_MS, NOON // 1000))
    assert len(encode(known)) - len(encode(CustomerState("c"))) == 6  # 5 bytes are there without


def test_an_erased_customer_begins_a_new_chain() -> None:
    customer = an_advocate()
    customer.happens(account("erased", NOON + 1))
    assert customer.state.loyalty == LoyaltyState()
    customer.happens(*(answer("csat", "good_bad", 1, NOON + 2) for _ in range(2)))
    assert (changes(customer)[-1].old_quadrant, changes(customer)[-1].sequence) == ("unknown", 3)


# ---- the rules ----


def a_churner(definitions: Definitions | None = None) -> Judged:
    customer = Judged(definitions)
    customer.happens(*(answer("csat", "good_bad", 0, touchpoint="support") for _ in range(2)))
    customer.happens(answer("nps", "0_10", 0, respondent="r"))
    return customer


def test_an_episode_opens_with_the_quadrant_and_ends_with_it() -> None:
    customer = a_churner(parse(default_text().replace('enabled = false\nkind = "quadrant"', 'kind = "quadrant"')))
    customer.happens(answer("nps", "0_10", 10, NOON + 1, respondent="r"))
    assert customer.states_of("became_churner") == ["opened", "resolved"]
    assert customer.alerts_of("became_churner")[-1].resolution == "the quadrant is vip_support"
    assert customer.states_of("became_vip_support") == ["opened"]
    customer.passes(NOON + 100 * DAY_MS)
    ending = customer.alerts_of("became_vip_support")[-1]
    assert (ending.state, ending.resolution) == ("resolved", "the quadrant is unknown: too few CSAT answers")


def test_the_explanation_tells_both_axes_and_the_worst_touchpoint() -> None:
    alert = a_churner().alerts_of("became_churner")[0]
    assert alert.explanation == (
        "CSAT is 0 % from 2 answers in 90 days (satisfied from 50 %); of the latest NPS answers 0 promoters against 1 detractor; "
        "the worst touchpoint is support."
    )
    evidence = {found.figure: (found.value, found.threshold, found.n) for found in alert.evidence}
    assert evidence == {
        "csat_90d_pct": (0, 50, 2),
        "promoters": (0, None, 1),
        "detractors": (1, None, 1),
        "churner_share": (None, 0.05, None),
    }


def test_a_fleet_whose_share_is_not_known_has_few_churners() -> None:
    alert = a_churner().alerts_of("became_churner")[0]
    assert alert.severity == "info"
    snapshot = [record for record in a_churner().context.effects.outputs if isinstance(record, CustomerSnapshot)][-1]
    shown = {alert.rule: alert.action for alert in snapshot.open_alerts}
    assert shown["became_churner"] == alert.action


def test_an_open_episode_follows_the_share_of_the_fleet() -> None:
    customer = a_churner()
    customer.context.around = Around(fleet={"churner_share": 0.2})
    customer.happens(usage("feature_used", NOON + 1, feature="f"))
    assert [(alert.state, alert.severity) for alert in customer.alerts_of("became_churner")] == [
        ("opened", "info"),
        ("updated", "high"),
    ]
    assert customer.alerts_of("became_churner")[-1].action == default_definitions().rules["became_churner"].action


MISTAKES = [
    ('quadrant = "churner"', 'quadrant = "chuner"', 'rules["became_churner"].quadrant'),
    ('quadrant = "vip_support"\n', "", 'rules["became_vip_support"].quadrant'),
    ("most_share_pct = 5", "most_share_pct = 500", 'rules["became_churner"].lone.most_share_pct'),
    ("most_share_pct = 5", "most_share = 5", 'rules["became_churner"].lone.most_share'),
    ('quadrant = "churner"\nseverity = "high"', 'quadrant = "churner"\nseverity = "info"', 'rules["became_churner"].severity'),
    ('quadrant = "churner"', 'quadrant = "wildcard"', 'rules["became_churner"].lone'),
    ("satisfied_from_pct = 50", "satisfied_from_pct = 0", "loyalty.satisfied_from_pct"),
    ("window_days = 90", "window_days = 91", "loyalty.window_days"),
    ("nps_valid_days = 210", "nps_valid_days = 401", "loyalty.nps_valid_days"),
    ("few_below = 4", "fewer_than = 4", "loyalty.fewer_than"),
    ('wildcard = "Find', 'wildcrd = "Find', "loyalty.actions.wildcrd"),
    ('unknown = "Do not', 'unknown = "" # "Do not', "loyalty.actions.unknown"),
]


@pytest.mark.parametrize(("right", "wrong", "place"), MISTAKES)
def test_a_mistake_is_told_with_its_place(right: str, wrong: str, place: str) -> None:
    text = default_text()
    assert text.count(right) == 1
    with pytest.raises(DefinitionsError) as caught:
        parse(text.replace(right, wrong))
    assert [mistake.place for mistake in caught.value.mistakes] == [place]
