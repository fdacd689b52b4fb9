"""What a log line looks like, and what may never stand in one."""

import io
import json
import logging
from collections.abc import Iterator

import pytest

from streams.logs import MAX_MESSAGE_CHARACTERS, configure

logger = logging.getLogger("streams.something")


@pytest.fixture(autouse=True)
def _logging_as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    logging.captureWarnings(capture=False)
    root.handlers[:] = handlers
    root.setLevel(level)


def test_a_text_line_has_time_level_and_place() -> None:
    stream = io.StringIO()
    configure("info", "text", stream=stream)

    logger.info("partition %d is ready", 3)

    time, rest = stream.getvalue().split(" ", 1)
    assert time.endswith("Z")
    assert rest == "INFO streams.something: partition 3 is ready\n"


def test_a_json_line_is_one_object() -> None:
    stream = io.StringIO()
    configure("info", "json", stream=stream)

    logger.warning("two\nlines")

    line = json.loads(stream.getvalue())
    assert (line["level"], line["logger"], line["message"]) == ("warning", "streams.something", "two\\nlines")


def test_what_is_less_severe_than_the_level_is_left_out() -> None:
    stream = io.StringIO()
    configure("warning", "text", stream=stream)

    logger.info("not this")

    assert stream.getvalue() == ""


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_secret_is_blanked_in_messages_and_in_traces(form: str) -> None:
    stream = io.StringIO()
    configure("info", "json" if form == "json" else "text", ["hunter2", ""], stream)

    try:
        int("the password hunter2")
    except ValueError:
        logger.exception("login with %s failed", "hunter2")

    assert "hunter2" not in stream.getvalue()
    assert "***" in stream.getvalue()
    assert "ValueError" in stream.getvalue()


def test_a_message_is_cut_to_its_bound() -> None:
    stream = io.StringIO()
    configure("info", "json", stream=stream)

    logger.info("x" * 10_000)

    assert len(json.loads(stream.getvalue())["message"]) == MAX_MESSAGE_CHARACTERS


def test_the_libraries_below_are_quiet_unless_a_fault_is_looked_for() -> None:
    stream = io.StringIO()
    configure("info", "text", stream=stream)
    logging.getLogger("aiokafka.consumer").info("not this")
    assert stream.getvalue() == ""

    configure("debug", "text", stream=stream)
    logging.getLogger("aiokafka.consumer").info("but this")
    assert "but this" in stream.getvalue()
