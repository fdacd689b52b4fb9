"""The dead letters that were replayed, so that replaying one twice changes nothing.

The ids of events do not do for it: a dead letter may be replayed months after its event occurred, when ids of that time are
forgotten. The newest 256 letters of a customer are remembered, for good; one beyond is forgotten, and counted.
"""

import hashlib
from typing import Final

from msgspec import Struct

MAX_LETTERS: Final = 256
_HASH_BYTES: Final = 8


class ReplayedLetters(Struct, array_like=True, gc=False):
    """64 bits of each letter's id, in the order in which they were replayed."""

    hashes: bytes = b""

    def contains(self, letter_id: bytes) -> bool:
        """Whether the event of this letter was accepted before."""
        digest = _hash_of(letter_id)
        return any(self.hashes[at : at + _HASH_BYTES] == digest for at in range(0, len(self.hashes), _HASH_BYTES))

    def remember(self, letter_id: bytes) -> bool:
        """Remember a letter whose event was accepted; returns whether the oldest one was forgotten for it."""
        self.hashes += _hash_of(letter_id)
        excess = len(self.hashes) - MAX_LETTERS * _HASH_BYTES
        if excess > 0:
            self.hashes = self.hashes[excess:]
        return excess > 0


def _hash_of(letter_id: bytes) -> bytes:
    return hashlib.blake2b(letter_id, digest_size=_HASH_BYTES).digest()
