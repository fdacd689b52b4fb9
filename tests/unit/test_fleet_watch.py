"""Which of the fleet's published figures a worker's ticks carry."""

from processors.fleet_publication import Edition, Keyed, Memory, snapshots
from processors.fleet_view import FleetValue
from schemas.codec import Codec
from streams.fleet_watch import TOPIC, FleetWatch
from tests.support.happenings import NOON

CODEC = Codec()


def records(incarnation: str, as_of_ms: int, *values: FleetValue, memory: Memory | None = None) -> list[bytes]:
    edition = Edition(incarnation=incarnation, as_of_ms=as_of_ms, emitted_at=None, config_version=0, coverage_share=1.0)
    keyed: list[Keyed] = list(snapshots(memory or Memory(), edition, list(values), is_whole=False))
    return [CODEC.encode(TOPIC, one.record) for one in keyed]


def known(watch: FleetWatch) -> dict[str, tuple[float | None, int]]:
    return {figure.name: (figure.value, figure.as_of) for figure in watch.figures()}


def share(value: float | None) -> FleetValue:
    return FleetValue(figure="churner_share", value=value)


def test_the_newest_of_each_figure_that_a_rule_needs_is_known_by_name_and_dimension() -> None:
    watch, memory = FleetWatch({}, CODEC, "app"), Memory()
    top = FleetValue(figure="mrr_top_tenth_cents", dimension="EUR", value=90_000.0)
    other = FleetValue(figure="advocate_share", value=0.4)
    for at_ms, value in ((NOON, 0.02), (NOON + 1, 0.03)):
        for record in records("app", at_ms, share(value), top, other, memory=memory):
            watch.take(record)
    assert known(watch) == {"churner_share": (0.03, NOON + 1), "mrr_top_tenth_cents|EUR": (90_000.0, NOON + 1)}


def test_a_figure_that_cannot_be_known_is_carried_as_unknown() -> None:
    watch = FleetWatch({}, CODEC, "app")
    for record in records("app", NOON, share(None)):
        watch.take(record)
    assert known(watch) == {"churner_share": (None, NOON)}


def test_an_older_record_and_one_of_another_application_change_nothing() -> None:
    watch = FleetWatch({}, CODEC, "app")
    mine = Memory()
    new = records("app", NOON, share(0.02), memory=mine)
    old = records("app", NOON - 1, share(0.5), memory=mine)
    for record in (*new, *old, *records("another", NOON + 1, share(0.9)), b"no record"):
        watch.take(record)
    assert known(watch) == {"churner_share": (0.02, NOON)}


def test_figures_for_the_ticks_go_out_with_every_publication_others_only_when_they_change() -> None:
    memory = Memory()
    values = (share(0.02), FleetValue(figure="advocate_share", value=0.4))
    assert [len(records("app", NOON + turn, *values, memory=memory)) for turn in range(3)] == [2, 1, 1]


def test_a_figure_that_is_not_counted_any_more_is_told_to_be_gone_once() -> None:
    memory = Memory()
    edition = Edition(incarnation="app", as_of_ms=NOON, emitted_at=None, config_version=0, coverage_share=1.0)
    trial = FleetValue(figure="customers", dimension="trial", value=3.0, n=3)
    found = [list(snapshots(memory, edition, values, is_whole=True)) for values in ([trial], [], [], [trial])]
    told = [[(one.record.value, one.record.reason, one.record.sequence) for one in some] for some in found]  # type: ignore[union-attr]  # snapshots
    assert told == [[(3.0, None, 1)], [(None, "nothing is counted here any more", 2)], [], [(3.0, None, 3)]]
