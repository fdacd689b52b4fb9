"""How what the account and the score say is read from a state."""

from typing import TYPE_CHECKING, Final

from processors.account_state import OVERDUE_DAYS
from processors.health import Reading, fall_points, score_shown
from processors.readings import UNKNOWN, Reader, known
from processors.windows import DAY_MS

if TYPE_CHECKING:
    from processors.definitions import Definitions
    from processors.state import CustomerState


def _mrr_cents(state: "CustomerState", _as_of_ms: int, _definitions: "Definitions") -> Reading:
    return known(state.account.mrr_cents)


def _seats(state: "CustomerState", _as_of_ms: int, _definitions: "Definitions") -> Reading:
    return known(state.account.seats)


def _renewal_in_days(state: "CustomerState", as_of_ms: int, _definitions: "Definitions") -> Reading:
    """Negative when it is overdue; unknown without a date, and with one that is more than 30 days past."""
    renewal_at = state.account.renewal_at
    if renewal_at is None or as_of_ms > renewal_at + OVERDUE_DAYS * DAY_MS:
        return UNKNOWN
    return Reading((renewal_at - as_of_ms) / DAY_MS)


def _health_score(state: "CustomerState", _as_of_ms: int, _definitions: "Definitions") -> Reading:
    memory = state.health.get("risk")
    return Reading(score_shown(memory)) if memory else UNKNOWN


def _health_fall_points(state: "CustomerState", _as_of_ms: int, _definitions: "Definitions") -> Reading:
    memory = state.health.get("risk")
    return Reading(fall_points(memory)) if memory else UNKNOWN


READERS: Final[dict[str, Reader]] = {
    "mrr_cents": _mrr_cents,
    "seats": _seats,
    "renewal_in_days": _renewal_in_days,
    "health_score": _health_score,
    "health_fall_points": _health_fall_points,
}
