"""How well figures tell apart those who leave and those who stay: the area under the ROC curve, of each and of all together.

0.5 is chance, 1 is certain. All together is a logistic regression on the ranks of the figures, fitted on four fifths of the cases
and measured on the fifth that it has not seen, five times over.
"""

from collections.abc import Mapping, Sequence
from math import exp
from random import Random
from typing import Final

FOLDS: Final = 5
STEPS: Final = 300
LEARNING_RATE: Final = 0.5
DECAY: Final = 0.002

Row = Mapping[str, float | None]


def auc(positives: Sequence[float], negatives: Sequence[float]) -> float | None:
    """The chance that a positive case has more than a negative one; ties count half. None where a side is empty."""
    if not positives or not negatives:
        return None
    ranks = _ranks([*positives, *negatives])
    total = sum(ranks[: len(positives)])
    return (total - len(positives) * (len(positives) + 1) / 2) / (len(positives) * len(negatives))


def singles(left: Sequence[Row], stayed: Sequence[Row]) -> dict[str, float]:
    """For each figure how well it separates on its own, whichever way round: 0.5 to 1. What is not known is a middling case.

    A figure that is the same for everybody separates nothing and is left out.
    """
    found = {}
    for name in _names(left, stayed):
        columns = _filled([row.get(name) for row in left], [row.get(name) for row in stayed])
        area = None if columns is None else auc(*columns)
        if area is not None:
            found[name] = max(area, 1 - area)
    return dict(sorted(found.items(), key=lambda item: -item[1]))


def together(left: Sequence[Row], stayed: Sequence[Row], seed: int = 1) -> float | None:
    """How well all figures separate at once, on cases that the regression was not fitted to."""
    names = _names(left, stayed)
    labels = [1.0] * len(left) + [0.0] * len(stayed)
    columns = []
    for name in names:
        filled = _filled([row.get(name) for row in left], [row.get(name) for row in stayed])
        if filled is not None:
            ranks = _ranks([*filled[0], *filled[1]])
            columns.append([rank / len(labels) - 0.5 for rank in ranks])
    if not columns or len(left) < FOLDS or len(stayed) < FOLDS:
        return None
    cases = [list(case) for case in zip(*columns, strict=True)]
    order = list(range(len(cases)))
    Random(seed).shuffle(order)
    scores = [0.0] * len(cases)
    for fold in range(FOLDS):
        unseen = set(order[fold::FOLDS])
        known = [place for place in order if place not in unseen]
        weights = _fitted([cases[place] for place in known], [labels[place] for place in known])
        for place in unseen:
            scores[place] = _logit(weights, cases[place])
    return auc(scores[: len(left)], scores[len(left) :])


def _names(left: Sequence[Row], stayed: Sequence[Row]) -> list[str]:
    return sorted({name for row in (*left, *stayed) for name in row})


def _filled(left: list[float | None], stayed: list[float | None]) -> tuple[list[float], list[float]] | None:
    known = sorted(value for value in (*left, *stayed) if value is not None)
    if not known or known[0] == known[-1]:
        return None
    middle = known[len(known) // 2]
    return [middle if value is None else value for value in left], [middle if value is None else value for value in stayed]


def _ranks(values: Sequence[float]) -> list[float]:
    """Ranks from 1; equals share the mean of theirs."""
    order = sorted(range(len(values)), key=values.__getitem__)
    ranks = [0.0] * len(values)
    first = 0
    while first < len(order):
        last = first
        while last + 1 < len(order) and values[order[last + 1]] == values[order[first]]:
            last += 1
        for place in order[first : last + 1]:
            ranks[place] = (first + last) / 2 + 1
        first = last + 1
    return ranks


def _fitted(cases: Sequence[Sequence[float]], labels: Sequence[float]) -> list[float]:
    """Weights (the constant last) by plain gradient descent, both kinds of cases weighing the same."""
    share = sum(labels) / len(labels)
    importance = [0.5 / share if label else 0.5 / (1 - share) for label in labels]
    weights = [0.0] * (len(cases[0]) + 1)
    for _ in range(STEPS):
        slopes = [DECAY * weight for weight in weights]
        for case, label, weight in zip(cases, labels, importance, strict=True):
            off = weight * (1 / (1 + exp(-_logit(weights, case))) - label) / len(cases)
            for place, value in enumerate(case):
                slopes[place] += off * value * len(weights)
            slopes[-1] += off
        weights = [weight - LEARNING_RATE * slope for weight, slope in zip(weights, slopes, strict=True)]
    return weights


def _logit(weights: Sequence[float], case: Sequence[float]) -> float:
    total = weights[-1] + sum(weight * value for weight, value in zip(weights, case, strict=False))
    return max(-30.0, min(30.0, total))
