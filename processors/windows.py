"""Rolling windows over whole buckets of UTC time, as commutative counts.

A window of 7 days is the current hour and the 167 before it; the longer ones are the current UTC day and the days before it.
Both ends cut: a bucket ahead of the clock is out, the current one counts whole. Because buckets hold sums and nothing else, a
late event lands in its bucket and the figure is what it would have been had the event come in time.

Counts are kept flat: one cell for each bucket and *place* (what is counted), at key `bucket * width + place`, only where it is
not zero. Summing a window is one pass over the cells, and a cell costs 4 to 6 bytes of the encoded state.
"""

from typing import Final

from msgspec import Struct, field

HOUR_MS: Final = 3_600_000
DAY_MS: Final = 86_400_000
HOURS_OF_7_DAYS: Final = 168


def hour_of(at_ms: int) -> int:
    """The number of the UTC hour, counted from 1970."""
    return at_ms // HOUR_MS


def day_of(at_ms: int) -> int:
    """The number of the UTC day, counted from 1970."""
    return at_ms // DAY_MS


class Window(Struct, frozen=True, gc=False, cache_hash=True):
    """A rolling window, by its length in days and the short name that figures carry, such as `30d`."""

    days: int
    name: str


D7: Final = Window(7, "7d")
D30: Final = Window(30, "30d")
D90: Final = Window(90, "90d")
D180: Final = Window(180, "180d")


def first_hour(as_of_ms: int) -> int:
    """The oldest hour of the 7 days that end at `as_of_ms`."""
    return as_of_ms // HOUR_MS - (HOURS_OF_7_DAYS - 1)


def first_day(window: Window, as_of_ms: int) -> int:
    """The oldest day of a daily window that ends at `as_of_ms`."""
    return as_of_ms // DAY_MS - (window.days - 1)


def _add(cells: dict[int, int], cell: int, count: int) -> None:
    """Add to a cell; one that comes to zero is dropped, so that equal counts are equal states."""
    total = cells.get(cell, 0) + count
    if total:
        cells[cell] = total
    else:
        cells.pop(cell, None)


def _sum(cells: dict[int, int], width: int, first: int, last: int) -> list[int]:
    """The sum of each place over the buckets `first` to `last`, both included."""
    sums = [0] * width
    low = first * width
    high = (last + 1) * width
    for cell, count in cells.items():
        if low <= cell < high:
            sums[cell % width] += count
    return sums


def _drop_before(cells: dict[int, int], low: int) -> None:
    """Drop the cells below `low`."""
    for cell in [cell for cell in cells if cell < low]:
        del cells[cell]


class Days(Struct, array_like=True, gc=False):
    """Counts by UTC day, for windows of 30 days and longer. `width` is how many things are counted beside each other."""

    width: int
    days: dict[int, int] = field(default_factory=dict)

    def add(self, at_ms: int, place: int, count: int = 1) -> None:
        """Count something that occurred at `at_ms`; a negative count takes back what was counted."""
        _add(self.days, at_ms // DAY_MS * self.width + place, count)

    def total(self, window: Window, as_of_ms: int) -> list[int]:
        """The sum of each place over the window that ends at `as_of_ms`."""
        assert window.days > D7.days, "7 days are counted by the hour"
        return _sum(self.days, self.width, first_day(window, as_of_ms), as_of_ms // DAY_MS)

    def prune(self, as_of_ms: int, longest: Window) -> None:
        """Drop what no window up to `longest` can see at `as_of_ms` or later."""
        _drop_before(self.days, first_day(longest, as_of_ms) * self.width)

    @property
    def empty(self) -> bool:
        """Whether nothing is counted in any bucket."""
        return not self.days


class Buckets(Days):
    """Counts by UTC day and, for the 7 days, by UTC hour as well.

    `hours` is None once they were given up to save space: 7 days are then the current UTC day and the 6 before it.
    """

    hours: dict[int, int] | None = field(default_factory=dict)

    def add(self, at_ms: int, place: int, count: int = 1) -> None:
        """Count something that occurred at `at_ms`; a negative count takes back what was counted."""
        _add(self.days, at_ms // DAY_MS * self.width + place, count)
        if self.hours is not None:
            _add(self.hours, at_ms // HOUR_MS * self.width + place, count)

    def total(self, window: Window, as_of_ms: int) -> list[int]:
        """The sum of each place over the window that ends at `as_of_ms`."""
        if window.days == D7.days and self.hours is not None:
            return _sum(self.hours, self.width, first_hour(as_of_ms), as_of_ms // HOUR_MS)
        return _sum(self.days, self.width, first_day(window, as_of_ms), as_of_ms // DAY_MS)

    def prune(self, as_of_ms: int, longest: Window) -> None:
        """Drop what no window up to `longest` can see at `as_of_ms` or later."""
        _drop_before(self.days, first_day(longest, as_of_ms) * self.width)
        if self.hours is not None:
            _drop_before(self.hours, first_hour(as_of_ms) * self.width)

    def take_in(self, other: "Buckets") -> None:
        """Add all that another one counted by the day, and give up the hours."""
        self.hours = None
        for cell, count in other.days.items():
            _add(self.days, cell, count)

    @property
    def empty(self) -> bool:
        """Whether nothing is counted in any bucket."""
        return not self.days and not self.hours
