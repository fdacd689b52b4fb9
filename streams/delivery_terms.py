"""From the definitions and the environment to what a destination's sink is made of: addresses and secrets come in only here."""

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Final
from urllib.parse import urlsplit

import httpx2
from msgspec import Struct

from processors.definitions import Definitions
from processors.delivery_file import DeliveryPlan, Destination
from processors.toml_tables import Mistake, did_you_mean
from sinks.delivery import Terms
from sinks.messages import Format
from sinks.notices import Notice
from sinks.slack import slack_format
from sinks.telling import Routing
from sinks.webhooks import SecretUnusable, webhook_format
from streams.settings import SettingsError

_LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")


class Line(Struct, frozen=True):
    """A destination that can be called. `url` is a secret as well: it may hold a token."""

    terms: Terms
    url: str
    timeout_ms: int

    @property
    def host(self) -> str:
        """Whom the address belongs to."""
        return urlsplit(self.url).hostname or ""

    @property
    def is_in_clear(self) -> bool:
        """Whether what is sent crosses a network in clear text."""
        return urlsplit(self.url).scheme == "http" and self.host not in _LOOPBACK


class Call(Struct, frozen=True):
    """What was found of a destination in an environment: a line, or mistakes. `missing` are variables that are not set."""

    destination: Destination
    line: Line | None
    mistakes: list[Mistake]
    missing: list[str]


def lines(
    definitions: Definitions, environment: Mapping[str, str], app_id: str, only: Iterable[str] = ()
) -> tuple[list[Line], list[str]]:
    """The lines to all destinations, or to those named by `only`, and every secret among their values.

    Raises SettingsError with every variable that is missing or wrong, and every name that is none.
    """
    plan = definitions.delivery
    names = list(only) or list(plan.destinations)
    mistakes = [
        Mistake("--destination", f'there is no destination "{name}"', did_you_mean(name, plan.destinations))
        for name in names
        if name not in plan.destinations
    ]
    found = [look(definitions, plan.destinations[name], environment, app_id) for name in names if name in plan.destinations]
    mistakes += [mistake for call in found for mistake in call.mistakes]
    if mistakes:
        raise SettingsError(mistakes)
    secrets = [
        part
        for call in found
        for variable in (call.destination.url_variable, call.destination.secret_variable)
        for part in environment.get(variable, "").split()
    ]
    return [call.line for call in found if call.line is not None], secrets


def look(definitions: Definitions, destination: Destination, environment: Mapping[str, str], app_id: str) -> Call:
    """What an environment says of a destination."""
    variables = [name for name in (destination.url_variable, destination.secret_variable) if name]
    missing = [name for name in variables if not environment.get(name, "").strip()]
    if missing:
        of_what = f'what the definitions name for the destination "{destination.name}"'
        return Call(destination, None, [Mistake(name, "is not set", of_what) for name in missing], missing)
    mistakes: list[Mistake] = []
    url = environment[destination.url_variable].strip()
    if not _is_address(url):
        mistakes.append(Mistake(destination.url_variable, "is no address", "https:// and a host, whole and without blanks"))
    form = _format(destination, environment, app_id, mistakes)
    if form is None or mistakes:
        return Call(destination, None, mistakes, [])
    terms = Terms(
        name=destination.name,
        routing=_routing(definitions, destination),
        format=form,
        give_up_after_ms=definitions.delivery.give_up_after_ms,
    )
    return Call(destination, Line(terms, url, destination.timeout_ms), [], [])


def _format(destination: Destination, environment: Mapping[str, str], app_id: str, mistakes: list[Mistake]) -> Format | None:
    if destination.kind == "slack":
        return slack_format()
    try:
        return webhook_format(f"/cspulse/{app_id}", environment[destination.secret_variable].split())
    except SecretUnusable as error:
        expected = "whsec_ and 24 to 64 bytes in base64; two secrets with a blank between them while one takes over"
        mistakes.append(Mistake(destination.secret_variable, f"is no secret of Standard Webhooks: {error}", expected))
        return None


def _routing(definitions: Definitions, destination: Destination) -> Routing:
    plan = definitions.delivery
    return Routing(
        takes=partial(_takes, plan, destination.name),
        takes_lists_of=partial(plan.takes_lists_of, destination.name),
        digests=destination.digests,
        morning_lists=destination.morning_lists,
        budget_a_day=definitions.alerts.owner_budget_per_day,
        oldest_ms=plan.oldest_ms,
    )


def _takes(plan: DeliveryPlan, destination: str, notice: Notice) -> bool:
    return plan.takes(destination, notice.rule, notice.severity, notice.segment, notice.owner)


def _is_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
        httpx2.URL(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and not any(map(str.isspace, url)) and parts.port != 0
    except (ValueError, httpx2.InvalidURL):
        return False
