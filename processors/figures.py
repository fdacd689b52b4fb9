"""The figures of one customer: each by its name, and all of them as a snapshot shows them.

How a figure is read from the state stands with its family, in the modules named `*_figures`.
"""

from typing import TYPE_CHECKING, Final

from processors import (
    account_figures,
    activity_figures,
    commercial_figures,
    feedback_figures,
    survey_figures,
    ticket_figures,
    usage_figures,
)
from processors.effects import NOTHING_AROUND, Around
from processors.health import Reading
from processors.readings import Reader
from schemas.records import Figure

if TYPE_CHECKING:
    from processors.definitions import Definitions
    from processors.state import CustomerState

READERS: Final[dict[str, Reader]] = {
    **survey_figures.READERS,
    **feedback_figures.READERS,
    **ticket_figures.READERS,
    **usage_figures.READERS,
    **activity_figures.READERS,
    **account_figures.READERS,
    **commercial_figures.READERS,
}
"""How each figure of the vocabulary is read."""


class Readings(dict[str, Reading]):
    """The figures of a sheet by name, each read when it is first asked for."""

    __slots__ = ("_as_of_ms", "_definitions", "_state")

    def __init__(self, state: "CustomerState", as_of_ms: int, definitions: "Definitions") -> None:
        self._state = state
        self._as_of_ms = as_of_ms
        self._definitions = definitions

    def __missing__(self, name: str) -> Reading:
        reading = self[name] = READERS[name](self._state, self._as_of_ms, self._definitions)
        return reading


class Sheet:
    """The figures of one customer as of one time, each read at most once; `around` is what goes on around the customer."""

    __slots__ = ("around", "as_of_ms", "definitions", "readings", "state")

    def __init__(
        self, state: "CustomerState", as_of_ms: int, definitions: "Definitions", around: Around = NOTHING_AROUND
    ) -> None:
        self.around = around
        self.state = state
        self.as_of_ms = as_of_ms
        self.definitions = definitions
        self.readings = Readings(state, as_of_ms, definitions)

    def read(self, name: str) -> Reading:
        """A figure of the vocabulary. The figures of the health score are to be read after it was judged."""
        return self.readings[name]


def all_figures(sheet: Sheet) -> list[Figure]:
    """Every figure of a customer, as a snapshot shows it: whole and by dimension, with its interval where it is a share.

    A figure without a value says why. Dimensions without any event stand in no list.
    """
    families = (
        survey_figures.listed,
        feedback_figures.listed,
        ticket_figures.listed,
        usage_figures.listed,
        activity_figures.listed,
        commercial_figures.listed,
    )
    return [figure for listed in families for figure in listed(sheet.state, sheet.as_of_ms, sheet.definitions)]
