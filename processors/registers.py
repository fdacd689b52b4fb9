"""Values of which the newest by `occurred_at` counts, whatever the order of arrival.

A version is (occurred_at - base) * 65536 + 16 bits of the hash of the event id, so that of two values in one millisecond the same
wins in any order. A history holds (version, value), oldest first.
"""

import hashlib
from typing import Final, TypeVar

HASH_BITS: Final = 16
_HASH_BYTES: Final = 2
_PLACE_BITS: Final = 3

History = list[tuple[int, int]]
_Value = TypeVar("_Value", int, str)


def version_of(after_ms: int, event_id: str) -> int:
    """The version of what an event says, `after_ms` after the base."""
    digest = hashlib.blake2b(event_id.encode("utf-8", "surrogatepass"), digest_size=_HASH_BYTES).digest()
    return after_ms << HASH_BITS | int.from_bytes(digest, "big")


def newer(version: int, known: int | None) -> bool:
    """Whether a version is newer than the one that is known."""
    return known is None or version > known


def unpacked(versions: list[int], places: int, fields: int) -> list[int | None]:
    """The version of each field. Most fields come in one event, so its version is kept once, and each field says which it has."""
    mask = (1 << _PLACE_BITS) - 1
    numbers = [places >> _PLACE_BITS * field & mask for field in range(fields)]
    return [versions[number - 1] if number else None for number in numbers]


def packed(by_field: list[int | None]) -> tuple[list[int], int]:
    """The versions of at most 7 fields as they are kept: each once, and 3 bits a field that say which it has (0: none)."""
    versions = sorted({version for version in by_field if version is not None})
    places = 0
    for field, version in enumerate(by_field):
        if version is not None:
            places |= versions.index(version) + 1 << _PLACE_BITS * field
    return versions, places


def remember(history: list[tuple[int, _Value]], version: int, value: _Value, most: int) -> int:
    """Put a value into its place in a history, which keeps the newest ones; returns how many that mattered were dropped.

    Beyond the bound one that repeats the value before it goes first, else the second: the first says how it began.
    """
    history.append((version, value))
    history.sort()
    if len(history) <= most:
        return 0
    repeated = next((at for at in range(1, len(history) - 1) if history[at][1] == history[at - 1][1]), 0)
    del history[repeated or 1]
    return 0 if repeated else 1


def without_repetitions(history: list[tuple[int, _Value]], settled: int) -> list[tuple[int, _Value]]:
    """The history without values that repeat the one before them, once they are older than the version `settled`."""
    return [entry for at, entry in enumerate(history) if at == 0 or entry[0] >= settled or entry[1] != history[at - 1][1]]


def value_before(history: list[tuple[int, _Value]], after_ms: int) -> _Value | None:
    """The value in force right before a time, given relative to the base."""
    found = None
    for version, value in history:
        if version >> HASH_BITS >= after_ms:
            break
        found = value
    return found
