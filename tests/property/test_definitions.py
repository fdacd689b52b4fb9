"""Whatever stands in a definitions file: it is read, or every mistake is told with its place."""

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from processors.definitions import DefinitionsError, Mistake, parse
from tests.support.judging import default_text

NO_NUMBERS = ['""', '"x"', '"other"', "[]", "[1]", "[[1, 2]]", "{}", "{ a = 1 }"]
VALUES = st.sampled_from(["1", "-1", "0", "1.5", "nan", "inf", "1e308", "true", "1979-05-27", *NO_NUMBERS])
LINES = [index for index, line in enumerate(default_text().splitlines()) if re.match(r"\w+ = .*[^\[]$", line)]


def mistakes_of(text: str) -> list[Mistake]:
    """The mistakes of a file, none when it was read; anything else that is raised fails the test."""
    try:
        parse(text)
    except DefinitionsError as error:
        return error.mistakes
    return []


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(LINES), VALUES, st.booleans()), min_size=1, max_size=8))
def test_a_file_with_any_value_anywhere_is_read_or_its_mistakes_are_told(edits: list[tuple[int, str, bool]]) -> None:
    lines = default_text().splitlines()
    for index, value, as_key in edits:
        key = lines[index].split(" = ")[0]
        lines[index] = f"{key}x = {value}" if as_key else f"{key} = {value}"
    mistakes = mistakes_of("\n".join(lines))
    assert all(mistake.place and mistake.message for mistake in mistakes)


@given(st.text(alphabet='[]{}="\n.# aé1\\x', max_size=60))
def test_any_text_is_read_or_its_mistakes_are_told(text: str) -> None:
    assert all(mistake.message for mistake in mistakes_of(text))
