"""What is looked at while months of outputs go by: explanations that add up, chains that hold, one open episode a rule."""

from collections.abc import Iterable, Iterator
from typing import Final

from msgspec import Struct

from schemas.records import ChurnAlert, HealthChange
from streams.replay import OutputLine

TOLERANCE: Final = 1e-9
MAX_TOLD: Final = 20


class Sizes(Struct, frozen=True):
    """How many bytes the states of the customers take, at the end of a month."""

    at_ms: int
    customers: int
    median: int
    p90: int
    p99: int
    largest: int


class Outcome(Struct, kw_only=True):
    """What a year has shown. `wrong` are sentences, none when all is well; seconds are of the processor."""

    events: int = 0
    ticks: int = 0
    health_changes: int = 0
    episodes: int = 0
    compared: int = 0
    wrong: list[str] = []
    wrong_count: int = 0
    sizes: list[Sizes] = []
    replay_s: float = 0.0
    ceiling_s: float = 0.0
    oracle_s: float = 0.0

    def tell(self, sentences: Iterable[str]) -> None:
        """Take in what is wrong; the first ones are kept."""
        for sentence in sentences:
            self.wrong_count += 1
            if len(self.wrong) < MAX_TOLD:
                self.wrong.append(sentence)


class Watch:
    """Looks at every health change and alert as it is published."""

    def __init__(self, outcome: Outcome) -> None:
        self._outcome = outcome
        self._published: dict[tuple[str, str], tuple[float | None, str | None]] = {}
        self._open: dict[tuple[str, str], str] = {}
        self._ended: set[str] = set()

    def see(self, line: OutputLine) -> None:
        """Look at a record."""
        if isinstance(line.value, HealthChange):
            self._outcome.health_changes += 1
            self._outcome.tell(self._wrong_change(line.value))
        elif isinstance(line.value, ChurnAlert):
            self._outcome.tell(self._wrong_alert(line.value))

    def _wrong_change(self, change: HealthChange) -> Iterator[str]:
        where = f"health change {change.sequence} of {change.customer_id}"
        moved = (change.new_score or 0.0) - (change.old_score or 0.0)
        if abs(sum(measure.delta for measure in change.measures) - moved) > TOLERANCE:
            yield f"{where}: the deltas do not add up to {moved}"
        if abs(sum(measure.new_contribution for measure in change.measures) - (change.new_score or 0.0)) > TOLERANCE:
            yield f"{where}: the contributions do not add up to {change.new_score}"
        place = (change.customer_id, change.purpose)
        before = self._published.get(place, (None, None))
        if (change.old_score, change.old_band) not in (before, (None, None)):
            yield f"{where}: begins with {change.old_score}, and {before[0]} was published"
        self._published[place] = (change.new_score, change.new_band)

    def _wrong_alert(self, alert: ChurnAlert) -> Iterator[str]:
        place = (alert.customer_id, alert.rule)
        running = self._open.get(place)
        if alert.state == "opened":
            self._outcome.episodes += 1
            if running is not None or alert.episode_id in self._ended:
                yield f"{alert.rule} of {alert.customer_id} opens {alert.episode_id} while {running} is open"
            self._open[place] = alert.episode_id
        elif running != alert.episode_id:
            yield f"{alert.rule} of {alert.customer_id} is {alert.state} for {alert.episode_id}, and {running} is open"
        if alert.state in ("resolved", "retracted"):
            self._open.pop(place, None)
            self._ended.add(alert.episode_id)
