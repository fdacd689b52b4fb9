"""Who uses the product: the days with any use, and the distinct users of 30 days.

Active is whoever a use of the product names: a session, a feature used, a goal completed or failed. People share one name space
within a customer, but who only opens a ticket, answers a survey or takes part in a talk does not use the product.

Up to 100 users of one customer are followed each by itself. Beyond that the users with the lowest hashes are, a fair sample:
with `theta` the share of all hashes that are below the bound, users followed / theta estimates all of them. Samples of two parts
are merged by the union of their records below the lower bound.
Source: A. Dasgupta, K. J. Lang, L. Rhodes, J. Thaler, A framework for estimating stream expression cardinalities, ICDT 2016
(theta sketches).
"""

import math
from functools import lru_cache
from hashlib import blake2b
from typing import Final, NamedTuple

from msgspec import Struct

from processors.intervals import Z_95, Interval
from processors.totals import Totals
from processors.windows import D30, DAY_MS

MAX_USERS: Final = 100
_DAYS_KEPT: Final = 32  # the 30 of the window, the day before it, and one that may lie ahead of the clock
_ALL_DAYS: Final = (1 << _DAYS_KEPT) - 1
_HASH_BYTES: Final = 5  # two of 100 users fall together once in 200 million customers
_MASK_BYTES: Final = _DAYS_KEPT // 8
_RECORD: Final = _HASH_BYTES + _MASK_BYTES
_ALL_HASHES: Final = 1 << 8 * _HASH_BYTES


class ActiveUsers(Struct, array_like=True, gc=False):
    """The days of use of the last month, by user.

    `users` holds 9 bytes for each user followed, in the order of their hashes: 5 of the hash, 4 of a mask whose bit n stands for
    the day that lies n before `newest_day`, the newest UTC day with any use (0: none yet). `other_days` is such a mask of the
    uses that name no user, or one who is left out. `theta`: users with a hash of at least this are left out, 0 when nobody is;
    `left_out_day` is the newest day on which one of them was active.
    """

    newest_day: int = 0
    users: bytes = b""
    other_days: int = 0
    theta: int = 0
    left_out_day: int = 0

    @property
    def empty(self) -> bool:
        """Whether no day of use is kept."""
        return not self.users and not self.other_days


class Monthly(NamedTuple):
    """The users of 30 days. `followed` of them were active, on `user_days` days together (`squares`: the sum of each's squared).

    `share` is the share of all users that is followed, 1 when nobody who was active then is left out; `unnamed` says that there
    was use that names nobody.
    """

    followed: int
    user_days: int
    squares: int
    share: float
    unnamed: bool

    @property
    def users(self) -> float:
        """Distinct users: exact up to 100, beyond that estimated; at least one more than are followed was active then."""
        return float(self.followed) if self.share >= 1 else max(self.followed + 1.0, self.followed / self.share)

    @property
    def users_interval(self) -> Interval | None:
        """The 95 % score interval of an estimated number of users; None when it is exact.

        Each user is followed with probability `share`, so the bounds are the numbers N of which as few or as many as were found
        would be followed with z = 1.96: the roots of (followed - N share)^2 = z^2 N share (1 - share).
        """
        if self.share >= 1:
            return None
        spread = Z_95 * Z_95 * (1 - self.share)
        half = math.sqrt(spread * (spread + 4 * self.followed))
        low = (2 * self.followed + spread - half) / (2 * self.share)
        high = (2 * self.followed + spread + half) / (2 * self.share)
        return Interval(max(self.followed + 1.0, low), max(self.followed + 1.0, high))

    @property
    def stickiness(self) -> float | None:
        """Mean daily active users / monthly active users, 0 to 1: the share of the 30 days on which a user is there, on average.

        None without users. All 30 days count, also those before the customer began.
        """
        return self.user_days / (D30.days * self.followed) if self.followed else None

    @property
    def stickiness_interval(self) -> Interval | None:
        """The 95 % interval of a stickiness that is estimated from a sample; None when it is exact.

        Mean of a sample without replacement: the standard error with the finite population correction.
        """
        stickiness = self.stickiness
        if self.share >= 1 or stickiness is None or self.followed == 1:
            return None
        mean = self.user_days / self.followed
        variance = max(0.0, self.squares - self.followed * mean * mean) / (self.followed - 1)
        half = Z_95 * math.sqrt(variance * (1 - self.share) / self.followed) / D30.days
        return Interval(max(0.0, stickiness - half), min(1.0, stickiness + half))


def note(state: ActiveUsers, user_id: str | None, at_ms: int, totals: Totals) -> None:
    """Note a use of the product, by a user if one is named; what is older than any window is passed over."""
    day = at_ms // DAY_MS
    if day > state.newest_day:
        _move_to(state, day)
    back = state.newest_day - day
    if back >= _DAYS_KEPT:
        return
    bit = 1 << back
    if user_id is None:
        state.other_days |= bit
        return
    digest = _digest(user_id)
    users = state.users
    place = _place(users, digest)
    if users[place : place + _HASH_BYTES] == digest:
        mask = _mask_at(users, place)
        if not mask & bit:
            state.users = users[:place] + _record(digest, mask | bit) + users[place + _RECORD :]
    elif state.theta and int.from_bytes(digest) >= state.theta:
        _leave_out(state, bit)
    else:
        state.users = users[:place] + _record(digest, bit) + users[place:]
        if len(state.users) > MAX_USERS * _RECORD:
            if not state.theta:
                totals.oddity("sampled_users", at_ms)
            _drop_highest(state)


def days_active(state: ActiveUsers, as_of_ms: int) -> int:
    """On how many of the 30 days there was any use; exact, also when users are left out."""
    days = state.other_days
    for place in range(0, len(state.users), _RECORD):
        days |= _mask_at(state.users, place)
    return (days & _window(state, as_of_ms)).bit_count()


def monthly(state: ActiveUsers, as_of_ms: int) -> Monthly:
    """The users of the 30 days that end at `as_of_ms`."""
    window = _window(state, as_of_ms)
    followed, user_days, squares = _followed(state.users, window)
    some_are_left_out = state.theta and state.left_out_day >= as_of_ms // DAY_MS - (D30.days - 1)
    share = state.theta / _ALL_HASHES if some_are_left_out else 1.0
    return Monthly(followed, user_days, squares, share, bool(state.other_days & window))


@lru_cache(maxsize=4096)
def _followed(users: bytes, window: int) -> tuple[int, int, int]:
    """How many users were active on the days of a window, the sum of their active days, and that of the squares.

    Several figures of a judgement ask for them, and most events name a user who was there that day already.
    """
    followed = user_days = squares = 0
    for place in range(0, len(users), _RECORD):
        days = (_mask_at(users, place) & window).bit_count()
        if days:
            followed += 1
            user_days += days
            squares += days * days
    return followed, user_days, squares


def prune(state: ActiveUsers, as_of_ms: int) -> None:
    """Drop what no window sees any more; the newest day stays, so that it is known that there was use once."""
    if as_of_ms // DAY_MS - state.newest_day >= D30.days:
        state.users, state.other_days, state.theta, state.left_out_day = b"", 0, 0, 0


@lru_cache(maxsize=65_536)
def _digest(user_id: str) -> bytes:
    return blake2b(user_id.encode("utf-8", "surrogatepass"), digest_size=_HASH_BYTES).digest()


def _record(digest: bytes, mask: int) -> bytes:
    return digest + mask.to_bytes(_MASK_BYTES)


def _mask_at(users: bytes, place: int) -> int:
    return int.from_bytes(users[place + _HASH_BYTES : place + _RECORD])


def _place(users: bytes, digest: bytes) -> int:
    """Where the record of a hash is, or belongs."""
    low, high = 0, len(users) // _RECORD
    while low < high:
        middle = (low + high) // 2
        if users[middle * _RECORD : middle * _RECORD + _HASH_BYTES] < digest:
            low = middle + 1
        else:
            high = middle
    return low * _RECORD


def _window(state: ActiveUsers, as_of_ms: int) -> int:
    """The bits of the 30 days that end at `as_of_ms`; the newest day lies a little ahead of it at most."""
    gone_by = as_of_ms // DAY_MS - state.newest_day
    if gone_by < 0:
        return (1 << D30.days) - 1 << -gone_by & _ALL_DAYS
    return (1 << max(0, D30.days - gone_by)) - 1


def _move_to(state: ActiveUsers, day: int) -> None:
    """Count the days from another newest day; whoever was last active before all that is kept is forgotten."""
    by = day - state.newest_day
    state.newest_day = day
    state.other_days = _shifted(state.other_days, by)
    moved = bytearray()
    for place in range(0, len(state.users), _RECORD):
        mask = _shifted(_mask_at(state.users, place), by)
        if mask:
            moved += _record(state.users[place : place + _HASH_BYTES], mask)
    state.users = bytes(moved)
    if state.theta and day - state.left_out_day >= _DAYS_KEPT:
        state.theta = state.left_out_day = 0


def _shifted(mask: int, by: int) -> int:
    return mask << by & _ALL_DAYS if by < _DAYS_KEPT else 0


def _drop_highest(state: ActiveUsers) -> None:
    """Leave out the user with the highest hash, and from now on everybody above it."""
    at = len(state.users) - _RECORD
    state.theta = int.from_bytes(state.users[at : at + _HASH_BYTES])
    mask = _mask_at(state.users, at)
    state.users = state.users[:at]
    _leave_out(state, mask)


def _leave_out(state: ActiveUsers, mask: int) -> None:
    """Keep of a user only the days of use."""
    state.other_days |= mask
    newest = state.newest_day - ((mask & -mask).bit_length() - 1)
    state.left_out_day = max(state.left_out_day, newest)
