"""What a metric is, as it is declared: its name, type, unit and meaning, and what its labels say.

Names begin with `cspulse_` and are in base units (seconds, bytes, shares from 0 to 1); those of the business begin with
`cspulse_fleet_`. No label holds a customer, an owner or an agent: each one's values are few, and `LABELS` says which.
"""

from typing import Final, Literal

from msgspec import Struct

Kind = Literal["counter", "gauge", "histogram"]

LABELS: Final[dict[str, str]] = {
    "partition": "number of the partition; `fleet` for the fleet's task",
    "topic": "name of the topic, one of this application's",
    "table": "`customers`, `totals` or `fleet`",
    "phase": "`assigned`, `fencing`, `restoring`, `running` or `closing`",
    "family": "`tickets`, `usage`, `surveys` or `accounts`",
    "oddity": "what was out of the ordinary, by the names of `processors/totals.py`",
    "reason": "why a record is a dead letter, by the names of `schemas/outcome.py`",
    "version": "version of the program",
    "window": "`7d`, `30d`, `90d` or `180d`, ending at `cspulse_fleet_as_of_timestamp_seconds`",
    "period": "`month`, the last complete one, or `trailing_12_months`, which end with it",
    "touchpoint": "one of the definitions file, or `other`",
    "department": "one of the definitions file, or `other`",
    "side": "`before` or `after` the sale",
    "goal": "one of the definitions file, or `other`",
    "rule": "a rule of the definitions file",
    "feed": "`tickets`, `usage`, `surveys` or `accounts`; empty for rules that are not about feeds",
    "severity": "`info`, `warning`, `high` or `critical`",
    "scale": "`0_10` or `1_10`",
    "survey": "`csat`, `nps`, `ces` or `product`",
    "outcome": "what became of the plan's questions: `due`, `deferred`, `expired`, `throttled`, `not_asked`",
    "quadrant": "`advocate`, `vip_support`, `wildcard` or `churner`",
    "band": "`red`, `yellow` or `green`",
    "stage": "stage of the account, by the events of `cs.accounts`",
    "step": "`lead`, `trial`, `contracted`, `handed_over` or `onboarded`",
    "priority": "`low`, `normal`, `high`, `urgent`; `unfollowed` beyond a customer's bound",
    "age": "`0-1d`, `1-3d`, `3-7d`, `7-30d`, `30d+`; `unfollowed` beyond a customer's bound",
    "flow": "`opened`, `solved` or `reopened`",
    "percentile": "`p50`, `p90` or `p95`",
    "hours": "`hours` by the clock, or `business_hours`",
    "move": "`acquired`, `reactivated` or `lost`",
    "due": "`renewals`: by count, or `mrr`: by revenue",
    "currency": "empty for the base currency, into which all with a rate are counted; each other stands for itself",
    "sink": "`redis`, or `delivery-` and the destination",
    "destination": "one of the definitions file",
    "fate": "`delivered`; `refused` for good or `expired` (each is on cs.delivery-failures); `muted`; `held` for the owner's "
    "digest; `digest`, what changed in one that it told of; `history`, too old to be told",
    "answer": "`taken`, `try_again` (a status that passes), `refused`, or `unreachable`",
    "criterion": "one of the seven criteria of maturity",
}
"""What each label says, and so how many values it can have."""


class Metric(Struct, frozen=True, kw_only=True):
    """One metric. `unit` is what its value counts; a histogram has the upper bounds of its buckets, in that unit.

    A counter's name ends in `_total`, as Prometheus shows it.
    """

    name: str
    kind: Kind
    unit: str
    meaning: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()


def gauge(name: str, unit: str, meaning: str, *labels: str) -> Metric:
    """A value that goes up and down."""
    return Metric(name=name, kind="gauge", unit=unit, meaning=meaning, labels=labels)


def counter(name: str, unit: str, meaning: str, *labels: str) -> Metric:
    """A number that only grows, until its partition leaves the worker or the worker ends."""
    return Metric(name=name, kind="counter", unit=unit, meaning=meaning, labels=labels)


def histogram(name: str, unit: str, meaning: str, buckets: tuple[float, ...], *labels: str) -> Metric:
    """Counts by bucket, with their sum."""
    return Metric(name=name, kind="histogram", unit=unit, meaning=meaning, labels=labels, buckets=buckets)
