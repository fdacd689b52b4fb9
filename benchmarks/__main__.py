"""`python -m benchmarks`: measures on a broker of its own, prints one table and draws one picture. About five minutes.

Everything is bounded in number and time, seeds are fixed. Only figures of one run may be compared: the broker, the programs and
whatever else runs share the machine.
"""

import argparse
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from msgspec import Struct
from rich.console import Console
from rich.table import Table

from benchmarks import domain, job, machine, picture
from benchmarks.ground import REPOSITORY, MeasurementFailed, committed_pace, create_topics, produce, running
from benchmarks.latency import TOPICS, latencies
from tests.support.cluster import ApacheCluster
from tests.support.kafka.jars import PartMissingError
from tests.support.kafka.server import KafkaServer, KafkaStartError

CEILING_LIMIT_S = 60.0
JOB_LIMIT_S = 60.0
ENGINES = {"engine": "cspulse's engine", "plain": "the prototype's way"}

JOB_EVENTS_MIN = 100_000
LATENCY_LOADS = {"main job": 1000, "typical": 1000, "restless": 300}  # events a second


class Row(Struct):
    """A line of the table: what, how much of which unit, and what to know about it."""

    name: str
    value: float
    unit: str
    remark: str


def main() -> int:
    """Measure, print, draw; returns the exit code."""
    options = _options()
    try:
        with tempfile.TemporaryDirectory() as folder, KafkaServer(Path(folder) / "kafka") as server:
            cluster = ApacheCluster(server)
            rows = [
                *_job(cluster, options.job_events, options.rounds, Path(folder)),
                *_domain(cluster, options.customers, Path(folder)),
                # last, because a Java process that has just started compiles itself on the same cores
                *_latency(cluster, options.latency_seconds, Path(folder)),
            ]
    except (PartMissingError, KafkaStartError, MeasurementFailed) as error:
        print(f"nothing was measured: {error}", file=sys.stderr)
        return 1
    _show(rows, options.picture)
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure cspulse on an Apache Kafka of its own.")
    parser.add_argument("--customers", type=int, default=700, help="simulated customers of 60 days, ~64 events each (700)")
    parser.add_argument("--job-events", type=_enough, default=300_000, help="events of the small job (300000)")
    parser.add_argument("--rounds", type=int, default=3, help="alternating rounds of the small job (3)")
    parser.add_argument("--latency-seconds", type=int, default=40, help="how long latency is measured (40)")
    parser.add_argument("--picture", type=Path, default=REPOSITORY / ".cache" / "bench.svg", help="where the picture goes")
    return parser.parse_args()


def _enough(text: str) -> int:
    """Fewer events would be committed at once, and there would be no time between two commits to measure."""
    if not text.isdecimal() or int(text) < JOB_EVENTS_MIN:
        raise argparse.ArgumentTypeError(f"a whole number from {JOB_EVENTS_MIN} on is needed")
    return int(text)


def _latency(cluster: ApacheCluster, seconds: int, folder: Path) -> list[Row]:
    rows = []
    for load, per_s in LATENCY_LOADS.items():
        _say(f"latency: {per_s} events/s of the {load} load for {seconds} s")
        found = latencies(cluster, load, per_s, seconds, folder)
        cluster.clear()
        for topic in TOPICS:
            what = f"{load} event to committed {'health change' if topic == 'cs.health-changes' else 'alert'}"
            remark = f"{len(found.by_topic[topic]):,} records at {per_s:,} events/s, load {found.load:.1f}"
            for share in (0.50, 0.95, 0.99):
                rows.append(Row(f"{what}, p{share * 100:.0f}", found.percentile(topic, share), "ms", remark))
                remark = ""
    return rows


def _domain(cluster: ApacheCluster, customers: int, folder: Path) -> list[Row]:
    _say(f"throughput of one worker, whole domain: {customers} customers")
    pace = domain.throughput(cluster, customers, folder)
    cluster.clear()
    remark = f"{pace.records:,} events, {pace.cpu_s / pace.records * 1e6:.0f} µs of processor each, load {machine.load()}"
    return [Row("one worker, whole domain", pace.per_s, "events/s", remark)]


def _job(cluster: ApacheCluster, events: int, rounds: int, folder: Path) -> list[Row]:
    _say(f"the small job: {events} events, {rounds} rounds")
    create_topics(cluster, "setup")
    produce(cluster.bootstrap, job.events(events, int(time.time() * 1000)))
    found: dict[str, list[float]] = {name: [] for name in (*ENGINES, "ceiling")}
    for number in range(rounds):
        for name in ENGINES:
            app_id = f"bench-{name}-{number}"
            create_topics(cluster, app_id)
            command = ["-m", f"benchmarks.{name}", cluster.bootstrap, app_id]
            found[name].append(committed_pace(cluster.bootstrap, app_id, command, events, JOB_LIMIT_S, folder).per_s)
        command = ["-m", "benchmarks.ceiling", cluster.bootstrap, str(events)]
        with running(command, folder / f"ceiling-{number}.log") as ceiling:
            found["ceiling"].append(float(ceiling.wait(CEILING_LIMIT_S)))
        _say(f"  round {number + 1}: " + ", ".join(f"{name} {values[-1]:,.0f}/s" for name, values in found.items()))
    rows = [
        Row(f"small job, {title}", median(found[name]), "small events/s", _spread(found[name]))
        for name, title in {**ENGINES, "ceiling": "the ceiling (nothing durable)"}.items()
    ]
    for name, title in (("plain", "the prototype's way"), ("ceiling", "the ceiling")):
        ratios = [ours / theirs for ours, theirs in zip(found["engine"], found[name], strict=True)]
        rows.append(
            Row(f"small job, cspulse's engine to {title}", median(ratios), "times", f"{_spread(ratios)} in {rounds} rounds")
        )
    return rows


def _spread(values: list[float]) -> str:
    form = "{:,.0f}" if min(values) > 100 else "{:.2f}"
    return f"{form.format(min(values))} to {form.format(max(values))}, load {machine.load()}"


def _show(rows: list[Row], path: Path) -> None:
    note = machine.description()
    table = Table("measured", "value", "unit", "remark", title="cspulse, measured", caption=note)
    table.columns[1].justify = "right"
    for row in rows:
        table.add_row(row.name, f"{row.value:,.2f}" if row.unit == "times" else f"{row.value:,.0f}", row.unit, row.remark)
    Console(width=150 if not sys.stdout.isatty() else None).print(table)
    drawn = [(row.name, row.value, row.unit) for row in rows if row.unit != "times"]
    picture.bars(path, "cspulse, measured", note, drawn)
    print(f"picture: {path}")


def _say(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {text} (load {machine.load()})", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
