"""The open episodes as the fleet sees them: how many there are, and each of them for its owner's list."""

from typing import TYPE_CHECKING, Final

from msgspec import Struct

from processors.episodes import Episode, episode_id
from processors.rule_file import SEVERITIES
from schemas.records import Severity

if TYPE_CHECKING:
    from processors.state import CustomerState

OPEN: Final = "episodes_open"
PLACES: Final = ("opened_at_ms", "severity_rank", "mrr_cents", "renewal_at_ms", "acknowledged", "acted", "muted", "has_mrr")
_SEPARATOR: Final = "\x1f"


class OpenEpisode(Struct, frozen=True, kw_only=True, gc=False):
    """An open episode, as the fleet's counts tell it; `owner` is empty when nobody owns the account.

    `ended`: it is over, and this is how it was shown last.
    """

    owner: str
    customer_id: str
    rule: str
    episode_id: str
    currency: str | None
    opened_at: int
    severity: Severity
    mrr_cents: int | None
    renewal_at: int | None
    acknowledged: bool
    acted: bool
    muted: bool
    ended: bool = False


def gauges(state: "CustomerState") -> dict[tuple[str, str], tuple[int, ...]]:
    """What a customer's open episodes add: one by rule and severity, and one each whose sums are its own values."""
    found: dict[tuple[str, str], tuple[int, ...]] = {}
    for rule, rule_book in state.alerts.rules.items():
        episode = rule_book.open
        if episode is None:
            continue
        found["alerts_open", rule] = (1,)
        of_severity = found.get(("alerts_open_by_severity", episode.severity), (0,))
        found["alerts_open_by_severity", episode.severity] = (of_severity[0] + 1,)
        found[OPEN, dimension(state, rule, episode, rule_book.sequence)] = counts(state, episode)
    return found


def read(name: str, found: tuple[int, ...]) -> OpenEpisode | None:
    """An episode from its dimension and counts; None once it is over and all that is left are zeros."""
    opened_at, rank, mrr_cents, renewal_at, acknowledged, acted, muted, has_mrr = found
    if not opened_at:
        return None
    owner, customer_id, rule, episode, currency = name.rsplit(_SEPARATOR, 4)
    return OpenEpisode(
        owner=owner,
        customer_id=customer_id,
        rule=rule,
        episode_id=episode,
        currency=currency or None,
        opened_at=opened_at,
        severity=SEVERITIES[rank],
        mrr_cents=mrr_cents if has_mrr else None,
        renewal_at=renewal_at or None,
        acknowledged=bool(acknowledged),
        acted=bool(acted),
        muted=bool(muted),
    )


def dimension(state: "CustomerState", rule: str, episode: Episode, sequence: int) -> str:
    """What tells an episode from all others, and what of it is text."""
    account = state.account
    name = episode_id(state.customer_id, rule, episode.rule_version, sequence)
    owner = (account.owner or "").replace(_SEPARATOR, " ")
    return _SEPARATOR.join((owner, state.customer_id.replace(_SEPARATOR, " "), rule, name, account.currency or ""))


def counts(state: "CustomerState", episode: Episode) -> tuple[int, ...]:
    """The numbers of an episode, in the order of `PLACES`."""
    account = state.account
    mrr_cents = account.mrr_cents
    return (
        episode.opened_at,
        SEVERITIES.index(episode.severity),
        mrr_cents or 0,
        account.renewal_at or 0,
        int(episode.acknowledged_at is not None),
        int(episode.acted_at is not None),
        int(episode.muted),
        int(mrr_cents is not None),
    )
