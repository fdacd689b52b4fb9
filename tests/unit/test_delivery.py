"""What one destination of alerts is told, and what is noted of it."""

import json
import re
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from schemas.records import ChurnAlert, DeliveryFailure, DeliveryMark, FleetAlert, OwnerList
from sinks.calling import Answer
from sinks.delivery import KEPT_AFTER_END_MS, DeliverySink
from sinks.delivery_log import LogUnavailable, MemoryDeliveryLog
from sinks.messages import Message
from sinks.metric import LABELS
from sinks.notices import Notice
from sinks.sink import Batch, Place, Unavailable
from sinks.sink_metrics import FATES
from tests.support.sinks.delivering import DAY_MS, HOUR_MS, NOON, Desk, alert, entry, fleet_alert, owner_list

TAKEN = Answer("taken", 200, "HTTP 200")
BUSY = Answer("try_again", 503, "HTTP 503")


class Listener:
    """Somebody who is called within the test; `answers` are given one after the other, then everything is taken."""

    def __init__(self) -> None:
        self.answers: list[Answer] = []
        self.heard: list[dict[str, Any]] = []

    def call(self, message: Message, headers: Any) -> Answer:
        answer = self.answers.pop(0) if self.answers else TAKEN
        event = json.loads(message.body)
        assert headers["webhook-id"] == event["id"]
        self.heard.append(event)
        return answer

    def close(self) -> None:
        pass

    @property
    def types(self) -> list[str]:
        return [event["type"].removeprefix("cspulse.") for event in self.heard]


MakeDesk = Callable[..., Desk]


@pytest.fixture
def listener() -> Listener:
    return Listener()


@pytest.fixture
def desk(listener: Listener) -> MakeDesk:
    def make(**how: Any) -> Desk:
        made = Desk("http://127.0.0.1:9", **how)
        real = made.sink
        made.sink = lambda caller=None, log=None: real(caller or listener, log)  # type: ignore[method-assign]
        return made

    return make


def test_an_episode_is_told_from_its_opening_to_its_end(desk: MakeDesk, listener: Listener) -> None:
    one = desk()
    one.deliver(alert(), alert(sequence=2, state="updated"), alert(sequence=3, state="resolved"))
    assert listener.types == ["churn-alert.opened", "churn-alert.updated", "churn-alert.resolved"]
    assert one.outcomes() == ["delivered"] * 3
    assert one.metric("cspulse_delivery_notices_total", fate="delivered") == 3


def test_who_never_heard_of_an_episode_does_not_hear_of_its_end(desk: MakeDesk, listener: Listener) -> None:
    one = desk(takes=lambda notice: notice.severity == "critical")
    one.deliver(alert(), alert(sequence=2, state="resolved", severity="critical"), alert("b"), alert("b", 2, "retracted"))
    assert listener.heard == []


def test_whoever_heard_of_the_opening_hears_of_all_that_follows_whatever_the_routes_say_then(
    desk: MakeDesk, listener: Listener
) -> None:
    one = desk(takes=lambda notice: notice.owner == "kim")
    one.deliver(alert(), alert(sequence=2, state="updated", owner="lee"), alert(sequence=3, state="retracted", owner="lee"))
    assert listener.types == ["churn-alert.opened", "churn-alert.updated", "churn-alert.retracted"]


def test_an_episode_that_becomes_severe_enough_is_told_from_then_on(desk: MakeDesk, listener: Listener) -> None:
    one = desk(takes=lambda notice: notice.severity == "critical")
    one.deliver(alert(), alert(sequence=2, state="updated", severity="critical"), alert(sequence=3, state="resolved"))
    assert listener.types == ["churn-alert.updated", "churn-alert.resolved"]


def test_a_muted_episode_is_silent_until_it_is_unmuted(desk: MakeDesk, listener: Listener) -> None:
    one = desk()
    one.deliver(alert(muted=True), alert(sequence=2, state="updated"), alert("b", muted=True), alert("b", 2, "resolved"))
    assert [(event["subject"], event["type"]) for event in listener.heard] == [("acme", "cspulse.churn-alert.updated")]
    assert one.outcomes() == ["muted", "delivered", "muted", "muted"]


def test_an_episode_that_was_told_and_is_muted_then_is_told_only_its_end(desk: MakeDesk, listener: Listener) -> None:
    one = desk()
    one.deliver(alert(), alert(sequence=2, state="updated", muted=True), alert(sequence=3, state="resolved", muted=True))
    assert listener.types == ["churn-alert.opened", "churn-alert.resolved"]


def test_alerts_of_the_fleet_are_told_like_those_of_customers(desk: MakeDesk, listener: Listener) -> None:
    desk().deliver(fleet_alert(), fleet_alert(2, "resolved", resolution="4 %"))
    assert [(event["subject"], event["type"]) for event in listener.heard] == [
        ("fleet", "cspulse.fleet-alert.opened"),
        ("fleet", "cspulse.fleet-alert.resolved"),
    ]


def test_every_fate_is_offered_at_0_from_the_start_so_that_the_first_given_up_is_an_increase(desk: MakeDesk) -> None:
    one = desk()
    one.sink()
    offered = {
        sample.labels["fate"]: sample.value
        for family in one.metrics.registry.collect()
        for sample in family.samples
        if sample.name == "cspulse_delivery_notices_total"
    }
    assert offered == dict.fromkeys(FATES, 0)
    assert set(re.findall(r"`(\w+)`", LABELS["fate"])) == set(FATES)


def test_a_restart_tells_nothing_again(desk: MakeDesk, listener: Listener) -> None:
    one = desk()
    one.deliver(alert(), alert(sequence=2, state="updated"))
    one.give(one.sink())
    one.deliver(alert(sequence=3, state="resolved"))
    assert listener.types == ["churn-alert.opened", "churn-alert.updated", "churn-alert.resolved"]


def test_a_rebuild_that_tells_the_same_states_again_calls_nobody(desk: MakeDesk, listener: Listener) -> None:
    one = desk()
    one.deliver(alert(), alert(sequence=2, state="resolved"))
    one.deliver(alert(record_id="other-1"), alert(sequence=2, state="resolved", record_id="other-2"))
    assert len(listener.heard) == 2
    one.deliver(alert(record_id="other-3", opened_at=NOON + 1))
    assert len(listener.heard) == 3, "with another opening it is another episode"


def test_an_answer_that_could_not_be_noted_is_asked_for_again_under_the_same_id(desk: MakeDesk, listener: Listener) -> None:
    class Losing(MemoryDeliveryLog):
        def note(self, marks: Sequence[DeliveryMark], failures: Sequence[DeliveryFailure] = ()) -> None:
            if any(mark.receipt is not None for mark in marks):
                raise LogUnavailable("the brokers do not answer")
            super().note(marks, failures)

    one = desk()
    one.put(alert())
    with pytest.raises(Unavailable):
        one.give(one.sink(log=Losing(one.marks, one.failures, one.alerts)))
    one.give(one.sink())
    assert [event["id"] for event in listener.heard] == ["r-acme-1", "r-acme-1"]
    assert one.outcomes() == ["delivered"]


def test_a_note_that_a_frozen_process_wrote_too_late_hides_nothing_from_compaction(desk: MakeDesk, listener: Listener) -> None:
    one = desk()
    one.deliver(alert())
    late = one.marks[-1]
    one.deliver(alert(sequence=2, state="updated"))
    one.marks.append(late)  # who had lost the partition wrote it once more
    one.deliver(alert("b"))
    last = {mark.receipt.episode_id: mark for mark in one.marks if mark.receipt}
    one.marks[:] = [mark for mark in one.marks if mark.receipt is None or mark is last[mark.receipt.episode_id]]
    one.deliver(alert(sequence=3, state="resolved"))
    assert [event["type"] for event in listener.heard if event["subject"] == "acme"] == [
        *("cspulse.churn-alert.opened", "cspulse.churn-alert.updated", "cspulse.churn-alert.resolved")
    ]


def test_who_is_told_to_stop_calls_nobody_any_more_and_notes_how_far_it_is(desk: MakeDesk, listener: Listener) -> None:
    one = desk()
    records = one.put(alert(), alert("b"))
    place = Place("cs.churn-alerts", 0)
    sink = DeliverySink(
        *(one.terms, listener, MemoryDeliveryLog(one.marks), one.metrics, lambda: one.now_ms),
        is_over=lambda: len(listener.heard) == 1,
    )
    sink.assigned([place])
    with pytest.raises(Unavailable) as raised:
        sink.write([Batch(place, 0, 2, records)])
    assert raised.value.settled == {place: 1}
    assert len(listener.heard) == 1


def test_a_call_that_fails_is_made_again_later_and_not_before(desk: MakeDesk, listener: Listener) -> None:
    one = desk()
    listener.answers = [BUSY, Answer("try_again", 429, "HTTP 429", "", 30_000)]
    one.put(alert())
    sink = one.sink()
    for waited_ms, calls in ((0, 1), (999, 1), (1, 2), (29_999, 2)):
        one.now_ms += waited_ms
        with pytest.raises(Unavailable):
            one.give(sink)
        assert len(listener.heard) == calls
    assert one.metric("cspulse_delivery_failed_calls_in_a_row") == 2
    one.now_ms += 1
    one.give(sink)
    assert len(listener.heard) == 3
    assert one.outcomes() == ["delivered"]
    assert one.metric("cspulse_delivery_failed_calls_in_a_row") == 0
    assert one.metric("cspulse_delivery_calls_total", answer="try_again") == 2


def test_what_lies_behind_a_call_that_failed_waits(desk: MakeDesk, listener: Listener) -> None:
    one = desk()
    listener.answers = [TAKEN, BUSY]
    records = one.put(alert(), alert("b"), alert("c"))
    sink = one.sink()
    place = Place("cs.churn-alerts", 0)
    sink.assigned([place])
    with pytest.raises(Unavailable, match="HTTP 503, called again") as raised:
        sink.write([Batch(place, 0, 3, records)])
    assert raised.value.settled == {place: 1}
    assert [event["subject"] for event in listener.heard] == ["acme", "b"]
    assert one.sink().assigned([place]) == {place: 1}


def test_what_is_refused_for_good_is_kept_and_its_episode_is_told_from_its_next_state_on(
    desk: MakeDesk, listener: Listener
) -> None:
    one = desk()
    listener.answers = [Answer("refused", 400, "HTTP 400", "what is acme?")]
    one.deliver(alert(), alert(sequence=2, state="updated"))
    (failure,) = one.failures
    assert (failure.reason, failure.status, failure.message, failure.attempts) == ("refused", 400, "HTTP 400: what is acme?", 1)
    assert (failure.topic, failure.partition, failure.offset) == ("cs.churn-alerts", 0, 0)
    assert (failure.type, failure.subject, failure.message_id) == ("cspulse.churn-alert.opened", "acme", "r-acme-1")
    assert one.outcomes() == ["given_up", "delivered"]
    assert one.metric("cspulse_delivery_notices_total", fate="refused") == 1


def test_who_was_told_hears_of_the_end_also_when_an_update_was_refused(desk: MakeDesk, listener: Listener) -> None:
    listener.answers = [TAKEN, Answer("refused", 422, "HTTP 422")]
    desk().deliver(alert(), alert(sequence=2, state="updated"), alert(sequence=3, state="resolved"))
    assert listener.types == ["churn-alert.opened", "churn-alert.updated", "churn-alert.resolved"]


def test_what_is_not_taken_in_time_is_given_up_and_those_behind_it_do_not_wait_for_calls_of_their_own(
    desk: MakeDesk, listener: Listener
) -> None:
    one = desk(give_up_after_ms=HOUR_MS)
    listener.answers = [BUSY, BUSY]
    one.put(alert(), alert("b"), alert("c", emitted_at=NOON + HOUR_MS))
    sink = one.sink()
    with pytest.raises(Unavailable):
        one.give(sink)
    one.now_ms += HOUR_MS
    with pytest.raises(Unavailable):
        one.give(sink)
    assert [(one.subject, one.reason, one.attempts) for one in one.failures] == [("acme", "expired", 2), ("b", "expired", 0)]
    assert one.failures[1].message == "not called, since just before: HTTP 503, called again 2.0 s later at the soonest"
    one.now_ms += 2_000
    one.give(sink)
    assert [event["subject"] for event in listener.heard] == ["acme", "acme", "c"]


def test_what_was_published_long_after_it_was_judged_is_history(desk: MakeDesk, listener: Listener) -> None:
    one = desk()
    one.deliver(alert(as_of=NOON - 4 * DAY_MS), alert(sequence=2, state="resolved"))
    assert listener.heard == []
    assert one.metric("cspulse_delivery_notices_total", fate="history") == 1


def test_when_delivery_begins_only_what_is_young_and_still_open_is_told(desk: MakeDesk, listener: Listener) -> None:
    one = desk(history={Place("cs.churn-alerts", 0): 4, Place("cs.owner-lists", 0): 1}, digests=True)
    old = NOON - 4 * DAY_MS
    one.deliver(
        *(alert("old", as_of=old, emitted_at=old), alert("over"), alert("open"), alert("over", 2, "resolved")),
        *(alert("old", 2, "resolved"), alert("new"), owner_list(entry("over"))),
    )
    assert [event["subject"] for event in listener.heard] == ["open", "new"]


def test_a_restart_amid_the_history_goes_on_in_the_same_way(desk: MakeDesk, listener: Listener) -> None:
    one = desk(history={Place("cs.churn-alerts", 0): 3})
    listener.answers = [BUSY]
    one.put(alert("open"), alert("over"), alert("over", 2, "resolved"))
    with pytest.raises(Unavailable):
        one.give(one.sink())
    one.now_ms += HOUR_MS
    one.give(one.sink())
    assert [event["subject"] for event in listener.heard] == ["open", "open"]


def test_what_has_ended_long_ago_is_let_go_of(desk: MakeDesk) -> None:
    one = desk()
    one.deliver(alert(), alert(sequence=2, state="resolved"), alert("b"))
    assert {mark.receipt.episode_id for mark in one.marks if mark.receipt} == {"ep-acme", "ep-b"}
    one.now_ms += 3 * DAY_MS + KEPT_AFTER_END_MS + 1
    one.deliver(alert("c", emitted_at=one.now_ms, as_of=one.now_ms))
    assert {mark.receipt.episode_id for mark in one.marks if mark.receipt} == {"ep-b", "ep-c"}


def test_a_position_outlives_the_episode_whose_end_it_stood_in(desk: MakeDesk, listener: Listener) -> None:
    one = desk()
    one.deliver(alert(), alert(sequence=2, state="resolved"))
    one.now_ms += 3 * DAY_MS + KEPT_AFTER_END_MS + 1
    sink, place = one.sink(), Place("cs.churn-alerts", 0)
    sink.assigned([place])
    sink.write([Batch(place, 2, 2, [])])
    assert [mark for mark in one.marks if mark.receipt] == []
    assert one.sink().assigned([place]) == {place: 2}
    one.give(one.sink())
    assert len(listener.heard) == 2


# ---- the owner's budget of the day ----


def test_what_is_beyond_the_budget_comes_in_the_digest_and_of_what_follows_only_the_end_is_told(
    desk: MakeDesk, listener: Listener
) -> None:
    one = desk(digests=True, budget_a_day=2)
    one.deliver(alert("a"), alert("b"), alert("c"), owner_list(entry("c")), alert("c", 2, "updated"), alert("c", 3, "resolved"))
    assert [event["subject"] for event in listener.heard] == ["a", "b", "kim", "c"]
    assert listener.types[-2:] == ["owner-list.digest", "churn-alert.resolved"]
    assert one.outcomes() == ["delivered", "delivered", "held", "delivered", "digest", "digest", "delivered"]


def test_who_heard_of_an_episode_in_a_digest_hears_of_its_end_also_when_it_was_muted(desk: MakeDesk, listener: Listener) -> None:
    one = desk(digests=True, budget_a_day=0)
    one.deliver(alert("c"), owner_list(entry("c")), alert("c", 2, "updated", muted=True), alert("c", 3, "retracted", muted=True))
    assert listener.types == ["owner-list.digest", "churn-alert.retracted"]


def test_what_a_digest_told_of_and_becomes_more_severe_is_told_from_then_on(desk: MakeDesk, listener: Listener) -> None:
    one = desk(digests=True, budget_a_day=0)
    one.deliver(
        *(alert("c"), owner_list(entry("c")), alert("c", 2, "updated"), alert("c", 3, "updated", severity="critical")),
        alert("c", 4, "updated", severity="critical"),
    )
    assert listener.types == ["owner-list.digest", "churn-alert.updated", "churn-alert.updated"]


def test_the_most_severe_are_told_at_once_also_beyond_the_budget_of_others(desk: MakeDesk, listener: Listener) -> None:
    one = desk(digests=True, budget_a_day=1)
    one.deliver(alert("a"), alert("b", severity="critical"), alert("c", severity="critical"), alert("d", owner="lee"))
    assert [event["subject"] for event in listener.heard] == ["a", "b", "d"]


def test_one_that_waits_and_becomes_more_severe_is_told(desk: MakeDesk, listener: Listener) -> None:
    one = desk(digests=True, budget_a_day=1)
    one.deliver(alert("a"), alert("b"), alert("b", 2, "updated", severity="critical"))
    assert [event["subject"] for event in listener.heard] == ["a", "b"]


def test_one_that_waited_and_is_not_in_the_digest_is_told_then(desk: MakeDesk, listener: Listener) -> None:
    one = desk(digests=True, budget_a_day=1)
    one.deliver(alert("a"), alert("b"), alert("c"), owner_list(entry("a"), entry("b")))
    assert [event["subject"] for event in listener.heard] == ["a", "kim", "c"]
    one.give(one.sink())
    assert len(listener.heard) == 3


def test_what_waited_for_a_digest_that_was_refused_is_told_one_by_one(desk: MakeDesk, listener: Listener) -> None:
    one = desk(digests=True, budget_a_day=1)
    listener.answers = [TAKEN, Answer("refused", 400, "HTTP 400")]
    one.deliver(alert("a"), alert("b"), owner_list(entry("b")))
    assert [event["subject"] for event in listener.heard] == ["a", "kim", "b"]


def test_one_that_no_digest_told_of_is_told_with_the_next_morning_list(desk: MakeDesk, listener: Listener) -> None:
    one = desk(digests=True, budget_a_day=1)
    one.deliver(alert("a"), alert("b"), alert("over"), alert("over", 2, "resolved"))
    one.deliver(owner_list(kind="morning_list", day="2026-01-01"))
    assert [event["subject"] for event in listener.heard] == ["a"], "its own day is not over"
    one.deliver(owner_list(kind="morning_list", day="2026-01-02"))
    assert [event["subject"] for event in listener.heard] == ["a", "b"]


def test_those_that_a_digest_has_no_room_for_are_covered_unless_they_are_more_severe(desk: MakeDesk, listener: Listener) -> None:
    one = desk(digests=True, budget_a_day=0)
    one.deliver(
        *(alert("a", severity="warning"), alert("b", severity="warning"), alert("c", severity="critical")),
        owner_list(entry("a", severity="warning"), left_out=1),
    )
    assert [event["subject"] for event in listener.heard] == ["kim", "c"]


def test_a_failure_amid_what_waited_is_made_up_for_after_a_restart(desk: MakeDesk, listener: Listener) -> None:
    one = desk(digests=True, budget_a_day=0)
    listener.answers = [TAKEN, BUSY]
    one.put(alert("a"), alert("b"), owner_list(entry("x")))
    with pytest.raises(Unavailable):
        one.give(one.sink())
    one.now_ms += HOUR_MS
    one.give(one.sink())
    assert [event["subject"] for event in listener.heard] == ["kim", "a", "a", "b"]


def test_without_digests_every_alert_is_told_and_lists_only_where_they_are_wanted(desk: MakeDesk, listener: Listener) -> None:
    morning = owner_list(entry("a"), kind="morning_list")
    desk(budget_a_day=0).deliver(alert("a"), alert("b"), owner_list(entry("b")), morning)
    assert [event["subject"] for event in listener.heard] == ["a", "b"]
    desk(morning_lists=True, name="other").deliver(morning)
    assert listener.types[-1] == "owner-list.morning-list"


def test_the_budget_is_remembered_over_a_restart(desk: MakeDesk, listener: Listener) -> None:
    one = desk(digests=True, budget_a_day=2)
    one.deliver(alert("a"), alert("b"))
    one.deliver(alert("c"))
    assert [event["subject"] for event in listener.heard] == ["a", "b"]


@pytest.mark.parametrize("restarts", [False, True])
def test_the_budget_counts_what_goes_there_whether_or_not_the_process_restarts(
    desk: MakeDesk, listener: Listener, *, restarts: bool
) -> None:
    one = desk(digests=True, budget_a_day=1, takes=lambda notice: notice.subject != "elsewhere")
    alerts = [alert("elsewhere"), alert("a"), alert("b")]
    for values in [[value] for value in alerts] if restarts else [alerts]:
        one.deliver(*values)
    assert [event["subject"] for event in listener.heard] == ["a"]
    assert one.outcomes() == ["delivered", "held"]


@pytest.mark.parametrize("restarts", [False, True])
def test_an_alert_that_was_told_counts_under_its_severity_of_now(desk: MakeDesk, listener: Listener, *, restarts: bool) -> None:
    one = desk(digests=True, budget_a_day=1)
    alerts = [alert("a", severity="warning"), alert("a", 2, "updated", severity="critical"), alert("b", severity="critical")]
    for values in [[value] for value in alerts] if restarts else [alerts]:
        one.deliver(*values)
    assert [event["subject"] for event in listener.heard] == ["a", "a"]


def test_alerts_of_the_fleet_wait_for_no_digest_since_none_would_name_them(desk: MakeDesk, listener: Listener) -> None:
    one = desk(digests=True, budget_a_day=0)
    one.deliver(fleet_alert(), fleet_alert(2, "resolved", resolution="4 %"))
    assert listener.types == ["fleet-alert.opened", "fleet-alert.resolved"]


@pytest.mark.parametrize("restarts", [False, True])
def test_neither_alerts_of_the_fleet_nor_lists_take_up_anybodys_budget(
    desk: MakeDesk, listener: Listener, *, restarts: bool
) -> None:
    one = desk(digests=True, morning_lists=True, budget_a_day=1)
    records: list[ChurnAlert | FleetAlert | OwnerList] = [
        *(fleet_alert(), owner_list(kind="morning_list", owner=""), owner_list(kind="morning_list")),
        *(alert("a", owner=None, severity="info"), alert("b", severity="info")),
    ]
    for values in [[value] for value in records] if restarts else [records]:
        one.deliver(*values)
    assert [event["subject"] for event in listener.heard][-2:] == ["a", "b"]


def test_an_alert_that_is_taken_back_leaves_its_place_in_the_budget(desk: MakeDesk, listener: Listener) -> None:
    one = desk(digests=True, budget_a_day=1)
    one.deliver(alert("a"), alert("a", 2, "retracted"), alert("b"))
    assert [event["subject"] for event in listener.heard] == ["a", "a", "b"]


def test_a_route_sees_rule_severity_segment_and_owner(desk: MakeDesk) -> None:
    seen: list[Notice] = []

    def takes(notice: Notice) -> bool:
        seen.append(notice)
        return False

    desk(takes=takes).deliver(alert(), fleet_alert())
    assert [(one.rule, one.severity, one.segment, one.owner) for one in seen] == [
        ("health_red", "high", "enterprise", "kim"),
        ("too_many_churners", "critical", None, None),
    ]
