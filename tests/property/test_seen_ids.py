from random import Random

from hypothesis import given
from hypothesis import strategies as st

from processors.seen import GRACE_MS, MAX_IDS, NOTHING_FORGOTTEN, SeenIds, Verdict
from tests.support.happenings import NOON

ARRIVALS = st.lists(st.tuples(st.integers(0, 9), st.integers(-GRACE_MS - 9, 600_000), st.integers(0, GRACE_MS // 3)), max_size=80)


class Model:
    """The rule as design words it, with plain sets and everything forgotten at once."""

    def __init__(self) -> None:
        self.known: dict[str, int] = {}
        self.floor_ms = NOTHING_FORGOTTEN

    def judge(self, event_id: str, at: int, clock: int) -> Verdict:
        self._forget(clock)
        if event_id in self.known:
            return "duplicate"
        return "unverifiable" if at <= self.floor_ms else "new"

    def accept(self, event_id: str, at: int, clock: int) -> None:
        self.known[event_id] = at
        self._forget(clock)

    def _forget(self, clock: int) -> None:
        newest = sorted(self.known.items(), key=lambda item: item[1])[-MAX_IDS:]
        kept = {event_id: at for event_id, at in newest if at >= clock - GRACE_MS}
        gone = [at for event_id, at in self.known.items() if event_id not in kept]
        self.floor_ms = max([self.floor_ms, *gone])
        self.known = kept


@given(ARRIVALS)
def test_every_verdict_is_the_one_of_the_rule_in_words(arrivals: list[tuple[int, int, int]]) -> None:
    seen, model, clock = SeenIds(), Model(), NOON
    for number, behind, step in arrivals:
        clock += step
        at = clock + behind
        verdict = seen.check(f"e{number}", at, clock)
        assert verdict == model.judge(f"e{number}", at, clock)
        if verdict != "duplicate":
            seen.remember(f"e{number}", at, clock)
            model.accept(f"e{number}", at, clock)
        assert seen.floor_ms == model.floor_ms
        assert seen.count == len(model.known)


@given(st.integers(MAX_IDS - 5, MAX_IDS + 20), st.integers(0, 2**32))
def test_which_ids_are_kept_does_not_depend_on_their_order(number: int, seed: int) -> None:
    moments = list(range(number))
    forward, shuffled = SeenIds(), SeenIds()
    for moment in moments:
        forward.remember(f"e{moment}", NOON + moment, NOON)
    Random(seed).shuffle(moments)
    for moment in moments:
        shuffled.remember(f"e{moment}", NOON + moment, NOON)
    assert forward == shuffled
