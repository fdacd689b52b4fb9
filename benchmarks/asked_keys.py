"""What the reader of a definitions file asks for: every key with its type, bounds and default.

They are found by reading the default file with a table that notes what it is asked for.
"""

import re
from collections.abc import Iterable
from typing import Any, Final

from msgspec import Struct

from processors.definitions import read
from processors.toml_tables import Choice, Mistake, Table, load
from streams.catalogue import default_text

KEPT: Final = ""
"""A cell that the code says nothing of: what stands in the document stays."""

_PLANS: Final = """
[[plans]]
criterion = "satisfaction"
baseline = 78
target = 85
starts_at = 2026-01-01
due_at = 2026-06-30
owner = "Head of Support"

[[plans]]
criterion = "nps"
baseline = 20
target = 40
starts_at = 2026-01-01
due_at = 2026-06-30
owner = "Head of Customer Success"
"""
_DELIVERY: Final = """
[[delivery.destinations]]
name = "crm"
kind = "webhook"
url_variable = "CRM_URL"
secret_variable = "CRM_SECRET"

[[delivery.destinations]]
name = "team"
kind = "slack"
url_variable = "TEAM_URL"

[[delivery.routes]]
destinations = ["crm", "team"]
"""
_BESIDE: Final = _PLANS + _DELIVERY
"""What the default file has none of."""

_BY_KIND: Final = ("rules", "fleet_rules")
_FREE_NAMES: Final = {
    "goals.expected_by_segment": "<segment>",
    "surveys.csat.wording": "<locale>",
    "surveys.nps.wording": "<locale>",
    "surveys.ces.wording": "<locale>",
    "surveys.product.wording": "<locale>",
    "calendars.hours": "<day>",
    "loyalty.actions": "<quadrant>",
}
"""Tables whose keys are names of something else, and what stands for such a name."""

_LONGEST_DEFAULT: Final = 40
_OWN_TABLES: Final = (
    *("scorecards.measures", "surveys.csat", "surveys.ces", "surveys.nps", "surveys.product"),
    *("delivery.destinations", "delivery.routes"),
)
"""Tables within a section that have a table of the document for themselves."""


class Asked(Struct, frozen=True):
    """A value that the reader asked for; `variant` is the kind of the rule it was asked of, else empty."""

    place: str
    key: str
    variant: str
    type: str
    default: object
    is_optional: bool


class Noting(Table):
    """A table that notes into `asked` what it is asked for. Of a value asked for twice the first time counts."""

    def __init__(
        self, values: dict[str, Any], place: str, mistakes: list[Mistake], asked: list[Asked], pattern: str, variant: str
    ) -> None:
        super().__init__(values, place, mistakes)
        self._notes = mistakes
        self._asked = asked
        self._pattern = pattern
        self._variant = variant
        self._optional: set[str] = set()
        self._done: set[str] = set()

    def has(self, key: str) -> bool:
        """Whether the table holds the key: who asks first can do without."""
        if key not in self._done:
            self._optional.add(key)
        return super().has(key)

    def text(self, key: str, default: str | None = None) -> str:
        """A text."""
        self._note(key, "text", default)
        return super().text(key, default)

    def name(self, key: str) -> str:
        """A name."""
        self._note(key, "name", None)
        return super().name(key)

    def choice(self, key: str, choices: tuple[Choice, ...], default: Choice | None = None) -> Choice:
        """One of a closed list."""
        self._note(key, ", ".join(f"`{choice}`" for choice in choices), default)
        return super().choice(key, choices, default)

    def flag(self, key: str, *, default: bool) -> bool:
        """True or false."""
        self._note(key, "true or false", default)
        return super().flag(key, default=default)

    def integer(self, key: str, default: int | None = None, *, least: int, most: int) -> int:
        """A whole number."""
        self._note(key, f"whole number, {_number(least)} to {_number(most)}", default)
        return super().integer(key, default, least=least, most=most)

    def number(self, key: str, default: float | None = None, *, least: float, most: float) -> float:
        """A number."""
        self._note(key, f"number, {_number(least)} to {_number(most)}", default)
        return super().number(key, default, least=least, most=most)

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of texts."""
        self._note(key, "list of texts", KEPT)
        return super().texts(key)

    def any(self, key: str) -> Any:
        """What the caller checks: its type and default are the document's to say."""
        self._note(key, KEPT, KEPT)
        return super().any(key)

    def table(self, key: str) -> Table:
        """A table within this one."""
        inner = super().table(key)
        return self._within(key, self._own(key, {}), inner.place)

    def tables(self, key: str) -> list[Table]:
        """A list of tables within this one."""
        inner = super().tables(key)
        return [self._within(key, values, table.place) for values, table in zip(self._own(key, []), inner, strict=True)]

    def _own(self, key: str, empty: Any) -> Any:
        value = self.peek(key)
        return empty if value is None else value

    def _within(self, key: str, values: dict[str, Any], place: str) -> "Noting":
        free = _FREE_NAMES.get(self._pattern)
        pattern = f"{self._pattern}.{free or key}" if self._pattern else key
        variant = str(values.get("kind", "")) if key in _BY_KIND else self._variant
        return Noting(values, place, self._notes, self._asked, pattern, variant)

    def _note(self, key: str, type_: str, default: object) -> None:
        if key in self._done:
            return
        self._done.add(key)
        name = _FREE_NAMES.get(self._pattern, key)
        is_optional = key in self._optional or name != key
        self._asked.append(Asked(self._pattern, name, self._variant, type_, default, is_optional))


class Key(Struct):
    """A key as a table of the document shows it. `defaults` are by the variant that they are of."""

    name: str
    type: str
    defaults: dict[str, list[object]]
    is_optional: bool = False

    @property
    def default(self) -> str:
        """The default as it is shown; `KEPT` where it depends on something else."""
        if self.is_optional or any(len(set(map(repr, found))) > 1 for found in self.defaults.values()):
            return KEPT
        by_value: dict[str, list[str]] = {}
        for variant, found in self.defaults.items():
            by_value.setdefault(_shown(found[0]), []).append(variant)
        if len(by_value) == 1:
            return next(iter(by_value))
        usual = next((value for value, variants in by_value.items() if 2 * len(variants) > len(self.defaults)), None)
        others = [f"{value} ({', '.join(variants)})" for value, variants in by_value.items() if value != usual]
        return "; ".join([*([usual] if usual else []), *others])


def keys_asked_for() -> list[Asked]:
    """What the reader of definitions asks for, from the default file with plans and destinations beside it."""
    mistakes: list[Mistake] = []
    asked: list[Asked] = []
    top = load(default_text() + _BESIDE, mistakes)
    values = {key: top.peek(key) for key in _sections(default_text() + _BESIDE)}
    read(Noting(values, "", mistakes, asked, "", ""), mistakes)
    return asked


def keys_of(asked: Iterable[Asked], places: str) -> list[Key]:
    """The keys of the tables at some places, told apart by variant or by the last part of the place where there are several.

    `places` are names with commas between them; `rules of a kind` are the keys that only some kinds of rules have.
    """
    of_a_kind = places.endswith(" of a kind")
    names = places.removesuffix(" of a kind").split(", ")
    found: dict[str, Key] = {}
    variants: set[str] = set()
    for one in asked:
        root = next((name for name in names if one.place == name or one.place.startswith(f"{name}.")), None)
        if root is None or _is_told_elsewhere(one.place, root):
            continue
        variant = one.variant or root.rpartition(".")[2]
        variants.add(variant)
        inner = f"{one.place}.{one.key}".removeprefix(f"{root}.")
        key = found.setdefault(inner, Key(inner, one.type, {}, one.is_optional))
        key.defaults.setdefault(variant, []).append(one.default)
        key.type = key.type if one.type == key.type else KEPT
    if names[0] not in _BY_KIND:
        return list(found.values())
    shared = {name for name, key in found.items() if key.defaults.keys() == variants or name.startswith("raise.")}
    if not of_a_kind:
        return [key for name, key in found.items() if name in shared]
    return [
        Key(f"{', '.join(key.defaults)}: {name}", key.type, key.defaults, key.is_optional)
        for name, key in found.items()
        if name not in shared
    ]


def _shown(default: object) -> str:
    if default is None:
        return "required"
    if isinstance(default, bool):
        return str(default).lower()
    if isinstance(default, int | float):
        return _number(default)
    text = str(default)
    return "see the default file" if len(text) > _LONGEST_DEFAULT else f"`{text}`" if text else KEPT


def _number(value: float) -> str:
    return f"{value:,.10g}"


def _sections(text: str) -> list[str]:
    """The names of a file's sections."""
    names = (match[1] for match in re.finditer(r"^\[\[?(\w+)", text, re.MULTILINE))
    return list(dict.fromkeys(names))


def _is_told_elsewhere(place: str, root: str) -> bool:
    """Whether keys within a section have a table of their own."""
    return any(place.startswith(own) and not root.startswith(own) for own in _OWN_TABLES)
