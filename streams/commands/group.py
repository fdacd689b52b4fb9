"""The command line as a whole: what holds for every command."""

import os
import sys
from collections.abc import Collection, Sequence
from typing import Any

import typer
from typer.core import TyperGroup

from streams.commands.failures import FAILED, INTERRUPTED, explain


class CommandGroup(TyperGroup):
    """Takes the shared options before and behind the command, and turns what a command raises into words and an exit code.

    A fault of our own keeps its traceback.
    """

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the line."""
        valued = {name for parameter in self.params if not getattr(parameter, "is_flag", False) for name in parameter.opts}
        return super().parse_args(ctx, shared_first(args, valued))

    def invoke(self, ctx: Any) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            raise typer.Exit(INTERRUPTED) from None
        except BrokenPipeError:
            # Whoever read the output has had enough. Nothing more may be written, at exit neither.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(FAILED) from None
        except Exception as error:
            failure = explain(error)
            if failure is None:
                raise
            for line in failure.lines:
                typer.echo(line, err=True)
            raise typer.Exit(failure.code) from None


def shared_first(arguments: Sequence[str], shared: Collection[str]) -> list[str]:
    """The arguments with the shared options, each with its value, in front of the command; what follows `--` stays."""
    front: list[str] = []
    rest: list[str] = []
    left = list(arguments)
    while left:
        argument = left.pop(0)
        if argument == "--":
            return [*front, *rest, argument, *left]
        if argument.partition("=")[0] not in shared:
            rest.append(argument)
        elif "=" in argument:
            front.append(argument)
        elif not left:
            return [*front, argument]  # its value is missing, which is then all there is to say
        else:
            front += [argument, left.pop(0)]
    return front + rest
