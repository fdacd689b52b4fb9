"""The tables of docs/definitions.md: `python -m benchmarks.reference` writes into them what the code says.

A table stands behind a marker, `<!-- keys: … -->` or the like. Its words are the document's own; types, bounds and defaults are
the code's (`benchmarks.asked_keys`). A key that is new gets a row without words, which a test refuses.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import product
from typing import Final

from benchmarks.asked_keys import Asked, keys_asked_for, keys_of
from benchmarks.ground import REPOSITORY
from processors.maturity_file import DEFAULTS
from processors.vocabulary import TERMS, Term

DOCUMENT: Final = REPOSITORY / "docs" / "definitions.md"
MARKER: Final = re.compile(r"<!-- (keys|figures|criteria)(?:: ([^>]*?))? -->")
_BRACES: Final = re.compile(r"\{([^{}]*)\}")


def written(text: str) -> str:
    """The document with its tables as the code says they are."""
    asked = keys_asked_for()
    lines = text.split("\n")
    found: list[str] = []
    at = 0
    while at < len(lines):
        found.append(lines[at])
        match = MARKER.fullmatch(lines[at])
        at += 1
        if match is not None:
            while at < len(lines) and not lines[at]:
                at += 1
            end = at
            while end < len(lines) and lines[end].startswith("|"):
                end += 1
            found += ["", *_TABLES[match[1]](asked, match[2] or "", rows(lines[at:end]))]
            at = end
    return "\n".join(found)


def rows(lines: Iterable[str]) -> dict[str, list[str]]:
    """The cells of a table's rows by the first of them."""
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in list(lines)[2:]]
    return {row[0]: row for row in cells}


def wordless(text: str) -> list[str]:
    """The rows about a name that lack words."""
    about_names = (line for line in text.split("\n") if line.startswith("| `"))
    return [line for line in about_names if any(not cell.strip() for cell in line.strip("|").split("|"))]


def names_in(cell: str) -> Iterator[str]:
    """The names in a cell: each stands in backticks, `{a,b}` in one stands for several."""
    for name in re.findall(r"`([^`]+)`", cell):
        parts = _BRACES.split(name)
        for choice in product(*(part.split(",") if place % 2 else [part] for place, part in enumerate(parts))):
            yield "".join(choice)


def _keys(asked: list[Asked], places: str, known: Mapping[str, list[str]]) -> list[str]:
    found = ["| key | value | default | meaning |", "|---|---|---|---|"]
    for key in keys_of(asked, places):
        name = f"`{key.name}`"
        old = known.get(name, [name, "", "", ""])
        found.append(_row(name, key.type or old[1], key.default or old[2], old[3]))
    return found


def _figures(_asked: list[Asked], source: str, known: Mapping[str, list[str]]) -> list[str]:
    found = ["| figure | meaning | unit | looks back | better | unknown when |", "|---|---|---|---|---|---|"]
    for term in TERMS.values():
        if (term.source == "events") == (source == "measures"):
            name = f"`{term.name}`"
            why = known.get(name, [""])[-1]
            found.append(_row(name, term.label, _unit(term), _window(term), "more" if term.higher_is_better else "less", why))
    return found


def _criteria(_asked: list[Asked], _arguments: str, _known: Mapping[str, list[str]]) -> list[str]:
    found = ["| criterion | side | figures of the fleet | level 2, 3, 4, 5 from |", "|---|---|---|---|"]
    for criterion in DEFAULTS:
        for part in criterion.parts:
            at = ", ".join(f"{value:g}" for value in part.thresholds)
            found.append(_row(f"`{criterion.name}`", criterion.side, f"`{part.figure}`", at))
    return found


_TABLES: Final[dict[str, Callable[[list[Asked], str, Mapping[str, list[str]]], list[str]]]] = {
    "keys": _keys,
    "figures": _figures,
    "criteria": _criteria,
}


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _unit(term: Term) -> str:
    words = {"pct": "%, 0-100", "ratio": "ratio, 1 is 100 %", "log": "natural logarithm", "per_seat": "tickets a seat"}
    return words.get(term.unit, term.unit)


def _window(term: Term) -> str:
    return "-" if term.window_days is None else f"{term.window_days} days"


def main() -> None:
    """Write the document anew."""
    DOCUMENT.write_text(written(DOCUMENT.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
