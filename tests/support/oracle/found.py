"""What a figure comes to."""

from typing import NamedTuple

Key = tuple[str, str, int | None]
"""Name, dimension and window in days."""


class Found(NamedTuple):
    """A figure's value, and for a share or an NPS how many answers it rests on and its interval."""

    value: float | None
    n: int | None = None
    low: float | None = None
    high: float | None = None
    newest_at: int | None = None
