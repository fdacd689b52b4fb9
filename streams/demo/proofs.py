"""What a reader can prove to itself from the outputs alone: nothing missing, nothing twice, every explanation adds up."""

from msgspec import Struct

from schemas.records import ChurnAlert, HealthChange

_TOLERANCE_POINTS = 1e-9


class Proof(Struct, kw_only=True):
    """Something that holds for all outputs, how often it was looked at, and how often it did not hold."""

    claim: str
    checked: int = 0
    flaws: int = 0
    example: str | None = None

    def hold(self, condition: bool, what: str) -> None:
        """Look at one case; `what` names it, should it not hold."""
        self.checked += 1
        if not condition:
            self.flaws += 1
            self.example = self.example or what


class Proofs:
    """Looks at every output as it is read. Memory grows with the number of outputs, by one id each."""

    def __init__(self) -> None:
        self.distinct = Proof(claim="every output has a record_id of its own")
        self.chained = Proof(claim="every health change begins where the one before it ended")
        self.explained = Proof(claim="the measures' parts add up to the change of the score")
        self.episodes = Proof(claim="every alert opens once and ends at most once, one at a time for a customer and rule")
        self._ids: set[bytes] = set()
        self._changes: dict[tuple[str, str], HealthChange] = {}
        self._numbers: dict[str, int] = {}
        self._open: dict[tuple[str, str], str] = {}
        self._opened: set[str] = set()

    def all(self) -> list[Proof]:
        """The proofs, in the order in which they are told."""
        return [self.distinct, self.chained, self.explained, self.episodes]

    def take_id(self, record_id: str) -> None:
        """The id of an output, of whatever kind."""
        identity = bytes.fromhex(record_id)
        self.distinct.hold(identity not in self._ids, record_id)
        self._ids.add(identity)

    def take_change(self, change: HealthChange) -> None:
        """A health change, in its place among those of its customer: numbered over all scores, chained for each of them."""
        chain = (change.customer_id, change.purpose)
        before = self._changes.get(chain)
        self._changes[chain] = change
        number = self._numbers.get(change.customer_id, 0) + 1
        self._numbers[change.customer_id] = change.sequence
        what = f"{change.customer_id}, change {change.sequence}"
        self.chained.hold(change.sequence == number and _follows(before, change), what)
        moved = (change.new_score or 0.0) - (change.old_score or 0.0)
        explained = sum(measure.delta for measure in change.measures)
        self.explained.hold(abs(moved - explained) <= _TOLERANCE_POINTS, what)

    def take_alert(self, alert: ChurnAlert) -> None:
        """A state of an episode, in its place among those of its customer."""
        place = (alert.customer_id, alert.rule)
        is_open = self._open.get(place) == alert.episode_id
        what = f"{alert.rule} of {alert.customer_id}, {alert.state}"
        if alert.state == "opened":
            self.episodes.hold(place not in self._open and alert.episode_id not in self._opened, what)
            self._opened.add(alert.episode_id)
            self._open[place] = alert.episode_id
            return
        self.episodes.hold(is_open, what)
        if alert.state != "updated" and is_open:
            del self._open[place]


def _follows(before: HealthChange | None, change: HealthChange) -> bool:
    """Whether a change begins where the one before it of the same score ended."""
    if before is None:
        return change.old_score is None and change.old_band is None
    return (
        change.old_score == before.new_score
        and change.old_displayed == before.new_displayed
        and change.old_band == before.new_band
        and change.old_measures_present == before.new_measures_present
    )
