from processors.seen import GRACE_MS, MAX_IDS, NOTHING_FORGOTTEN, SeenIds, hash_of
from tests.support.happenings import NOON


def test_an_id_that_was_remembered_is_a_duplicate() -> None:
    seen = SeenIds()
    assert seen.check("a", NOON, NOON) == "new"
    seen.remember("a", NOON, NOON)
    assert seen.check("a", NOON, NOON) == "duplicate"
    assert seen.check("b", NOON, NOON) == "new"


def test_ids_are_remembered_for_the_grace_and_not_longer() -> None:
    seen = SeenIds()
    seen.remember("a", NOON, NOON)
    assert seen.check("a", NOON, NOON + GRACE_MS) == "duplicate"
    assert seen.check("a", NOON, NOON + GRACE_MS + 1) == "unverifiable"
    assert seen.floor_ms == NOON


def test_an_unknown_id_at_or_below_the_floor_cannot_be_told_from_a_duplicate() -> None:
    seen = SeenIds()
    seen.remember("a", NOON, NOON)
    clock = NOON + GRACE_MS + 1
    assert seen.check("b", NOON, clock) == "unverifiable"
    assert seen.check("b", NOON + 1, clock) == "new"


def test_beyond_the_bound_the_oldest_by_time_are_forgotten_whatever_the_order() -> None:
    forward, backward = SeenIds(), SeenIds()
    for number in range(MAX_IDS + 3):
        forward.remember(f"e{number}", NOON + number, NOON)
    for number in reversed(range(MAX_IDS + 3)):
        backward.remember(f"e{number}", NOON + number, NOON)
    assert forward == backward
    assert forward.count == MAX_IDS
    assert forward.floor_ms == NOON + 2
    assert forward.check("e2", NOON + 2, NOON) == "unverifiable"
    assert forward.check("e3", NOON + 3, NOON) == "duplicate"


def test_an_event_older_than_the_grace_is_forgotten_at_once() -> None:
    seen = SeenIds()
    seen.remember("old", NOON - GRACE_MS - 1, NOON)
    assert seen.count == 0
    assert seen.floor_ms == NOON - GRACE_MS - 1


def test_nothing_is_forgotten_at_first() -> None:
    assert SeenIds().floor_ms == NOTHING_FORGOTTEN
    assert SeenIds().check("a", 0, 0) == "new"


def test_pruning_forgets_as_a_check_would() -> None:
    pruned, checked = SeenIds(), SeenIds()
    for seen in (pruned, checked):
        seen.remember("a", NOON, NOON)
        seen.remember("b", NOON + 5, NOON)
    pruned.prune(NOON + GRACE_MS + 1)
    checked.check("c", NOON + 9, NOON + GRACE_MS + 1)
    assert pruned == checked
    assert pruned.count == 1


def test_bytes_that_look_like_a_hash_across_two_entries_are_none() -> None:
    across = SeenIds(entries=bytes(10) + hash_of("a") + bytes(10))
    assert across.check("a", NOON, 0) == "new"
