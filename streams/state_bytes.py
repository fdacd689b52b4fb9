"""A customer's state as the bytes that its changelog holds.

A value is a fixed header (format version, version of the definitions, `next_due`) and the state as msgpack, compressed. The
header alone is enough to build the due heap when 200,000 customers are restored.

States are short and alike, so a compressor that knows nothing gains little on one: it is given a dictionary of what they have in
common (`python -m benchmarks.state_dictionary` makes it from simulated states). A dictionary belongs to its format version for
ever, and what an earlier version wrote is read with its own; states of another layout are still right, only longer.
"""

import struct
from importlib.resources import files
from typing import Final

import msgspec
import zstandard

from processors.state import CustomerState, encode

FORMAT_VERSION: Final = 2
MAX_STATE_BYTES: Final = 256 * 1024  # before compression; states coarsen at a quarter of it
HEADER: Final = struct.Struct("<BIq")
_LEVEL: Final = 3  # higher ones take three times as long, or more, for a few per cent

_DICTIONARIES: Final = {
    version: zstandard.ZstdCompressionDict(files("streams").joinpath(f"state.v{version}.zdict").read_bytes())
    for version in range(1, FORMAT_VERSION + 1)
}
_compress = zstandard.ZstdCompressor(
    level=_LEVEL, dict_data=_DICTIONARIES[FORMAT_VERSION], write_checksum=False, write_content_size=True, write_dict_id=False
).compress
_decompress = {
    version: zstandard.ZstdDecompressor(dict_data=dictionary).decompress for version, dictionary in _DICTIONARIES.items()
}
_decode = msgspec.msgpack.Decoder(CustomerState).decode


class UnreadableState(Exception):
    """A value of the customers changelog is of a format that this version cannot read."""


class StateTooLarge(Exception):
    """A customer's state outgrew every bound, which is a mistake of this program."""


def pack(state: CustomerState) -> bytes:
    """The changelog's value of a customer.

    Raises StateTooLarge.
    """
    encoded = encode(state)
    if len(encoded) >= MAX_STATE_BYTES:
        raise StateTooLarge(f"the state of {state.customer_id!r} takes {len(encoded):,} bytes, {MAX_STATE_BYTES:,} are too many")
    return HEADER.pack(FORMAT_VERSION, state.config_version, state.next_due) + _compress(encoded)


def unpack(value: bytes) -> CustomerState:
    """The customer of a changelog's value.

    Raises UnreadableState when it was written by another version of the format or is damaged.
    """
    check_format(value)
    try:
        return _decode(_decompress[value[0]](value[HEADER.size :], max_output_size=MAX_STATE_BYTES))
    except (msgspec.DecodeError, zstandard.ZstdError) as error:
        raise UnreadableState(f"a customer's state cannot be decoded: {error}") from error


def check_format(value: bytes) -> None:
    """Raises UnreadableState when a value is of no format that this version reads."""
    if not value:
        raise UnreadableState("a customer's state has no format: it is empty")
    if value[0] not in _decompress:
        raise UnreadableState(
            f"state of format {value[0]} was written by a later version of cspulse, this one reads up to {FORMAT_VERSION}: "
            "start the later one again, or rebuild with this one under a new application id"
        )


def config_version_of(value: bytes) -> int:
    """The version of the definitions that the customer was last judged by, from the header."""
    return int(HEADER.unpack_from(value)[1])


def next_due_of(value: bytes) -> int:
    """When the customer is due next, from the header."""
    return int(HEADER.unpack_from(value)[2])
