"""What a fold leaves behind beside the new state: records to publish and counts for the fleet.

`Effects` only collects; who may see it, and when, is decided by the transaction that carries it.
"""

from collections.abc import Callable, Mapping
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from processors.feeds import USAGE
from processors.totals import Totals
from schemas.records import CustomerOutput

if TYPE_CHECKING:
    from processors.definitions import Definitions
    from processors.state import CustomerState

MAX_CAUSES = 5  # event ids a record names; beyond it only their number is kept, so that the state stays small


class Causes(Struct, array_like=True):
    """The newest events, oldest first, how many there were in all, and how many when a health change was last published."""

    ids: list[str] = []
    count: int = 0
    told: int = 0

    def add(self, event_id: str) -> None:
        """Remember one more event."""
        self.count += 1
        self.ids.append(event_id)
        if len(self.ids) > MAX_CAUSES:
            del self.ids[0]

    def since(self, count: int) -> list[str]:
        """The newest of the events after the first `count`."""
        return self.ids[-(self.count - count) :] if self.count > count else []


class Effects:
    """The records and counts of the events folded since it was made; `erased`: the customer's published data must go as well."""

    __slots__ = ("erased", "outputs", "totals")

    def __init__(self) -> None:
        self.outputs: list[CustomerOutput] = []
        self.totals = Totals()
        self.erased = False


class Around(Struct, frozen=True, gc=False):
    """What goes on around a customer, as the partition knew it when the customer was judged.

    `fleet` holds figures of the whole fleet by name, as the newest tick brought them; `quiet` the feeds of which the whole
    partition hears nothing, each with the time of its newest event (`processors.feeds`); `back` is when each feed that had been
    quiet came back last. `hears_usage`: the use of the product was ever heard of, from whomever. `turn_ms` is when
    another application was last given the word: what customers were shown before was perhaps seen otherwise.
    """

    fleet: Mapping[str, float | None] = {}
    quiet: Mapping[str, int] = {}
    back: Mapping[str, int] = {}
    hears_usage: bool = False
    turn_ms: int = 0

    @property
    def usage_is_quiet(self) -> bool:
        """Whether nobody's use is heard of: the other feeds bring too few of anybody's signs of life to speak for them."""
        return USAGE in self.quiet

    @property
    def usage_back_at(self) -> int:
        """When use was heard of again after it had been quiet; 0 when it never was."""
        return self.back.get(USAGE, 0)


NOTHING_AROUND: Final = Around()

Definer = Callable[[int], "Definitions | None"]
"""The definitions of a version, None of one that is not known."""


def _no_other(_version: int) -> "Definitions | None":
    """Knows no version beside the one in force."""
    return None


class Context:
    """What a fold may know beside the state and the event: the definitions in force, who it folds for, and what is around.

    `incarnation` is the application id: a rebuild under a new one gives its records new ids. `definer` knows the versions of the
    definitions that were in force before, by which a score that was published then is made anew.
    """

    __slots__ = ("around", "config_version", "definer", "definitions", "effects", "incarnation")

    def __init__(
        self,
        definitions: "Definitions",
        config_version: int,
        incarnation: str,
        around: Around = NOTHING_AROUND,
        definer: Definer = _no_other,
    ) -> None:
        self.definitions = definitions
        self.config_version = config_version
        self.incarnation = incarnation
        self.around = around
        self.definer = definer
        self.effects = Effects()

    def definitions_of(self, version: int) -> "Definitions | None":
        """The definitions of a version; None of one that is not known any more."""
        return self.definitions if version == self.config_version else self.definer(version)

    @property
    def fleet(self) -> Mapping[str, float | None]:
        """Figures of the whole fleet by name, as the newest tick brought them; one that is absent or None is not known."""
        return self.around.fleet

    @property
    def quiet(self) -> Mapping[str, int]:
        """The feeds that have gone quiet for the whole partition, each with the time of its newest event."""
        return self.around.quiet


def record_id(incarnation: str, customer_id: str, kind: str, sequence: int) -> str:
    """Id of the `sequence`-th record of a kind for a customer: the same whenever the same log is folded."""
    name = f"{incarnation}\x00{customer_id}\x00{kind}\x00{sequence}"
    return blake2b(name.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def identity(state: "CustomerState", kind: str, context: Context, told: int | None = None) -> dict[str, Any]:
    """The fields that every record for a customer carries, for the next record of `kind`; takes its number.

    `told` is how many events there were when that was told before which this record follows: the last published health change.
    """
    causes = state.causes
    told = causes.told if told is None else told
    sequence = state.sequences.get(kind, 0) + 1
    state.sequences[kind] = sequence
    return {
        "record_id": record_id(context.incarnation, state.customer_id, kind, sequence),
        "customer_id": state.customer_id,
        "sequence": sequence,
        "emitted_at": None,
        "caused_by": causes.since(told),
        "caused_by_count": causes.count - told,
        "config_version": context.config_version,
    }
