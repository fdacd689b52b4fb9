"""Reading a TOML document value by value, noting every mistake with its place instead of stopping at the first.

Each reading method returns a usable value also when it notes a mistake, so that one pass over the file finds them all.
"""

import re
import tomllib
from collections.abc import Iterable
from difflib import get_close_matches
from typing import Any, TypeVar

from msgspec import Struct

Choice = TypeVar("Choice", bound=str)
Value = TypeVar("Value")

_MISSING: Any = object()
_TOO_LARGE = 1e15  # beyond it a float no longer tells whole numbers apart
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_POSITION = re.compile(r" \((?:at (line \d+, column \d+|end of document))\)$")


class Mistake(Struct, frozen=True):
    """One mistake: where it is, what is wrong, and what would be right (empty when the message says so)."""

    place: str
    message: str
    expected: str = ""

    def __str__(self) -> str:
        text = f"{self.place}: {self.message}" if self.place else self.message
        return f"{text} (expected: {self.expected})" if self.expected else text


def did_you_mean(word: str, known: Iterable[str], prefix: str = "") -> str:
    """What would be right in place of an unknown word: the nearest known ones, or all when none is near.

    `prefix` is one that all have in common, and that is no likeness.
    """
    choices = list(known)
    bare = [name.removeprefix(prefix) for name in choices]
    near = get_close_matches(word.removeprefix(prefix), bare, n=3, cutoff=0.6)
    if near:
        return "did you mean " + " or ".join(f'"{prefix}{name}"' for name in near) + "?"
    return "one of " + ", ".join(choices) if choices else "nothing here"


def load(text: str, mistakes: list[Mistake]) -> "Table":
    """The document's top table; a syntax error is one mistake with its line and column, and the table is then empty."""
    try:
        values = tomllib.loads(text)
    except RecursionError:
        mistakes.append(Mistake("", "not valid TOML: nested too deeply"))
        values = {}
    except tomllib.TOMLDecodeError as error:
        message = str(error)
        found = _POSITION.search(message)
        place = found.group(1) if found else ""
        mistakes.append(Mistake(place, f"not valid TOML: {_POSITION.sub('', message)}"))
        values = {}
    return Table(values, "", mistakes)


class Table:
    """One table of the document. `finish()` notes the keys that nobody asked for."""

    def __init__(self, values: dict[str, Any], place: str, mistakes: list[Mistake]) -> None:
        self.place = place
        self._values = values
        self._mistakes = mistakes
        self._known: list[str] = []

    def note(self, key: str, message: str, expected: str = "") -> None:
        """Note a mistake at a key of this table (empty: at the table itself)."""
        self._mistakes.append(Mistake(self._at(key), message, expected))

    def has(self, key: str) -> bool:
        """Whether the table holds the key."""
        return key in self._values

    def text(self, key: str, default: str | None = None) -> str:
        """A non-empty text; required when there is no default."""
        value = self._get(key, default)
        if isinstance(value, str) and (value.strip() or value == default):
            return value
        return self._wrong(key, value, "a text that is not empty", default or "")

    def name(self, key: str) -> str:
        """A name: letters, digits, `_`, `.` and `-`, up to 64 characters, the first a letter or a digit."""
        value = self.text(key)
        if value and not _NAME.fullmatch(value):
            self.note(key, f'"{value}" cannot be a name', "up to 64 letters, digits, _ . -, the first a letter or a digit")
        return value

    def choice(self, key: str, choices: tuple[Choice, ...], default: Choice | None = None) -> Choice:
        """One of a closed list."""
        value = self._get(key, default)
        for choice in choices:
            if value == choice:
                return choice
        if isinstance(value, str):
            self.note(key, f'"{value}" is not known here', did_you_mean(value, choices))
            return default or choices[0]
        return self._wrong(key, value, "one of " + ", ".join(choices), default or choices[0])

    def flag(self, key: str, *, default: bool) -> bool:
        """True or false."""
        value = self._get(key, default)
        return value if isinstance(value, bool) else self._wrong(key, value, "true or false", default)

    def integer(self, key: str, default: int | None = None, *, least: int, most: int) -> int:
        """A whole number between two bounds, both included."""
        value = self._get(key, default)
        fallback = least if default is None else default
        expected = f"a whole number from {least} to {most}"
        if not isinstance(value, int) or isinstance(value, bool):
            return self._wrong(key, value, expected, fallback)
        if not least <= value <= most:
            self.note(key, f"{value} is out of range", expected)
            return fallback
        return value

    def number(self, key: str, default: float | None = None, *, least: float, most: float) -> float:
        """A number between two bounds, both included."""
        value = self._get(key, default)
        fallback = least if default is None else default
        expected = f"a number from {least:,.10g} to {most:,.10g}"
        if not is_number(value):
            return self._wrong(key, value, expected, fallback)
        if not least <= value <= most:
            self.note(key, f"{value:,.10g} is out of range", expected)
            return fallback
        return float(value)

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of texts, empty when the key is absent."""
        value = self._get(key, [])
        if isinstance(value, list) and all(isinstance(item, str) and item for item in value):
            return tuple(value)
        return self._wrong(key, value, 'a list of texts, for example ["enterprise"]', ())

    def any(self, key: str) -> Any:
        """A value that the caller checks, None when the key is absent."""
        self._known.append(key)
        return self._values.get(key)

    def peek(self, key: str) -> Any:
        """A value without asking for it: what `finish` notes stays the same."""
        return self._values.get(key)

    def table(self, key: str) -> "Table":
        """A table within this one; an absent one is empty."""
        value = self._get(key, {})
        if not isinstance(value, dict):
            value = self._wrong(key, value, f"a table, [{key}]", {})
        return Table(value, self._at(key), self._mistakes)

    def tables(self, key: str) -> list["Table"]:
        """A list of tables within this one; an absent one is empty."""
        value = self._get(key, [])
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            value = self._wrong(key, value, f"a list of tables, [[{key}]]", [])
        return [Table(item, self._item_place(key, index, item), self._mistakes) for index, item in enumerate(value, 1)]

    def note_duplicates(self, key: str, tables: list["Table"]) -> None:
        """Note each of the tables under `key` that bears the name of one before it."""
        names: set[str] = set()
        for index, table in enumerate(tables, 1):
            name = table.peek("name")
            if isinstance(name, str) and name in names:
                self._mistakes.append(Mistake(f"{self._at(key)}[{index}].name", f'"{name}" is there twice', "a name of its own"))
            elif isinstance(name, str):
                names.add(name)

    def finish(self) -> None:
        """Note every key that was never asked for."""
        for key in self._values:
            if key not in self._known:
                self.note(key, "is not known here", did_you_mean(key, self._known))

    def _get(self, key: str, default: Any) -> Any:
        self._known.append(key)
        return self._values.get(key, _MISSING if default is None else default)

    def _wrong(self, key: str, value: Any, expected: str, fallback: Value) -> Value:
        if value is _MISSING:
            self.note(key, "is missing", expected)
        else:
            self.note(key, f"{value!r} is not what belongs here", expected)
        return fallback

    def _at(self, key: str) -> str:
        if not key:
            return self.place
        return f"{self.place}.{key}" if self.place else key

    def _item_place(self, key: str, index: int, item: dict[str, Any]) -> str:
        name = item.get("name")
        return f'{self._at(key)}["{name}"]' if isinstance(name, str) and name else f"{self._at(key)}[{index}]"


def is_number(value: object) -> bool:
    """Whether a TOML value is a number of a sane size (`true`, `nan` and `inf` are none)."""
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < _TOO_LARGE
