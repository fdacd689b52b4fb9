"""The customers of a partition: bytes at rest, decoded ones, and what is due."""

import pytest

from processors.due import NEVER
from processors.state import CustomerState, encode
from streams.state_bytes import FORMAT_VERSION, UnreadableState, config_version_of, next_due_of, pack, unpack
from streams.store import CustomerStore
from tests.support.happenings import NOON, account, answer, ticket, usage
from tests.support.judging import Judged


def store_with(**due: int) -> CustomerStore:
    store = CustomerStore()
    for name, due_ms in due.items():
        customer = store.create(name.encode(), name, 0)
        customer.state.next_due = due_ms
        store.schedule(customer.key, due_ms)
    return store


def restored(store: CustomerStore) -> CustomerStore:
    other = CustomerStore()
    other.restore(store.take_changes())
    return other


def test_a_customer_comes_back_from_its_bytes_as_it_was() -> None:
    store = store_with(ann=5)
    customer = store.get(b"ann")
    assert customer is not None
    customer.state.events_accepted = 3
    value = dict(store.take_changes())[b"ann"]
    assert unpack(value) == customer.state
    assert pack(unpack(value)) == value


def test_what_was_not_changed_is_not_written_again() -> None:
    store = store_with(ann=5, bob=6)
    assert len(store.take_changes()) == 2
    store.get(b"ann")
    assert store.take_changes() == []


def test_a_flush_before_the_commit_loses_no_change() -> None:
    store = store_with(ann=5)
    store.flush()
    assert [key for key, _ in store.take_changes()] == [b"ann"]


def test_customers_come_up_in_the_order_of_their_due_times() -> None:
    store = restored(store_with(ann=9, bob=2, cid=NEVER))
    assert store.next_due() == 2
    assert store.pop_due() == b"bob"
    assert store.next_due() == 9


def test_a_due_time_that_moved_on_is_looked_at_when_it_comes_up() -> None:
    store = store_with(ann=5)
    customer = store.get(b"ann")
    assert customer is not None
    customer.state.next_due = 50
    store.schedule(b"ann", 50)
    assert store.next_due() == 50


def test_a_due_time_that_came_nearer_counts_at_once() -> None:
    store = store_with(ann=50)
    customer = store.get(b"ann")
    assert customer is not None
    customer.state.next_due = 5
    store.schedule(b"ann", 5)
    assert store.next_due() == 5
    store.pop_due()
    customer.state.next_due = NEVER
    assert store.next_due() == NEVER, "the entry of before is no longer alive"


def test_a_tombstone_removes_a_customer_and_what_it_was_due_for() -> None:
    store = restored(store_with(ann=5))
    store.restore([(b"ann", None)])
    assert store.get(b"ann") is None
    assert store.next_due() == NEVER


def test_the_newest_record_of_a_customer_counts_at_a_restore() -> None:
    old, new = store_with(ann=5), store_with(ann=7)
    store = CustomerStore()
    store.restore(old.take_changes())
    store.restore(new.take_changes())
    assert store.next_due() == 7
    assert len(store) == 1


def test_a_customer_is_rolled_back_to_its_bytes_at_rest() -> None:
    store = restored(store_with(ann=5))
    customer = store.get(b"ann")
    assert customer is not None
    customer.state.events_accepted = 99
    assert store.rolled_back(customer).events_accepted == 0


def test_a_customer_that_rests_nowhere_is_rolled_back_to_a_new_one_and_forgotten() -> None:
    store = store_with(ann=5)
    customer = store.get(b"ann")
    assert customer is not None
    assert store.rolled_back(customer).events_accepted == 0
    store.forget(b"ann")
    assert b"ann" not in store


def test_only_those_judged_by_other_definitions_are_behind() -> None:
    store = store_with(ann=5, bob=6)
    for key, version in ((b"ann", 4), (b"bob", 3)):
        customer = store.get(key)
        assert customer is not None
        customer.state.config_version = version
    store.flush()
    assert store.behind(4) == [b"bob"]


@pytest.mark.parametrize("value", [b"", bytes([FORMAT_VERSION + 1]) + b"x" * 40])
def test_bytes_of_another_format_are_refused_with_a_word(value: bytes) -> None:
    with pytest.raises(UnreadableState, match="format"):
        unpack(value)


def test_damaged_bytes_are_refused_with_a_word() -> None:
    value = dict(store_with(ann=5).take_changes())[b"ann"]
    with pytest.raises(UnreadableState, match="cannot be decoded"):
        unpack(value[:-3])


def test_the_header_alone_says_when_a_customer_is_due_and_by_which_definitions_it_was_judged() -> None:
    state = CustomerState("c", config_version=7, next_due=123)
    value = pack(state)
    assert (config_version_of(value), next_due_of(value)) == (7, 123)


def test_a_state_takes_fewer_bytes_in_the_changelog_than_its_parts() -> None:
    customer = Judged()
    customer.happens(account("onboarded", NOON), answer("nps", "0_10", 9, NOON), ticket("opened", NOON), usage("session", NOON))
    assert len(pack(customer.state)) < 0.8 * len(encode(customer.state))


def test_who_is_due_is_counted_without_those_that_were_put_off() -> None:
    store = store_with(ann=5, bob=6, cid=7, dan=90)
    assert [store.count_due(until_ms) for until_ms in (4, 5, 7, 100)] == [0, 1, 3, 4]
    ann = store.get(b"ann")
    assert ann is not None
    ann.state.next_due = 50
    assert store.count_due(7) == 2
    assert restored(store).count_due(7) == 2


def test_the_size_is_that_of_the_values_at_rest_however_they_came_there() -> None:
    store = store_with(ann=5, bob=6)
    assert store.size_bytes == 0
    changes = store.take_changes()
    assert store.size_bytes == sum(len(value) for _, value in changes)
    other = CustomerStore()
    other.restore([*changes, *changes, (b"ann", None)])
    assert other.size_bytes == len(dict(changes)[b"bob"])
