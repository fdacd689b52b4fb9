"""What is done to workers and brokers in a storm, and in which order."""

import random
from typing import Final, Literal, NamedTuple

Kind = Literal["kill", "freeze", "leave", "burst", "die at", "bounce", "restart everything"]

POINTS: Final = (
    "fence begins",
    "fenced",
    "restored",
    "reading",
    "transaction begun",
    "records sent",
    "offsets sent",
    "committed",
    "closing",
)
"""The places in the life of a task at which a worker can be made to die, in their order; see mutants/dies_at.py."""


class Hit(NamedTuple):
    """What is done to which worker (`bounce`: to which broker); `point` says at which place of its code it dies."""

    kind: Kind
    target: int = 0
    point: str = ""

    def __str__(self) -> str:
        if self.kind in ("burst", "restart everything"):
            return self.kind
        who = "broker" if self.kind == "bounce" else "worker"
        return f"{self.kind} {self.point}: {who} {self.target + 1}" if self.point else f"{self.kind} {who} {self.target + 1}"


def plan_of(seed: int, *, kills: int, freezes: int, bounces: int = 0, brokers: int = 1) -> list[Hit]:
    """Each of two workers is killed and frozen so often, brokers are bounced in turn, in an order that the seed says.

    With bounces there are also as many bursts, and one restart of everything.
    """
    plan = [Hit("kill", worker) for worker in (0, 1) for _ in range(kills)]
    plan += [Hit("freeze", worker) for worker in (0, 1) for _ in range(freezes)]
    plan += [Hit("bounce", number % brokers) for number in range(bounces)]
    plan += [Hit("burst") for _ in range(bounces)]
    plan += [Hit("restart everything")] * min(bounces, 1)
    random.Random(seed).shuffle(plan)
    return plan


def deaths() -> list[Hit]:
    """One worker after the other dies at each place of its code."""
    return [Hit("die at", number % 2, point) for number, point in enumerate(POINTS)]
