"""Whether alerts help: how many are open, how many were acted upon before the customer complained, and what came of it.

Episodes are counted by the day of their opening; a retracted one counts nowhere. *Proactive ratio*: episodes acted upon before
the customer complained / all. *Did it help*: of the episodes of one rule that opened in one range of the health score, the share
that was over within 30 days (and the share of customers gone after 90) where somebody acted, against where nobody did, with
Newcombe's interval of the difference; compared are those still open after 3 days, by what had been done by then
(`processors.followups`). Who acts chooses where, so a difference is no proof; the counts stand beside it.
"""

from collections.abc import Iterator
from typing import Final

from processors.fleet_view import FleetValue, FleetView
from processors.followups import NO_SCORE
from processors.intervals import newcombe, wilson
from processors.rule_file import SEVERITIES
from processors.windows import D30, D90, D180, Window

_OPENED, _ACTED, _PROACTIVE, _COMPLAINED = range(4)
_NO_EPISODE: Final = "no episode opened in the window"
_TOO_YOUNG: Final = "no such episode of both kinds is old enough"
_NOTE: Final = "who acts chooses where: a difference is no proof"
_RANGES: Final = (("0-40", range(4)), ("40-70", range(4, 7)), ("70-100", range(7, NO_SCORE)), ("unknown", range(NO_SCORE, 11)))
_QUESTIONS: Final = (("recovered_30d", 0, 1), ("gone_90d", 2, 3))
_SEPARATOR: Final = "\x1f"

Counts = tuple[int, ...]
_NONE: Final[Counts] = (0, 0, 0, 0)


def figures(view: FleetView) -> Iterator[FleetValue]:
    """Open episodes by severity, how many were acted upon and in time, and whether it helped."""
    yield from _open(view)
    for window in (D30, D90):
        yield from _proactive(view, window)
    yield from _help(view)


def _open(view: FleetView) -> Iterator[FleetValue]:
    for severity in SEVERITIES:
        n = view.total("alerts_open_by_severity", severity)[0]
        yield FleetValue(figure="alerts_open_by_severity", dimension=severity, value=float(n), n=n)


def _proactive(view: FleetView, window: Window) -> Iterator[FleetValue]:
    """Shares of all episodes that opened in the window, over all rules and by rule."""
    by_rule = {rule: view.total("episodes_by_day", rule, window) for rule in view.dimensions("episodes_by_day")}
    whole = tuple(sum(places) for places in zip(*by_rule.values(), strict=True)) if by_rule else _NONE
    for rule, counts in {"": whole, **by_rule}.items():
        for name, place in (("proactive_ratio", _PROACTIVE), ("acted_share", _ACTED), ("complained_first_share", _COMPLAINED)):
            yield _share(f"{name}_{window.name}", rule, window, counts[place], counts[_OPENED], _NO_EPISODE)


def _share(figure: str, dimension: str, window: Window, part: int, n: int, reason: str) -> FleetValue:
    interval = wilson(part, n) if n > 0 else None
    return FleetValue(
        figure=figure,
        dimension=dimension,
        window_days=window.days,
        value=part / n if n > 0 else None,
        numerator=float(part),
        denominator=float(n),
        n=n,
        low=interval.low if interval else None,
        high=interval.high if interval else None,
        reason=None if n > 0 else reason,
    )


def _help(view: FleetView) -> Iterator[FleetValue]:
    """For each rule and range of the score: the shares where somebody acted and where nobody did, and their difference."""
    for (rule, scores), sides in sorted(_outcomes(view).items()):
        acted, unacted = sides["acted"], sides["unacted"]
        for name, of, part in _QUESTIONS:
            dimension = f"{rule}/{scores}"
            for side, counts in (("acted", acted), ("unacted", unacted)):
                if counts[of]:
                    yield _share(f"{name}_share", f"{dimension}/{side}", D180, counts[part], counts[of], _TOO_YOUNG)
            yield _difference(f"{name}_difference", dimension, (acted[part], acted[of]), (unacted[part], unacted[of]))


def _difference(figure: str, dimension: str, acted: tuple[int, int], unacted: tuple[int, int]) -> FleetValue:
    """The share where somebody acted minus the share where nobody did, -1 to 1."""
    interval = newcombe(*acted, *unacted)
    n = acted[1] + unacted[1]
    if interval is None:
        return FleetValue(figure=figure, dimension=dimension, window_days=D180.days, n=n, reason=_TOO_YOUNG, note=_NOTE)
    value = acted[0] / acted[1] - unacted[0] / unacted[1]
    return FleetValue(
        figure=figure,
        dimension=dimension,
        window_days=D180.days,
        value=value,
        n=n,
        low=interval.low,
        high=interval.high,
        note=_NOTE,
    )


def _outcomes(view: FleetView) -> dict[tuple[str, str], dict[str, Counts]]:
    """The outcomes by rule and range of the score, where somebody acted and where nobody did."""
    found: dict[tuple[str, str], dict[str, Counts]] = {}
    for dimension in view.dimensions("outcomes_by_day"):
        rule, step, side = dimension.split(_SEPARATOR)
        scores = next(name for name, steps in _RANGES if int(step) in steps)
        sides = found.setdefault((rule, scores), {"acted": _NONE, "unacted": _NONE})
        more = view.total("outcomes_by_day", dimension, D180)
        sides[side] = tuple(one + other for one, other in zip(sides[side], more, strict=True))
    return found
