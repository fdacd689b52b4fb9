"""A customer's state as the bytes that its changelog holds.

A value is a fixed header (format version, version of the definitions, `next_due`) and the state as msgpack, compressed. The
header alone is enough to build the due heap when 200,000 customers are restored.

States are short and alike, so a compressor that knows nothing gains little on one: it is given a dictionary of what they have in
common (`python -m benchmarks.state_dictionary` makes it from simulated states). A dictionary belongs to its format version for
ever; states of another layout are still right with it, only longer.
"""

import struct
from importlib.resources import files
from typing import Final

import msgspec
import zstandard

from processors.state import CustomerState, encode

FORMAT_VERSION: Final = 1
MAX_STATE_BYTES: Final = 256 * 1024  # before compression; states coarsen at a quarter of it
HEADER: Final = struct.Struct("<BIq")
DICTIONARY_FILE: Final = "state.v1.zdict"
_LEVEL: Final = 2  # higher ones take up to ten times as long for a few per cent

_dictionary = zstandard.ZstdCompressionDict(files("streams").joinpath(DICTIONARY_FILE).read_bytes())
_compress = zstandard.ZstdCompressor(
    level=_LEVEL, dict_data=_dictionary, write_checksum=False, write_content_size=True, write_dict_id=False
).compress
_decompress = zstandard.ZstdDecompressor(dict_data=_dictionary).decompress
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
        return _decode(_decompress(value[HEADER.size :], max_output_size=MAX_STATE_BYTES))
    except (msgspec.DecodeError, zstandard.ZstdError) as error:
        raise UnreadableState(f"a customer's state cannot be decoded: {error}") from error


def check_format(value: bytes) -> None:
    """Raises UnreadableState when a value is not of this version's format."""
    if not value:
        raise UnreadableState("a customer's state has no format: it is empty")
    if value[0] != FORMAT_VERSION:
        raise UnreadableState(
            f"state of format {value[0]} was written by a later version of cspulse, this one reads format {FORMAT_VERSION}: "
            "start the later one again, or rebuild with this one under a new application id"
        )


def config_version_of(value: bytes) -> int:
    """The version of the definitions that the customer was last judged by, from the header."""
    return int(HEADER.unpack_from(value)[1])


def next_due_of(value: bytes) -> int:
    """When the customer is due next, from the header."""
    return int(HEADER.unpack_from(value)[2])
