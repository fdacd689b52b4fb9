"""One ticket as the state keeps it: its history, and what was last said of it."""

from typing import Final

from msgspec import Struct, field

from processors import ticket_course
from processors.names import OTHER
from processors.ticket_course import KIND_BITS
from schemas.events import Priority

PRIORITIES: Final[tuple[Priority, ...]] = ("low", "normal", "high", "urgent")
_PRIORITY_CODES: Final[dict[Priority, int]] = {name: code for code, name in enumerate(PRIORITIES)}
_NORMAL: Final = 1
_PRIORITY_BITS: Final = 2
_PRIORITY_MASK: Final = 3


class Ticket(Struct, array_like=True, gc=False):
    """One ticket. All times are milliseconds since `base_ms`, which keeps them small.

    `history` is that of `processors.ticket_course`. `priority` is the time at which it was said * 4 + its code, None when it
    never was; `touchpoint` was said at `touchpoint_at`. Of two said in one millisecond the more urgent and the alphabetically
    later count. `by` is who wrote each entry of the history, as a number that the customer's tickets share; 0 is nobody known,
    and so is what the list has no place for.
    """

    base_ms: int
    history: list[int] = field(default_factory=list)
    priority: int | None = None
    touchpoint: str = OTHER
    touchpoint_at: int | None = None
    by: list[int] = field(default_factory=list)

    @property
    def priority_code(self) -> int:
        """The place of the priority last said among `PRIORITIES`, that of `normal` when none was."""
        return _NORMAL if self.priority is None else self.priority & _PRIORITY_MASK

    @property
    def priority_name(self) -> Priority:
        """The priority last said, `normal` when none was."""
        return PRIORITIES[self.priority_code]

    @property
    def prioritised_at(self) -> int:
        """When the priority was last said; 0 when it never was."""
        return 0 if self.priority is None else self.base_ms + (self.priority >> _PRIORITY_BITS)

    @property
    def opened(self) -> int | None:
        """When it was opened, in milliseconds since the base; None when nothing opened it."""
        return ticket_course.opened_of(self.history)

    @property
    def opened_at(self) -> int:
        """When it was opened, as far as is known; its first event's time when nothing opened it."""
        opened = self.opened
        return self.base_ms + (self.history[0] >> KIND_BITS if opened is None else opened)

    @property
    def newest_at(self) -> int:
        """When something last happened to it."""
        return self.base_ms + (self.history[-1] >> KIND_BITS)

    def authors(self) -> dict[int, int]:
        """The number of who wrote an entry of the history, where that is known."""
        return {entry: number for entry, number in zip(self.history, self.by, strict=False) if number}

    def written_by(self, authors: dict[int, int]) -> None:
        """Keep who wrote the entries that are still in the history."""
        numbers = [authors.get(entry, 0) for entry in self.history] if authors else []
        while numbers and not numbers[-1]:
            numbers.pop()
        self.by = numbers

    def say_priority(self, after_ms: int, priority: Priority) -> None:
        """Take over a priority, unless a newer one is known."""
        said = after_ms << _PRIORITY_BITS | _PRIORITY_CODES[priority]
        if self.priority is None or said > self.priority:
            self.priority = said

    def say_touchpoint(self, after_ms: int, touchpoint: str) -> None:
        """Take over a touchpoint, unless a newer one is known."""
        known_at = self.touchpoint_at
        if known_at is None or (after_ms, touchpoint) > (known_at, self.touchpoint):
            self.touchpoint, self.touchpoint_at = touchpoint, after_ms

    def lay_to_rest(self) -> None:
        """Keep what a reopening needs. When priority and touchpoint were said matters no more: whatever comes is newer."""
        authors = self.authors()
        self.history = ticket_course.at_rest(self.history)
        self.written_by(authors)
        if self.priority is not None:
            self.priority &= _PRIORITY_MASK
        if self.touchpoint_at is not None:
            self.touchpoint_at = 0

    def shortened(self, most: int) -> bool:
        """Cut the history to so many entries, unless it would read differently, and say whether it was cut."""
        history = list(self.history)
        if not ticket_course.cut(history, most):
            return False
        before, after = ticket_course.course_of(self.history), ticket_course.course_of(history)
        if before._replace(flows=[]) != after._replace(flows=[]):
            return False
        authors = self.authors()
        self.history = history
        self.written_by(authors)
        return True
