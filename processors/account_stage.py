"""The stage of an account: the newest that an event told of, except that who has left stays gone until it is back."""

from typing import Final

from processors.account_state import RANK_BITS, AccountState, Stage
from processors.registers import newer
from schemas.events import AccountKind

_STAGE_OF_KIND: Final[dict[AccountKind, Stage]] = {
    "lead": "lead",
    "trial_started": "trial",
    "contracted": "contracted",
    "handed_over": "handed_over",
    "onboarded": "onboarded",
    "lapsed": "lapsed",
    "cancelled": "cancelled",
    "reactivated": "reactivated",
}
_STAGE_RANK: Final[dict[AccountKind, int]] = {kind: rank for rank, kind in enumerate(_STAGE_OF_KIND)}
_STAGES: Final = tuple(_STAGE_OF_KIND.values())
_ENDS: Final[tuple[AccountKind, ...]] = ("lapsed", "cancelled")
_STARTS: Final[tuple[AccountKind, ...]] = ("contracted", "reactivated")  # a new contract brings back as well


def set_stage(state: AccountState, kind: AccountKind, after_ms: int) -> None:
    """Move the stage, if the event's kind says one; `known` says only that there is an account."""
    if kind not in _STAGE_RANK:
        if kind == "known" and state.stage_version is None:
            state.stage = "known"
        return
    version = after_ms << RANK_BITS | _STAGE_RANK[kind]
    if kind in _ENDS:
        state.left_version = _newest(version, state.left_version)
    elif kind in _STARTS:
        state.came_version = _newest(version, state.came_version)
    _stand(state, _newest(version, _newest_told(state)))


def come_back_late(state: AccountState, after_ms: int | None) -> None:
    """Take who lapsed and renewed within the grace for back, or no longer if that is not so after all."""
    version = None if after_ms is None else after_ms << RANK_BITS | _STAGE_RANK["reactivated"]
    newest = _newest_told(state)
    if version != state.late_version and newest is not None:
        state.late_version = version
        _stand(state, newest)


def _newest_told(state: AccountState) -> int | None:
    """The newest stage that an event said."""
    said = None if state.stage_version == state.late_version else state.stage_version
    return _newest(said, state.waiting_version, state.left_version, state.came_version)


def _stand(state: AccountState, newest: int | None) -> None:
    """Stand at the newest stage, or gone if the account has left since the newest start."""
    left, came = state.left_version, _newest(state.came_version, state.late_version)
    stands = left if left is not None and newer(left, came) else _newest(newest, state.late_version)
    assert stands is not None, "some event said a stage"
    state.stage_version = stands
    state.waiting_version = None if newest == stands else newest
    state.stage = _STAGES[stands % (1 << RANK_BITS)]


def _newest(*versions: int | None) -> int | None:
    return max((version for version in versions if version is not None), default=None)
