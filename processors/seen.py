"""The event ids that were seen, so that an event that comes twice counts once.

Remembered are the newest ids by `occurred_at`, those of the grace before the clock, at most 512. `floor_ms` is the largest
`occurred_at` that was ever forgotten: an unknown id at or below it cannot be told from a duplicate.
"""

import hashlib
from typing import Final, Literal

from msgspec import Struct

GRACE_MS: Final = 48 * 3_600_000
MAX_IDS: Final = 512
NOTHING_FORGOTTEN: Final = -1

_TIME_BYTES: Final = 6
_HASH_BYTES: Final = 8
_ENTRY_BYTES: Final = _TIME_BYTES + _HASH_BYTES

Verdict = Literal["new", "duplicate", "unverifiable"]


def hash_of(event_id: str) -> bytes:
    """64 bits that stand for an event id."""
    return hashlib.blake2b(event_id.encode("utf-8", "surrogatepass"), digest_size=_HASH_BYTES).digest()


class SeenIds(Struct, array_like=True, gc=False):
    """The ids of one family of events of one customer.

    `entries` are 14 bytes each, `occurred_at` as 48 bits and the hash of the id, in the order of time: big-endian, so that the
    order of bytes is the order of time.
    """

    entries: bytes = b""
    floor_ms: int = NOTHING_FORGOTTEN

    def check(self, event_id: str, occurred_at: int, clock_ms: int) -> Verdict:
        """Whether the event is new; `unverifiable` when its id may have been among those forgotten.

        An id older than the grace is forgotten by the clock alone, so what is still stored of it does not count.
        """
        self._forget_before(clock_ms - GRACE_MS)
        if self._contains(hash_of(event_id)):
            return "duplicate"
        return "unverifiable" if occurred_at <= self.floor_ms else "new"

    def remember(self, event_id: str, occurred_at: int, clock_ms: int) -> None:
        """Remember an accepted event's id, and forget what lies beyond the bounds."""
        entry = occurred_at.to_bytes(_TIME_BYTES, "big") + hash_of(event_id)
        at = self._place_of(entry)
        self.entries = self.entries[:at] + entry + self.entries[at:]
        self._forget_before(clock_ms - GRACE_MS)
        if len(self.entries) > MAX_IDS * _ENTRY_BYTES:
            self._forget_first(len(self.entries) - MAX_IDS * _ENTRY_BYTES)

    def prune(self, as_of_ms: int) -> None:
        """Forget the ids that lie before the grace at `as_of_ms`."""
        self._forget_before(as_of_ms - GRACE_MS)

    def forget_until(self, at_ms: int) -> None:
        """Forget the ids of all that occurred up to `at_ms`."""
        self._forget_before(at_ms + 1)

    @property
    def count(self) -> int:
        """How many ids are remembered."""
        return len(self.entries) // _ENTRY_BYTES

    def _contains(self, digest: bytes) -> bool:
        """Whether a hash is stored; a match across two entries is none."""
        at = self.entries.find(digest)
        while at >= 0:
            if at % _ENTRY_BYTES == _TIME_BYTES:
                return True
            at = self.entries.find(digest, at + 1)
        return False

    def _place_of(self, entry: bytes) -> int:
        """The offset at which an entry belongs; most belong at the end."""
        at = len(self.entries)
        while at and self.entries[at - _ENTRY_BYTES : at] > entry:
            at -= _ENTRY_BYTES
        return at

    def _forget_before(self, oldest_ms: int) -> None:
        """Forget what occurred before `oldest_ms`."""
        entries = self.entries
        if not entries or oldest_ms <= 0:
            return
        limit = oldest_ms.to_bytes(_TIME_BYTES, "big")
        if entries[:_TIME_BYTES] >= limit:
            return
        end = _ENTRY_BYTES
        while end < len(entries) and entries[end : end + _TIME_BYTES] < limit:
            end += _ENTRY_BYTES
        self._forget_first(end)

    def _forget_first(self, length: int) -> None:
        """Forget the oldest entries, `length` bytes of them, and raise the floor to the newest of these."""
        last = self.entries[length - _ENTRY_BYTES : length - _HASH_BYTES]
        self.floor_ms = max(self.floor_ms, int.from_bytes(last, "big"))
        self.entries = self.entries[length:]
