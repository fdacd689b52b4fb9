"""`cspulse maturity`: how mature customer success is, where most is to be gained, and how the plans stand."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Final

import typer

from streams.commands.failures import NOT_FOUND, CommandError
from streams.commands.given import settings_of
from streams.commands.output import Tone, say, table
from streams.commands.there import partitions_of

if TYPE_CHECKING:
    from schemas.records import Criterion, MaturityAssessment, MaturityPoint, PlanProgress

TOPIC: Final = "cs.maturity"
_MONTHS_SHOWN: Final = 12
_TONES: Final[dict[int | None, Tone]] = {None: "doubtful", 1: "bad", 2: "bad", 3: "doubtful", 4: "good", 5: "good"}
_PLAN_TONES: Final[dict[str, Tone]] = {
    "reached": "good",
    "on_track": "good",
    "behind": "doubtful",
    "missed": "bad",
    "not_measured": "doubtful",
}


def maturity(
    context: typer.Context,
    as_json: Annotated[bool, typer.Option("--json", help="The newest assessment as a JSON line.")] = False,
) -> None:
    """Show the newest assessment of maturity: seven criteria from 1 to 5, the next step for each, the plans and the history.

    The criteria come in the order of what is to be gained. Ends with 3 when nothing was assessed yet.
    """
    from schemas.records import MaturityAssessment
    from streams.cluster import client_config, newest_record, reach, reading_consumer
    from streams.codecs import codec_of
    from streams.commands.records import RecordView

    settings = settings_of(context)
    cluster = reach(client_config(settings))
    partitions_of(cluster, TOPIC)
    consumer = reading_consumer(cluster.config)
    try:
        found = newest_record(consumer, TOPIC, 0, lambda message: message.value() is not None)
    finally:
        consumer.close()
    value = None if found is None else found.value()
    if found is None or value is None:
        hint = "An assessment appears once all partitions have been heard of; `cspulse doctor` shows whether a worker runs."
        raise CommandError("nothing was assessed yet", NOT_FOUND, hint)
    codec = codec_of(settings)
    assessment = codec.decode(TOPIC, value)
    if not isinstance(assessment, MaturityAssessment):
        raise CommandError(f"the assessment cannot be read: {assessment}")
    if as_json:
        say(str(RecordView(TOPIC, settings.app_id, codec).json(found)))
    else:
        show(assessment)


def show(assessment: "MaturityAssessment") -> None:
    """Print an assessment."""
    from schemas.times import format_time

    covered = f"{assessment.coverage_share * 100:.0f} % of the partitions"
    say(f"maturity as of {format_time(assessment.as_of)}, from {covered}, definitions version {assessment.config_version}")
    say("")
    criteria = assessment.criteria
    columns = ("", "criterion", "level", "is", "next level at", "missing", "n", "side", "figure")
    table(columns, [(_TONES[criterion.level], _criterion_row(criterion)) for criterion in criteria])
    say("")
    for criterion in criteria:
        say(f"{criterion.rank}. {criterion.name}: {criterion.next_step}")
        if criterion.reason:
            say(f"   {criterion.reason}")
    if assessment.plans:
        say("")
        columns = ("plan", "from", "to", "is", "done", "time gone", "due", "owner", "state")
        table(columns, [(_PLAN_TONES[plan.state], _plan_row(plan, assessment.as_of)) for plan in assessment.plans])
        for line in _steps(assessment.plans):
            say(line)
    if assessment.history:
        say("")
        _show_history(assessment.history)


def _criterion_row(criterion: "Criterion") -> list[str]:
    from streams.commands.readable import number

    level = "not measured" if criterion.level is None else f"{criterion.level} of 5"
    n = "" if criterion.n is None else str(criterion.n)
    numbers = [number(criterion.value), number(criterion.threshold_next), number(criterion.distance)]
    return [f"{criterion.rank}.", criterion.name, level, *numbers, n, criterion.side, criterion.figure]


def _plan_row(plan: "PlanProgress", as_of_ms: int) -> list[str]:
    from schemas.times import format_time
    from streams.commands.readable import number

    gone = min(1.0, max(0.0, (as_of_ms - plan.starts_at) / (plan.due_at - plan.starts_at)))
    done = "-" if plan.progress_ratio is None else f"{plan.progress_ratio * 100:.0f} %"
    numbers = [number(plan.baseline), number(plan.target), number(plan.now)]
    last_day = format_time(plan.due_at - 1)[:10]
    return [plan.criterion, *numbers, done, f"{gone * 100:.0f} %", last_day, plan.owner, plan.state.replace("_", " ")]


def _steps(plans: "list[PlanProgress]") -> Iterator[str]:
    for plan in plans:
        for step in plan.steps:
            yield f"  {plan.criterion}: {step}"


def _show_history(history: "list[MaturityPoint]") -> None:
    """The levels by month, a row a criterion."""
    months = sorted({point.month for point in history})[-_MONTHS_SHOWN:]
    levels = {(point.criterion, point.month): "-" if point.level is None else str(point.level) for point in history}
    names = sorted({point.criterion for point in history})
    rows: list[tuple[Tone, list[str]]] = [
        ("plain", [name, *(levels.get((name, month), "") for month in months)]) for name in names
    ]
    table(("level at the end of", *months), rows)
