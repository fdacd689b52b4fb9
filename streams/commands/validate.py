"""`cspulse validate`: what the pipeline would do with each line of a file."""

import json
from collections import Counter
from typing import TYPE_CHECKING, Annotated

import typer

from streams.commands.failures import IN_PART
from streams.commands.files import read_text, seekable
from streams.commands.given import settings_of
from streams.commands.output import note, say

if TYPE_CHECKING:
    from streams.validate import Finding


def validate(
    context: typer.Context,
    file: Annotated[str, typer.Argument(metavar="FILE", help="Events as JSON lines; - is standard input.")],
    everything: Annotated[bool, typer.Option("--all", help="Tell of the lines too of which there is nothing to say.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Every finding as a JSON line.")] = False,
) -> None:
    """Say of each event in a file whether the pipeline would take it, and why not.

    Touchpoints, goals and features are held against the definitions of --definitions. Ends with 4 when a line would be refused.
    """
    from processors.definitions import parse
    from streams.catalogue import default_text
    from streams.validate import validate as findings_of

    settings = settings_of(context)
    definitions = parse(default_text() if settings.definitions is None else read_text(str(settings.definitions)))
    counts: Counter[str] = Counter()
    with seekable(file) as path:
        for finding in findings_of(path, definitions):
            counts[finding.verdict if finding.reason is None else f"{finding.verdict} ({finding.reason})"] += 1
            if as_json:
                say(_json(finding))
            elif everything or finding.verdict != "accepted" or finding.notes:
                say(_text(finding))
    note(", ".join(f"{count} {what}" for what, count in sorted(counts.items())) or "the file holds no lines")
    if any(what.startswith("refused") for what in counts):
        raise typer.Exit(IN_PART)


def _text(finding: "Finding") -> str:
    reason = "" if finding.reason is None else f" ({finding.reason})"
    said = "; ".join(part for part in (finding.message, *finding.notes) if part)
    return f"line {finding.line_number}: {finding.verdict}{reason}" + (f": {said}" if said else "")


def _json(finding: "Finding") -> str:
    found = {
        "line": finding.line_number,
        "verdict": finding.verdict,
        "reason": finding.reason,
        "message": finding.message,
        "notes": list(finding.notes),
    }
    return json.dumps(found, ensure_ascii=False)
