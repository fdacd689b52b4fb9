"""`cspulse simulate`: events of customers that do not exist."""

import time
from typing import Annotated

import typer

from streams.commands.failures import WRONG, CommandError
from streams.commands.files import STANDARD, writing
from streams.commands.output import note

_S_IN_MS = 1_000


def simulate(
    out: Annotated[str, typer.Option(metavar="FILE", help="Where the events go, as JSON lines; - is standard output.")],
    customers: Annotated[int, typer.Option(help="How many customers.", min=1, max=10_000_000)] = 300,
    days: Annotated[int, typer.Option(help="Over how many days.", min=1, max=3_650)] = 180,
    seed: Annotated[int, typer.Option(help="The same seed (and --end) gives the same events.", min=0)] = 1,
    end: Annotated[
        str | None, typer.Option(metavar="TIME", help="When the days end: RFC 3339 or epoch milliseconds; else now, to the hour.")
    ] = None,
    truth: Annotated[
        str | None,
        typer.Option(
            metavar="FILE", help="Where the truth about each customer goes, - is standard output; else beside the events."
        ),
    ] = None,
) -> None:
    """Simulate customers, each with a character (healthy, declining, silent, angry, growing ...), and write what they do."""
    from streams.commands.lines import text_of
    from streams.commands.times import time_of
    from streams.sources.simulator import Simulation, format_truth, truths
    from streams.sources.simulator import simulate as simulated

    if truth == out == STANDARD:
        raise CommandError("the events and the truth cannot both go to standard output", WRONG)
    if truth is None and out != STANDARD:
        truth = f"{out}.truth.jsonl"
    hour_ms = 3_600 * _S_IN_MS
    end_ms = int(time.time() * _S_IN_MS) // hour_ms * hour_ms if end is None else time_of(end, "--end")
    simulation = Simulation(customers=customers, days=days, seed=seed, end_ms=end_ms)
    count = 0
    with writing(out) as file:
        for count, line in enumerate(simulated(simulation), 1):  # noqa: B007 - the last number is the count
            file.write(f"{text_of(line)}\n")
    if truth is not None:
        with writing(truth) as file:
            for one in truths(simulation):
                file.write(f"{format_truth(one)}\n")
    told = f", the truth about each in {truth}" if truth not in (None, STANDARD) else ""
    note(f"{count} events of {customers} customers in {days} days, seed {seed}{told}")
