"""A stream of bytes that ends where they end."""

from io import BytesIO


class WholeReads(BytesIO):
    """Raises EOFError for a read that asks for more than is left, or for a negative number of bytes.

    fastavro passes over a field that our schema lacks without looking at what it has read, so an array that claims 2**62 elements
    of a few bytes would go on for ever after the end. Every value takes at least a byte (`schemas.avro` sees to that).
    """

    def read(self, size: int | None = -1, /) -> bytes:
        """Exactly `size` bytes."""
        if size is None or size < 0:
            raise EOFError(f"{size} bytes were asked for")
        found = super().read(size)
        if len(found) < size:
            raise EOFError(f"{size} bytes were asked for, {len(found)} are left")
        return found
