"""When each respondent was last asked: a question too many is worse than one too few.

Kept are 32 bits for a survey, respondent and touchpoint, and the time in whole seconds, rounded up so that no question comes
early. Two of the 256 that are kept share their bits once in 30,000 customers; the harm is then a question that is not asked.
"""

from collections.abc import Mapping
from hashlib import blake2b
from typing import Final

from msgspec import Struct, field

from schemas.events import Survey

MAX_ASKED: Final = 256
"""So many questions are remembered; beyond it everybody counts as asked when the forgotten one was."""

_CODES: Final[dict[Survey, int]] = {"csat": 0, "nps": 1, "ces": 2, "product": 3}
_SURVEYS: Final[tuple[Survey, ...]] = tuple(_CODES)
_CODE_MASK: Final = 3


class Throttle(Struct, array_like=True, gc=False):
    """The times of the last questions.

    `asked` is in seconds by 30 bits of a hash * 4 + the survey's code. `floors` has by the code of a survey the newest question
    that was forgotten beyond the bound, `forgotten` how many were.
    """

    asked: dict[int, int] = field(default_factory=dict)
    floors: dict[int, int] = field(default_factory=dict)
    forgotten: int = 0

    def asked_at(self, survey: Survey, respondent: str, touchpoint: str | None) -> int | None:
        """When the respondent was last asked, as far as it matters; None when that is not known."""
        code = _CODES[survey]
        seconds = self.asked.get(_key(code, respondent, touchpoint), self.floors.get(code))
        return None if seconds is None else seconds * 1000

    def free_at(self, survey: Survey, respondent: str, touchpoint: str | None, throttle_ms: int) -> int:
        """From when on the respondent may be asked again; 0 when nothing is in the way."""
        asked_at = self.asked_at(survey, respondent, touchpoint)
        return 0 if asked_at is None else asked_at + throttle_ms

    def note(self, survey: Survey, respondent: str, touchpoint: str | None, at_ms: int) -> None:
        """Remember that the respondent was asked at a time, if that is the newest."""
        key = _key(_CODES[survey], respondent, touchpoint)
        seconds = -(-at_ms // 1000)
        if seconds > self.asked.get(key, -1):
            self.asked[key] = seconds

    def forget(self, clock_ms: int, throttles_ms: Mapping[Survey, int]) -> None:
        """Drop the questions that block nothing any more; of a survey that is not asked any more, all."""
        for key in [key for key, seconds in self.asked.items() if _is_over(key & _CODE_MASK, seconds, clock_ms, throttles_ms)]:
            del self.asked[key]
        for code in [code for code, seconds in self.floors.items() if _is_over(code, seconds, clock_ms, throttles_ms)]:
            del self.floors[code]

    def keep_newest(self, most: int) -> int:
        """Remember at most so many questions, the newest. Returns how many were forgotten."""
        too_many = sorted((seconds, key) for key, seconds in self.asked.items())[: max(0, len(self.asked) - most)]
        for seconds, key in too_many:
            del self.asked[key]
            self.floors[key & _CODE_MASK] = max(seconds, self.floors.get(key & _CODE_MASK, 0))
        self.forgotten += len(too_many)
        return len(too_many)


def _is_over(code: int, seconds: int, clock_ms: int, throttles_ms: Mapping[Survey, int]) -> bool:
    return seconds * 1000 + throttles_ms.get(_SURVEYS[code], 0) <= clock_ms


def _key(code: int, respondent: str, touchpoint: str | None) -> int:
    name = f"{respondent}\x00{touchpoint or ''}".encode("utf-8", "surrogatepass")
    return int.from_bytes(blake2b(name, digest_size=4).digest(), "big") & ~_CODE_MASK | code
