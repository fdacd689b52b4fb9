"""`cspulse dlq`: what could not be processed, looked at and given again."""

import time
from collections import Counter, deque
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from streams.commands.failures import FAILED, IN_PART, NOT_FOUND, WRONG, CommandError
from streams.commands.files import reading
from streams.commands.given import settings_of
from streams.commands.help import help_of
from streams.commands.output import note, say
from streams.commands.there import partitions_of

if TYPE_CHECKING:
    from schemas.codec import Codec
    from schemas.jsonlines import Line
    from schemas.records import DeadLetter
    from streams.cluster import Cluster
    from streams.dlq import Wanted
    from streams.publish import Outbox, Refusal

app = typer.Typer(no_args_is_help=True, help="Dead letters: records that could not be processed.")

_S_IN_MS = 1_000
_BROKER_TIMEOUT_S = 15.0
_MOST_TOLD = 50

_Reasons = Annotated[list[str] | None, typer.Option("--reason", metavar="NAME", help="Only this reason; may be repeated.")]
_Topics = Annotated[
    list[str] | None, typer.Option("--topic", metavar="TOPIC", help='Only records of this topic ("cs." may be left out).')
]
_Customer = Annotated[str | None, typer.Option("--customer", metavar="ID", help="Only records with this key.")]
_Since = Annotated[str | None, typer.Option("--since", metavar="TIME", help="Only records with this timestamp or a later one.")]
_Until = Annotated[str | None, typer.Option("--until", metavar="TIME", help="Only records with an earlier timestamp.")]


def list_command(
    context: typer.Context,
    reasons: _Reasons = None,
    topics: _Topics = None,
    customer: _Customer = None,
    since: _Since = None,
    until: _Until = None,
    limit: Annotated[int, typer.Option(help="How many are shown, the newest; all are counted.", min=1, max=1_000_000)] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="JSON lines with every field, all of them.")] = False,
) -> None:
    """List dead letters: when, id, place, customer, reason and message; and how many there are of each reason."""
    import json

    from streams.dlq import shown

    counts: Counter[tuple[str, str]] = Counter()
    newest: deque[DeadLetter] = deque(maxlen=limit)
    for letter in _letters(context, _wanted((), reasons, topics, customer, since, until)):
        counts[letter.topic, letter.reason] += 1
        if as_json:
            say(json.dumps(shown(letter), ensure_ascii=False))
        else:
            newest.append(letter)
    for letter in sorted(newest, key=lambda letter: letter.timestamp_ms):
        say(_line_of(letter))
    left = counts.total() - len(newest)
    if left and not as_json:
        note(f"{left} older ones are not shown (--limit)")
    for (topic, reason), count in sorted(counts.items()):
        note(f"{topic}: {count} {reason}")
    note(f"{counts.total()} dead letter{'' if counts.total() == 1 else 's'}")


def show(
    context: typer.Context,
    letter_id: Annotated[str, typer.Argument(metavar="ID", help="The id, as `list` shows it.")],
    original: Annotated[
        bool, typer.Option("--original", help="Nothing but the bytes of the record's value, as far as they were kept.")
    ] = False,
) -> None:
    """Show one dead letter whole: why, where from, and what the record held. Ends with 3 when there is none of this id."""
    import json
    import sys

    from schemas.jsonlines import format_line
    from schemas.outcome import Malformed
    from streams.dlq import shown

    codec = _codec(context)
    letter = _one(context, letter_id)
    if original:
        sys.stdout.buffer.write(letter.original or b"")
        sys.stdout.flush()
        return
    say(json.dumps(shown(letter), indent=2, ensure_ascii=False))
    event = None if letter.truncated else codec.decode(letter.topic, letter.original)
    if event is None or isinstance(event, Malformed):
        note("the value cannot be read as a record of its topic; --original gives its bytes")
    else:
        note("the value, as a line that `dlq replay --mended` takes:")
        note(format_line(letter.topic, event, timestamp_ms=letter.timestamp_ms))


def replay(
    context: typer.Context,
    ids: Annotated[list[str] | None, typer.Argument(metavar="[ID]...", help="Ids, as `list` shows them.")] = None,
    reasons: _Reasons = None,
    topics: _Topics = None,
    customer: _Customer = None,
    since: _Since = None,
    until: _Until = None,
    everything: Annotated[bool, typer.Option("--all", help="All of them, if nothing narrows it down.")] = False,
    mended: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="For one ID: a JSON line that takes the record's place; - is standard input."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be done.")] = False,
) -> None:
    """Give dead letters again: each to its own topic, with the right key, on the right partition, as of now.

    Its lateness is accepted. Replaying a letter twice changes nothing, because its customer remembers it. Ends with 0 when all
    that was asked for was replayed, 4 when a part was, 1 when none could be, 3 when there are none.
    """
    from streams.dlq import revive
    from streams.publish import Outbox, Refusal

    if not any((ids, reasons, topics, customer, since, until, everything)):
        raise CommandError("which dead letters?", WRONG, "give ids, a filter (--reason, --customer, ...) or --all")
    if mended is not None and len(ids or ()) != 1:
        raise CommandError("--mended goes with one ID", WRONG)
    line = None if mended is None else _mended(mended)
    codec, cluster = _codec(context), _cluster(context)
    outbox = Outbox(cluster.config)
    partitions = outbox.partitions(_BROKER_TIMEOUT_S)
    now_ms = int(time.time() * _S_IN_MS)
    told = _Told(dry_run)
    for letter in _letters(context, _wanted(ids or (), reasons, topics, customer, since, until), cluster):
        ready = revive(letter, codec, partitions, now_ms, line)
        if isinstance(ready, Refusal):
            told.refused(ready)
            continue
        told.replayed(letter, ready.topic, ready.partition)
        if not dry_run:
            outbox.send(ready)
    outbox.finish()
    told.missing(ids or ())
    _end(told, outbox)


class _Told:
    """What was done, letter by letter up to a bound, and counted."""

    def __init__(self, dry_run: bool) -> None:
        self._verb = "would go" if dry_run else "goes"
        self._done = "would be replayed" if dry_run else "replayed"
        self._ids: set[str] = set()
        self.count = 0
        self.refusals: Counter[str] = Counter()

    def replayed(self, letter: "DeadLetter", topic: str, partition: int) -> None:
        """A letter that goes again."""
        self.count += 1
        self._ids.add(letter.record_id)
        if self.count <= _MOST_TOLD:
            say(f"{letter.record_id}  {letter.reason}  {self._verb} to {topic}[{partition}]")
        elif self.count == _MOST_TOLD + 1:
            note("further ones are only counted")

    def refused(self, refusal: "Refusal") -> None:
        """A letter that cannot be replayed as it is."""
        self.refusals[refusal.reason] += 1
        if self.refusals.total() <= _MOST_TOLD:
            note(f"not replayed: {refusal.message}")

    def missing(self, ids: Iterable[str]) -> None:
        """Tell of ids that no letter has. Raises `CommandError` when there was nothing at all."""
        if not self.count and not self.refusals:
            raise CommandError("there is no such dead letter", NOT_FOUND, "`cspulse dlq list` shows what there is")
        if not self.refusals:
            for letter_id in ids:
                if letter_id not in self._ids:
                    self.refusals["unknown id"] += 1
                    note(f"not replayed: there is no dead letter {letter_id}")

    def sum_up(self) -> None:
        """The counts."""
        note(f"{self.count} {self._done}")
        for reason, count in sorted(self.refusals.items()):
            note(f"{count} not replayed: {reason}")


def _end(told: _Told, outbox: "Outbox") -> None:
    told.sum_up()
    report = outbox.report
    if report.failed:
        note(f"{report.failed} were not taken by the brokers, such as: {report.examples['failed']}")
    if told.refusals or report.failed:
        raise typer.Exit(IN_PART if told.count > report.failed else FAILED)


def _wanted(
    ids: Iterable[str],
    reasons: list[str] | None,
    topics: list[str] | None,
    customer: str | None,
    since: str | None,
    until: str | None,
) -> "Wanted":
    """Raises `CommandError` for a reason or a topic that does not exist, and for what is no time."""
    from schemas.contracts import INPUTS
    from schemas.outcome import Reason
    from streams.commands.times import time_of
    from streams.dlq import Wanted

    known = [f"cs.{topic.removeprefix('cs.')}" for topic in topics or ()]
    return Wanted(
        ids=frozenset(ids),
        reasons=frozenset(_known(reasons or [], [reason.value for reason in Reason], "reason")),
        topics=frozenset(_known(known, list(INPUTS), "input topic")),
        customer_id=customer,
        since_ms=None if since is None else time_of(since, "--since"),
        until_ms=None if until is None else time_of(until, "--until"),
    )


def _known(given: list[str], known: list[str], what: str) -> list[str]:
    from processors.toml_tables import did_you_mean

    for name in given:
        if name not in known:
            raise CommandError(f"there is no {what} {name!r}", WRONG, did_you_mean(name, known) or f"known: {', '.join(known)}")
    return given


def _mended(path: str) -> "Line":
    """The one line of a file. Raises `CommandError` when it is none."""
    from schemas.jsonlines import parse_line
    from schemas.outcome import Malformed

    with reading(path) as file:
        content = file.read().strip()
    line = parse_line(content)
    if isinstance(line, Malformed):
        raise CommandError(f"{path}: {line.reason.value}: {line.message}", FAILED, "one line is needed, as `publish` takes it")
    return line


def _one(context: typer.Context, letter_id: str) -> "DeadLetter":
    from streams.dlq import Wanted

    for letter in _letters(context, Wanted(ids=frozenset({letter_id}))):
        return letter
    raise CommandError(f"there is no dead letter {letter_id}", NOT_FOUND, "`cspulse dlq list` shows what there is")


def _letters(context: typer.Context, wanted: "Wanted", cluster: "Cluster | None" = None) -> "Iterator[DeadLetter]":
    from streams.dead_letters import DEAD_LETTERS_TOPIC
    from streams.dlq import read_letters
    from streams.signals import Signals

    cluster = cluster or _cluster(context)
    count = partitions_of(cluster, DEAD_LETTERS_TOPIC)
    with Signals() as signals:
        yield from read_letters(cluster.config, count, _codec(context), wanted, signals.check)


def _cluster(context: typer.Context) -> "Cluster":
    from streams.cluster import client_config, reach

    return reach(client_config(settings_of(context)))


def _codec(context: typer.Context) -> "Codec":
    from streams.codecs import codec_of

    return codec_of(settings_of(context))


def _line_of(letter: "DeadLetter") -> str:
    from schemas.times import format_time
    from streams.commands.readable import readable

    return f"{format_time(letter.timestamp_ms)}  {letter.record_id}  {readable(letter)}"


app.command("list", help=help_of(list_command))(list_command)
app.command("show", help=help_of(show))(show)
app.command("replay", help=help_of(replay))(replay)
