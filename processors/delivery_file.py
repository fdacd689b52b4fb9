"""Who is told of alerts, as the definitions file declares it: destinations, and the routes that lead to them.

Addresses with tokens and secrets are no part of the file: it names the variables of the environment that hold them.
"""

import re
from typing import Final, Literal, TypeAlias

from msgspec import Struct

from processors.fleet_file import FleetRule
from processors.rule_file import SEVERITIES, Rule
from processors.toml_tables import Table, did_you_mean
from processors.windows import HOUR_MS
from schemas.records import Severity

DestinationKind: TypeAlias = Literal["webhook", "slack"]

_KINDS: Final[tuple[DestinationKind, ...]] = ("webhook", "slack")
_MAX_DESTINATIONS: Final = 32
_MAX_ROUTES: Final = 128
_S_IN_MS: Final = 1_000
_VARIABLE: Final = re.compile(r"[A-Z_][A-Z0-9_]{0,127}")
_OUR_PREFIX: Final = "CSPULSE_"  # a variable that begins so and is no setting is taken for a misspelt one


class Destination(Struct, frozen=True, kw_only=True):
    """Somebody who is called. `url_variable` and `secret_variable` (empty: nothing is signed) are names of variables.

    `digests`: what is beyond an owner's budget of the day comes in the owner's digest and not one by one.
    """

    name: str
    kind: DestinationKind
    url_variable: str
    secret_variable: str
    timeout_ms: int
    digests: bool
    morning_lists: bool


class Route(Struct, frozen=True):
    """Which alerts go to which destinations; an empty list takes all. An alert of the whole fleet has no segment and no owner."""

    destinations: tuple[str, ...]
    least_severity: Severity
    rules: tuple[str, ...]
    segments: tuple[str, ...]
    owners: tuple[str, ...]

    def takes(self, rule: str, severity: Severity, segment: str | None, owner: str | None) -> bool:
        """Whether an alert goes this way."""
        return (
            SEVERITIES.index(severity) >= SEVERITIES.index(self.least_severity)
            and (not self.rules or rule in self.rules)
            and (not self.segments or segment in self.segments)
            and (not self.owners or owner in self.owners)
        )


class DeliveryPlan(Struct, frozen=True):
    """Who is told of what. A message that no destination took `give_up_after_ms` after it was published is given up.

    Nobody is told of an episode whose state is more than `oldest_ms` old when it is published, or was when delivery began.
    """

    give_up_after_ms: int
    oldest_ms: int
    destinations: dict[str, Destination]
    routes: tuple[Route, ...]

    def takes(self, destination: str, rule: str, severity: Severity, segment: str | None, owner: str | None) -> bool:
        """Whether an alert goes to a destination."""
        return any(destination in route.destinations and route.takes(rule, severity, segment, owner) for route in self.routes)

    def takes_lists_of(self, destination: str, owner: str) -> bool:
        """Whether the lists of an owner go to a destination: alerts of that owner could."""
        return any(destination in route.destinations and (not route.owners or owner in route.owners) for route in self.routes)


def read(top: Table, rules: dict[str, Rule], fleet_rules: dict[str, FleetRule]) -> DeliveryPlan:
    """The section `[delivery]`; mistakes are noted at their place."""
    table = top.table("delivery")
    give_up_after_hours = table.number("give_up_after_hours", 24, least=0.01, most=24 * 30)
    oldest_hours = table.number("oldest_hours", 72, least=0, most=24 * 365)
    destinations = _destinations(table)
    names = tuple(rules) + tuple(name for name in fleet_rules if name not in rules)
    routes = _routes(table, tuple(destinations), names)
    for name in destinations:
        if not any(name in route.destinations for route in routes):
            table.note(f'destinations["{name}"]', "no route leads there", f'[[delivery.routes]] with destinations = ["{name}"]')
    table.finish()
    return DeliveryPlan(int(give_up_after_hours * HOUR_MS), int(oldest_hours * HOUR_MS), destinations, routes)


def _destinations(table: Table) -> dict[str, Destination]:
    tables = _at_most(table, "destinations", _MAX_DESTINATIONS)
    table.note_duplicates("destinations", tables)
    return {found.name: found for found in map(_destination, tables)}


def _destination(table: Table) -> Destination:
    name = table.name("name")
    kind: DestinationKind = table.choice("kind", _KINDS)
    destination = Destination(
        name=name,
        kind=kind,
        url_variable=_variable(table, "url_variable"),
        secret_variable=_variable(table, "secret_variable") if kind == "webhook" else "",
        timeout_ms=int(table.number("timeout_seconds", 10, least=0.1, most=60) * _S_IN_MS),
        digests=table.flag("digests", default=kind == "slack"),
        morning_lists=table.flag("morning_lists", default=False),
    )
    table.finish()
    return destination


def _variable(table: Table, key: str) -> str:
    """The name of a variable; what looks like an address or a secret itself is not repeated in the mistake."""
    name = table.text(key)
    expected = f"a name such as CRM_{key.partition('_')[0].upper()}; the variable of the environment holds the value itself"
    if name and not _VARIABLE.fullmatch(name):
        table.note(key, "is not the name of a variable of the environment", expected)
    elif name.startswith(_OUR_PREFIX):
        table.note(key, f"begins with {_OUR_PREFIX}, as only settings do", expected)
    return name


def _routes(table: Table, destinations: tuple[str, ...], rules: tuple[str, ...]) -> tuple[Route, ...]:
    return tuple(_route(item, destinations, rules) for item in _at_most(table, "routes", _MAX_ROUTES))


def _route(table: Table, destinations: tuple[str, ...], rules: tuple[str, ...]) -> Route:
    route = Route(
        destinations=_known(table, "destinations", "destination", destinations),
        least_severity=table.choice("least_severity", SEVERITIES, "info"),
        rules=_known(table, "rules", "rule", rules),
        segments=table.texts("segments"),
        owners=table.texts("owners"),
    )
    if not route.destinations:
        table.note("destinations", "is missing", "the names of one or more destinations")
    table.finish()
    return route


def _known(table: Table, key: str, what: str, names: tuple[str, ...]) -> tuple[str, ...]:
    """A list of names that stand elsewhere in the file."""
    found = table.texts(key)
    for name in found:
        if name not in names:
            table.note(key, f'there is no {what} "{name}"', did_you_mean(name, names))
    return found


def _at_most(table: Table, key: str, most: int) -> list[Table]:
    tables = table.tables(key)
    if len(tables) > most:
        table.note(key, f"there are {len(tables)} of them", f"at most {most}")
    return tables
