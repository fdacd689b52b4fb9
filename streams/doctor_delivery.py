"""What doctor says of the destinations of alerts: whether the environment has what the definitions name, and it is right."""

from collections.abc import Iterator, Mapping
from typing import Literal, NamedTuple

from processors.definitions import Definitions
from streams.delivery_terms import look


class Finding(NamedTuple):
    """What was found of a destination, and what to do about it."""

    state: Literal["ok", "warning", "wrong"]
    found: str
    advice: str = ""


def findings(definitions: Definitions, environment: Mapping[str, str], app_id: str) -> Iterator[Finding]:
    """One finding a destination or more. No destination is called.

    Variables that are missing are no more than a warning: only the process that delivers needs them.
    """
    plan = definitions.delivery
    if not plan.destinations:
        yield Finding("ok", "the definitions name no destination: nobody is told of alerts")
    for destination in plan.destinations.values():
        call = look(definitions, destination, environment, app_id)
        name = f"{destination.name} ({destination.kind})"
        if call.missing:
            advice = "set them where `cspulse sink delivery` runs; it does not start without"
            yield Finding("warning", f"{name}: {', '.join(call.missing)} not set in this environment", advice)
            continue
        for mistake in call.mistakes:
            yield Finding("wrong", f"{name}: {mistake.place} {mistake.message}", f"right would be: {mistake.expected}")
        if call.line is not None and call.line.is_in_clear:
            advice = "use https://, or keep the network to yourself"
            yield Finding("warning", f"{name}: what is sent to {call.line.host} crosses the network in clear text", advice)
        elif call.line is not None:
            yield Finding("ok", f"{name}: {call.line.host}")
