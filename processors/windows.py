"""Rolling windows over whole buckets of UTC time, as commutative counts.

A window of 7 days is the current hour and the 167 before it; the longer ones are the current UTC day and the days before it.
Both ends cut: a bucket ahead of the clock is out, the current one counts whole. Because buckets hold sums and nothing else, a
late event lands in its bucket and the figure is what it would have been had the event come in time.

Counts are kept flat: one cell for each bucket and *place* (what is counted), at key `buckets back * width + place`, only where
it is not zero. Summing a window is one pass over the cells, and a cell costs 2 to 4 bytes of the encoded state, because it is
told by how far it lies back from the newest day.
"""

from collections.abc import Iterator
from typing import Final

from msgspec import Struct, field

HOUR_MS: Final = 3_600_000
DAY_MS: Final = 86_400_000
HOURS_A_DAY: Final = 24
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


def _sum(cells: dict[int, int], width: int, nearest: int, farthest: int) -> list[int]:
    """The sum of each place over the buckets that lie `nearest` to `farthest` back, both included."""
    sums = [0] * width
    low = nearest * width
    high = (farthest + 1) * width
    for cell, count in cells.items():
        if low <= cell < high:
            sums[cell % width] += count
    return sums


def _drop_beyond(cells: dict[int, int], high: int) -> None:
    """Drop the cells from `high` on."""
    for cell in [cell for cell in cells if cell >= high]:
        del cells[cell]


def _moved(cells: dict[int, int], by: int) -> dict[int, int]:
    """The same cells, counted from another newest day."""
    return {cell + by: count for cell, count in cells.items()}


class Days(Struct, array_like=True, gc=False):
    """Counts by UTC day, for windows of 30 days and longer. `width` is how many things are counted beside each other.

    A cell's day is told by how far it lies before `newest`, the newest day with a count (0 when there is none).
    """

    width: int
    newest: int = 0
    days: dict[int, int] = field(default_factory=dict)

    def add(self, at_ms: int, place: int, count: int = 1) -> None:
        """Count something that occurred at `at_ms`; a negative count takes back what was counted."""
        day = at_ms // DAY_MS
        if day > self.newest:
            self._move_to(day)
        _add(self.days, (self.newest - day) * self.width + place, count)
        if count <= 0:
            self._settle()

    def total(self, window: Window, as_of_ms: int) -> list[int]:
        """The sum of each place over the window that ends at `as_of_ms`."""
        assert window.days > D7.days, "7 days are counted by the hour"
        return self.between(first_day(window, as_of_ms), as_of_ms // DAY_MS)

    def between(self, first: int, last: int) -> list[int]:
        """The sum of each place over the UTC days `first` to `last`, both included."""
        return _sum(self.days, self.width, self.newest - last, self.newest - first)

    def by_day(self) -> Iterator[tuple[int, int, int]]:
        """Every count, as UTC day, place and number."""
        for cell, count in self.days.items():
            back, place = divmod(cell, self.width)
            yield self.newest - back, place, count

    def prune(self, as_of_ms: int, longest: Window) -> None:
        """Drop what no window up to `longest` can see at `as_of_ms` or later."""
        self._prune_days(as_of_ms, longest)
        self._settle()

    @property
    def empty(self) -> bool:
        """Whether nothing is counted in any bucket."""
        return not self.days

    def _prune_days(self, as_of_ms: int, longest: Window) -> None:
        _drop_beyond(self.days, (self.newest - first_day(longest, as_of_ms) + 1) * self.width)

    def _move_to(self, newest: int) -> None:
        """Count the cells from another newest day."""
        if self.days:
            self.days = _moved(self.days, (newest - self.newest) * self.width)
        self.newest = newest

    def _settle(self) -> None:
        """Make the newest day one with a count again, so that equal counts are equal states."""
        if self.empty:
            self.newest = 0
        elif self.days and (back := min(self.days) // self.width):
            self._move_to(self.newest - back)


class Buckets(Days):
    """Counts by UTC day and, for the 7 days, by UTC hour as well.

    An hour is told by how far it lies before the end of `newest`. `hours` is None once they were given up to save space: 7 days
    are then the current UTC day and the 6 before it.
    """

    hours: dict[int, int] | None = field(default_factory=dict)

    def add(self, at_ms: int, place: int, count: int = 1) -> None:
        """Count something that occurred at `at_ms`; a negative count takes back what was counted."""
        day = at_ms // DAY_MS
        if day > self.newest:
            self._move_to(day)
        _add(self.days, (self.newest - day) * self.width + place, count)
        if self.hours is not None:
            _add(self.hours, (self._last_hour - at_ms // HOUR_MS) * self.width + place, count)
        if count <= 0:
            self._settle()

    def total(self, window: Window, as_of_ms: int) -> list[int]:
        """The sum of each place over the window that ends at `as_of_ms`."""
        if window.days == D7.days and self.hours is not None:
            last = self._last_hour
            return _sum(self.hours, self.width, last - as_of_ms // HOUR_MS, last - first_hour(as_of_ms))
        return self.between(first_day(window, as_of_ms), as_of_ms // DAY_MS)

    def prune(self, as_of_ms: int, longest: Window) -> None:
        """Drop what no window up to `longest` can see at `as_of_ms` or later."""
        self._prune_days(as_of_ms, longest)
        if self.hours is not None:
            _drop_beyond(self.hours, (self._last_hour - first_hour(as_of_ms) + 1) * self.width)
        self._settle()

    def take_in(self, other: "Buckets") -> None:
        """Add all that another one counted by the day, and give up the hours."""
        self.hours = None
        for day, place, count in list(other.by_day()):
            self.add(day * DAY_MS, place, count)

    @property
    def empty(self) -> bool:
        """Whether nothing is counted in any bucket."""
        return not self.days and not self.hours

    @property
    def _last_hour(self) -> int:
        return self.newest * HOURS_A_DAY + HOURS_A_DAY - 1

    def _move_to(self, newest: int) -> None:
        """Count the cells from another newest day."""
        if self.hours:
            self.hours = _moved(self.hours, (newest - self.newest) * HOURS_A_DAY * self.width)
        if self.days:
            self.days = _moved(self.days, (newest - self.newest) * self.width)
        self.newest = newest
