"""The whole showing: set up, play, take down, tell."""

import time
from collections import Counter
from contextlib import ExitStack
from typing import Final

import confluent_kafka as ck
import typer
from msgspec import Struct

from streams.demo.bounds import Bounds
from streams.demo.child import APP_ID, WorkerDied, WorkerProcess
from streams.demo.feeder import Feeder
from streams.demo.foresight import foresight
from streams.demo.ledger import Ledger, UnreadableOutput
from streams.demo.options import DemoOptions
from streams.demo.outputs import READ_TOPICS, OutputReader, OutputsLost
from streams.demo.play import NotDone, Player
from streams.demo.ranking import most_at_risk, standing
from streams.demo.shelf import read_back
from streams.demo.story import Story, story_of
from streams.demo.summary import Summary, checks_of, flow_of, rule_counts
from streams.demo.views import View, view_for
from streams.embedded import EmbeddedBroker
from streams.publish import PublishError
from streams.signals import Signals
from streams.ticks import TICKS_TOPIC
from streams.topics import specs

PARTITIONS: Final = 12
LISTED: Final = 8
"""Customers most at risk that the summary names."""
DONE: Final = 0
FAILED: Final = 1
INTERRUPTED: Final = 130


def run(options: DemoOptions) -> int:
    """Run the demo; returns the exit code: 0 done, 1 failed, 130 interrupted.

    Raises SourceUnreadableError when the log cannot be read, EmbeddedBrokerError when there is no broker to embed.
    """
    started_s = time.monotonic()
    try:
        with Signals() as signals:
            return _show(options, signals, started_s)
    except KeyboardInterrupt:
        return INTERRUPTED
    except WorkerDied as error:
        _fail(f"{error}. The last that it said:", error.last_lines)
    except (NotDone, OutputsLost, PublishError, UnreadableOutput) as error:
        _fail(str(error), [])
    except ck.KafkaException as error:
        _fail(f"the embedded broker or its client failed: {error.args[0].str()}", [])
    return FAILED


class _Stage(Struct, frozen=True):
    """What a showing needs, while it runs."""

    story: Story
    player: Player
    ledger: Ledger
    bounds: Bounds
    feeder: Feeder
    worker: WorkerProcess


def _show(options: DemoOptions, signals: Signals, started_s: float) -> int:
    story = story_of(options, int(time.time() * 1000))
    view = view_for(options, story)
    with ExitStack() as stack:
        stage = _set_up(stack, story, view, signals, started_s)
        play_s = time.monotonic()
        with view:
            code = _play(stage, options)
        summary = _summary(stage, started_s, play_s)
    view.tell(summary)
    return code if summary.is_sound else FAILED


def _set_up(stack: ExitStack, story: Story, view: View, signals: Signals, started_s: float) -> _Stage:
    """Start everything; the stack ends it, the worker first and the broker last."""
    broker = stack.enter_context(EmbeddedBroker())
    for spec in specs(APP_ID, PARTITIONS):
        broker.create_topic(spec.name, spec.partitions)
    servers = broker.bootstrap_servers
    bounds = Bounds()
    feeder = Feeder(servers, PARTITIONS, story.end_ms, bounds)
    stack.callback(feeder.close)
    reader = OutputReader(servers, APP_ID, PARTITIONS)
    stack.callback(reader.close)
    worker = WorkerProcess(servers, PARTITIONS)
    stack.callback(worker.end)
    ledger = Ledger(PARTITIONS, bounds)

    def watch() -> None:
        signals.check()
        view.update(player, ledger)

    player = Player(
        story,
        PARTITIONS,
        feeder=feeder,
        reader=reader,
        ledger=ledger,
        bounds=bounds,
        worker=worker,
        started_s=started_s,
        watch=watch,
    )
    return _Stage(story, player, ledger, bounds, feeder, worker)


def _play(stage: _Stage, options: DemoOptions) -> int:
    """Play to the end; whoever interrupts a demo that was to be kept going is told the end all the same."""
    code = DONE
    try:
        stage.player.play()
    except KeyboardInterrupt:
        if not options.keep:
            raise
        stage.player.cut_short = "interrupted"
        code = INTERRUPTED
    stage.player.finish()
    stage.worker.stop()
    stage.player.drain()
    return code


def _summary(stage: _Stage, started_s: float, play_s: float) -> Summary:
    story, player, ledger = stage.story, stage.player, stage.ledger
    fleet, published = ledger.fleet, stage.feeder.published
    flow = flow_of(published, fleet.by_dimension("events_by_day"), ledger.letters, fleet.count("oddities_by_day", "duplicate"))
    rules = rule_counts(Counter((alert.rule, alert.state) for alert in ledger.alerts), fleet.by_dimension("alerts_open"))
    bands = fleet.by_dimension("health_band")
    stand = standing(ledger.health, ledger.snapshots)
    newest = Counter(red=stand.red, yellow=stand.yellow, green=stand.green)
    ticks = published.get(TICKS_TOPIC, 0)
    place, share = stage.bounds.fullest()
    return Summary(
        notes=story.notes,
        customers=len(story.truths),
        from_ms=story.start_ms,
        until_ms=player.clock_ms,
        cut_short=player.cut_short,
        took_s=time.monotonic() - started_s,
        processing_s=player.done_s - play_s,
        flow=flow,
        ticks=ticks,
        ticks_consumed=fleet.ticks,
        outputs={topic: ledger.outputs[topic] for topic in READ_TOPICS},
        rules=rules,
        standing=stand,
        at_risk=most_at_risk(ledger.health, ledger.snapshots, LISTED),
        foresight=foresight(story.truths, ledger.alerts, ledger.first_seen, story.start_ms, player.clock_ms),
        proofs=[
            *checks_of(flow, ticks, fleet.ticks, rules, bands, newest),
            *ledger.proofs.all(),
            read_back(ledger.snapshots),
        ],
        fullest_place=f"{place[0]}[{place[1]}]",
        fullest_share=share,
    )


def _fail(text: str, lines: list[str]) -> None:
    typer.echo(f"cspulse: {text}", err=True)
    for line in lines:
        typer.echo(f"  {line}", err=True)
