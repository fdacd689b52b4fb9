"""Where code stands, for the log: functions, files and lines, never a value.

The innermost comes first, so that where a line is cut the way there is lost, and not the place.
"""

import sys
import threading
from types import AsyncGeneratorType, CoroutineType, FrameType, GeneratorType
from typing import Final

FRAMES_MAX: Final = 12
UNKNOWN: Final = "a place that is not known"
_IDLE: Final = "_worker"  # where a thread of a pool waits for work


def place_of_thread(identity: int) -> str:
    """Where a thread stands, by its `ident`."""
    return _told(_of_thread(sys._current_frames().get(identity)))  # noqa: SLF001 - there is no other way to another thread's stack


def place_of_coroutine(coroutine: object) -> str:
    """Where a suspended coroutine stands, down to what it awaits; asyncio itself tells of its outermost frame only."""
    frames: list[FrameType] = []
    while True:
        frame, awaited = _suspended(coroutine)
        if frame is None:
            return _told(frames[::-1])
        frames.append(frame)
        coroutine = awaited


def threads_at_work(prefix: str) -> dict[str, str]:
    """Where each thread of a pool stands that is in a call, by its name; the pool's names begin with `prefix`."""
    frames = sys._current_frames()  # noqa: SLF001 - as above
    found = {}
    for thread in threading.enumerate():
        frame = frames.get(thread.ident or 0)
        if thread.name.startswith(prefix) and frame is not None and frame.f_code.co_name != _IDLE:
            found[thread.name] = _told(_of_thread(frame))
    return found


def _of_thread(frame: FrameType | None) -> list[FrameType]:
    frames = []
    while frame is not None:
        frames.append(frame)
        frame = frame.f_back
    return frames


def _suspended(one: object) -> tuple[FrameType | None, object]:
    """The frame of what is suspended, and what it waits for; no frame where there is no more to see."""
    if isinstance(one, CoroutineType):
        return one.cr_frame, one.cr_await
    if isinstance(one, GeneratorType):
        return one.gi_frame, one.gi_yieldfrom
    if isinstance(one, AsyncGeneratorType):
        return one.ag_frame, one.ag_await
    return None, None


def _told(frames: list[FrameType]) -> str:
    """Frames, the innermost first, as one line."""
    return " < ".join(_name(frame) for frame in frames[:FRAMES_MAX]) or UNKNOWN


def _name(frame: FrameType) -> str:
    file = "/".join(frame.f_code.co_filename.split("/")[-2:])
    return f"{frame.f_code.co_name} ({file}:{frame.f_lineno})"
