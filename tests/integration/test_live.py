"""`cspulse live`: the past at once, what comes when it comes, and a start that goes on where the last one stopped."""

from collections import Counter

import msgspec
import pytest

from processors.windows import DAY_MS
from schemas.codec import Codec
from streams.live import HEADER, Clock, Course, Mark, Played, find_played, new_course, play
from streams.sources.simulator import simulate
from tests.support.cluster import PARTITIONS, EmbeddedCluster, create_topics
from tests.support.command_line import run
from tests.support.publishing import EVENT_TOPICS
from tests.support.topic_log import Logged, read_topic

pytestmark = pytest.mark.embedded
CUSTOMERS, SEED, DAYS = 20, 4, 40
NOON_MS = 1_790_164_800_000
HOUR_MS = 3_600_000


@pytest.fixture
def cluster(bare_embedded: EmbeddedCluster, app_id: str) -> EmbeddedCluster:
    create_topics(bare_embedded, app_id)
    return bare_embedded


class SteppingClock(Clock):
    """Time that goes on only by waiting."""

    def __init__(self, at_ms: int) -> None:
        self.at_ms = at_ms
        self.waited_s = 0.0

    def now_ms(self) -> int:
        return self.at_ms

    def sleep(self, seconds: float) -> None:
        self.waited_s += seconds
        self.at_ms += max(1, round(seconds * 1000))


def logged(cluster: EmbeddedCluster) -> list[Logged]:
    return [record for topic in EVENT_TOPICS for record in read_topic(cluster.bootstrap, topic)]


def numbers(records: list[Logged]) -> Counter[int]:
    marks = [msgspec.json.decode(dict(record.headers)[HEADER] or b"", type=Mark) for record in records]
    return Counter(mark.number for mark in marks)


def play_on(cluster: EmbeddedCluster, played: Played, clock: Clock, *, follow: bool, until_ms: int) -> int:
    return play(
        played,
        connection={"bootstrap.servers": cluster.bootstrap},
        codec=Codec(),
        follow=follow,
        clock=clock,
        stopped=lambda: clock.now_ms() >= until_ms,
    )


def expected(course: Course, until_ms: int) -> int:
    return sum(line.timestamp_ms <= until_ms for line in simulate(course.simulation()))


def test_the_past_is_published_at_once_and_nothing_of_what_is_to_come(cluster: EmbeddedCluster) -> None:
    clock = SteppingClock(NOON_MS)
    course = new_course(CUSTOMERS, SEED, DAYS, DAYS, clock.at_ms)
    sent = play_on(cluster, Played(course=course), clock, follow=False, until_ms=clock.at_ms + DAY_MS)
    records = logged(cluster)
    assert sent == len(records) == expected(course, clock.at_ms)
    assert clock.waited_s == 0
    assert max(record.timestamp_ms for record in records) <= clock.at_ms
    assert numbers(records) == Counter(range(1, sent + 1))


def test_what_comes_is_published_when_it_comes(cluster: EmbeddedCluster) -> None:
    start_ms = NOON_MS
    clock = SteppingClock(start_ms)
    course = new_course(CUSTOMERS, SEED, DAYS, DAYS, start_ms)
    until_ms = start_ms + 8 * HOUR_MS
    sent = play_on(cluster, Played(course=course), clock, follow=True, until_ms=until_ms)
    assert sent == expected(course, until_ms) > expected(course, start_ms)
    assert clock.waited_s == pytest.approx(8 * 3600, abs=2)


def test_a_start_goes_on_behind_what_is_in_the_log_and_sends_nothing_twice(cluster: EmbeddedCluster) -> None:
    start_ms = NOON_MS
    course = new_course(CUSTOMERS, SEED, DAYS, DAYS, start_ms)
    play_on(cluster, Played(course=course), SteppingClock(start_ms), follow=False, until_ms=start_ms + DAY_MS)
    found = find_played({"bootstrap.servers": cluster.bootstrap}, PARTITIONS)
    assert found is not None
    assert (found.course, max(found.reached.values())) == (course, expected(course, start_ms))

    later_ms = start_ms + 6 * HOUR_MS
    play_on(cluster, found, SteppingClock(later_ms), follow=False, until_ms=later_ms + DAY_MS)
    assert numbers(logged(cluster)) == Counter(range(1, expected(course, later_ms) + 1))


def test_a_start_after_a_kill_between_the_partitions_sends_what_is_missing_and_nothing_else(cluster: EmbeddedCluster) -> None:
    course = new_course(CUSTOMERS, SEED, DAYS, DAYS, NOON_MS)
    some = {("cs.usage", partition): 10**9 for partition in range(PARTITIONS)}
    held_back = Played(course=course, reached=some)  # as if nothing of the usage had been written
    first = play_on(cluster, held_back, SteppingClock(NOON_MS), follow=False, until_ms=NOON_MS + DAY_MS)
    assert 0 < first < expected(course, NOON_MS)
    found = find_played({"bootstrap.servers": cluster.bootstrap}, PARTITIONS)
    assert found is not None
    play_on(cluster, found, SteppingClock(NOON_MS), follow=False, until_ms=NOON_MS + DAY_MS)
    assert numbers(logged(cluster)) == Counter(range(1, expected(course, NOON_MS) + 1))


def test_the_command_publishes_goes_on_and_says_so(cluster: EmbeddedCluster) -> None:
    options = ("--customers", "2", "--days", "20", "--bootstrap-servers", cluster.bootstrap)
    first = run("live", *options)
    assert first.exit_code == 0, first.output
    assert "events of 2 customers published" in first.stderr
    again = run("live", "--customers", "9", "--bootstrap-servers", cluster.bootstrap)
    assert again.exit_code == 0, again.output
    assert "going on with the 2 customers of seed 1" in again.stderr


def test_without_topics_it_says_what_makes_them(bare_embedded: EmbeddedCluster) -> None:
    told = run("live", "--bootstrap-servers", bare_embedded.bootstrap)
    assert told.exit_code == 1
    assert "cspulse topics apply" in told.stderr
