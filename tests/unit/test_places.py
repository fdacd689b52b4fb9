"""Where code is said to stand."""

import asyncio
import threading
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor

from streams.logs import MAX_MESSAGE_CHARACTERS
from streams.places import FRAMES_MAX, UNKNOWN, place_of_coroutine, place_of_thread, threads_at_work
from tests.support.waiting import wait_until

LIMIT_S = 10.0


async def innermost(until: asyncio.Event) -> None:
    await until.wait()


async def outermost(until: asyncio.Event) -> None:
    await innermost(until)


async def drained(until: asyncio.Event) -> None:
    async for _ in items(until):
        pass


async def items(until: asyncio.Event) -> AsyncIterator[int]:
    await innermost(until)
    yield 1


def functions(place: str) -> list[str]:
    """The names of a place, without files."""
    return [one.partition(" ")[0] for one in place.split(" < ")]


async def test_a_suspended_coroutine_is_told_down_to_what_it_awaits() -> None:
    until = asyncio.Event()
    task = asyncio.create_task(outermost(until))
    await asyncio.sleep(0)
    told = place_of_coroutine(task.get_coro())
    until.set()
    await task
    assert functions(told) == ["wait", "innermost", "outermost"]
    assert "innermost (unit/test_places.py:" in told


async def test_a_coroutine_that_is_over_stands_nowhere() -> None:
    until = asyncio.Event()
    until.set()
    task = asyncio.create_task(outermost(until))
    await task
    assert place_of_coroutine(task.get_coro()) == UNKNOWN


async def test_a_coroutine_that_reads_a_generator_is_told_as_far_as_python_shows() -> None:
    until = asyncio.Event()
    task = asyncio.create_task(drained(until))
    await asyncio.sleep(0)
    told = place_of_coroutine(task.get_coro())
    until.set()
    await task
    assert functions(told)[-1] == "drained"


def test_a_thread_of_a_pool_is_told_while_it_is_in_a_call_and_not_while_it_waits_for_work() -> None:
    inside, release = threading.Event(), threading.Event()

    def call() -> None:
        inside.set()
        release.wait(LIMIT_S)

    with ThreadPoolExecutor(2, thread_name_prefix="places") as pool:
        done = pool.submit(call)
        assert inside.wait(LIMIT_S)
        (told,) = threads_at_work("places").values()
        assert "call" in functions(told)
        assert threads_at_work("another") == {}
        release.set()
        done.result(LIMIT_S)
        pool.submit(int).result(LIMIT_S)
        wait_until(lambda: not threads_at_work("places"), LIMIT_S, "both threads to wait for work")


def deep(levels: int) -> str:
    """The place at the bottom of so many calls."""
    return place_of_thread(threading.get_ident()) if levels == 0 else deep(levels - 1)


def test_of_a_deep_place_the_innermost_is_told_and_fits_into_a_line_of_the_log() -> None:
    told = deep(200)
    assert functions(told)[:2] == ["place_of_thread", "deep"]
    assert len(functions(told)) == FRAMES_MAX
    assert len(told) < MAX_MESSAGE_CHARACTERS


def test_a_thread_that_is_not_there_stands_nowhere() -> None:
    assert place_of_thread(0) == UNKNOWN
