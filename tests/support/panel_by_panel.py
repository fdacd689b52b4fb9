"""The dashboard of the customers on a real Prometheus, panel by panel, against the batch answers over what lies on the topics."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from streams.catalogue import default_text
from tests.support.cluster import Cluster
from tests.support.dashboards import panel_queries
from tests.support.oracle.acceptance import Judged, accepted_by_customer
from tests.support.oracle.commercial import commercial
from tests.support.oracle.episodes import about_episodes, episodes
from tests.support.oracle.events import names_of, read_definitions
from tests.support.oracle.figures import figures
from tests.support.oracle.fleet import Due, fleet, touchpoint_map
from tests.support.oracle.fleet_ways import kept_promises, ways
from tests.support.oracle.panels import PANELS, Answers, PanelKey, Range, Shown, wrong
from tests.support.oracle.terms import terms_of
from tests.support.prometheus import PrometheusServer
from tests.support.topic_log import read_topic
from tests.support.waiting import wait_until
from tests.support.whole_log import judgements_of

DASHBOARD: Final = "customer-success"
SAID: Final = ("csat_", "nps_0_10_90d", "nps_1_10_90d")
SETTLED_S: Final = 4.0
"""A scrape that began so long ago is stored whole."""


def accepted_of(cluster: Cluster) -> dict[str, list[Judged]]:
    """The accepted records of each customer in the inputs of a cluster."""
    found: dict[str, list[Judged]] = {}
    for mine in judgements_of(cluster).values():
        assert not any(one.counts and one.record["value"]["kind"] == "erased" for one in mine), "of the erased it knows nothing"
        found |= accepted_by_customer(mine)
    return found


def answers_of(cluster: Cluster, accepted: Mapping[str, Sequence[Judged]], as_of_ms: int) -> Answers:
    """The batch answers as of a time by which all the inputs had come."""
    assert max(judgement.record["timestamp_ms"] for mine in accepted.values() for judgement in mine) <= as_of_ms
    text = default_text()
    names = names_of(text)
    everybody = {name: [judgement.record["value"] for judgement in mine] for name, mine in accepted.items()}
    everything = [event for events in everybody.values() for event in events]
    quadrants = {one["customer_id"]: one["new_quadrant"] for one in _published(cluster, "cs.loyalty-changes", as_of_ms)}
    health = [one for one in _published(cluster, "cs.health-changes", as_of_ms) if one["purpose"] == "risk"]
    bands = {one["customer_id"]: one["new_band"] for one in health}
    alerts = episodes(_published(cluster, "cs.churn-alerts", as_of_ms), accepted)
    said = {key[:2]: found for key, found in figures(everything, as_of_ms, names).items() if key[0].startswith(SAID)}
    sales = commercial(everybody, as_of_ms, terms_of(read_definitions(text)))
    surely, perhaps, n = kept_promises(everybody, as_of_ms, names)
    return Answers(
        {
            **{key: Due(found.value, found.n, found.low, found.high) for key, found in said.items()},
            **{key: Due(value) for key, value in sales.items()},
            **fleet(everybody, as_of_ms, names, quadrants, bands),
            **ways(everybody, as_of_ms, names),
            **about_episodes(alerts, as_of_ms),
        },
        touchpoint_map(everybody, as_of_ms, names),
        Range(surely / n, perhaps / n),
    )


def wrong_panels(prometheus: PrometheusServer, cluster: Cluster) -> tuple[list[str], int]:
    """What the panels show that is not what the batch answers say, and how many of the queries show anything.

    All are asked as of one time, so that they speak of one publication. A panel that nothing is said about is wrong.
    """
    at_s = prometheus.time_s()
    wait_until(lambda: prometheus.time_s() > at_s + SETTLED_S, 10 * SETTLED_S, "the scrapes of then to be stored")
    as_of_s = prometheus.value("max(cspulse_fleet_as_of_timestamp_seconds)", at_s)
    assert as_of_s is not None
    as_of_ms = round(as_of_s * 1000)
    answers = answers_of(cluster, accepted_of(cluster), as_of_ms)
    right = {panel: {letter: ask(answers) for letter, ask in asks.items()} for panel, asks in PANELS.items()}
    right |= _not_of_the_batch(at_s - as_of_s, _published(cluster, "cs.maturity", as_of_ms)[-1])
    found, with_data = [], 0
    for query in panel_queries():
        if query.dashboard != DASHBOARD:
            continue
        shown = {_labels(series.labels): series.values[0] for series in prometheus.now(query.expression, at_s) if series.values}
        with_data += bool(shown)
        due = right.get((query.panel, query.kind), {}).get(query.reference)
        if due is None:
            found.append(f"{query}: nobody says what it must show")
        else:
            found += [f"{query}: {labels} (shown, right): {values}" for labels, values in wrong(shown, due).items()]
    return found, with_data


def _not_of_the_batch(age_s: float, maturity: Mapping[str, Any]) -> dict[PanelKey, dict[str, Shown]]:
    """The panels that the batch answers do not speak of: the age of what is shown, and what is published of maturity."""
    return {
        ("Figures are this old", "stat"): {"A": {(): Range(age_s, age_s)}},
        ("Maturity", "table"): {"A": _by_criterion(maturity, "rank"), "B": _by_criterion(maturity, "level")},
        ("Level of each criterion", "bargauge"): {"A": _by_criterion(maturity, "level")},
    }


def _by_criterion(maturity: Mapping[str, Any], field: str) -> Shown:
    return {(one["name"],): Range(one[field], one[field]) for one in maturity["criteria"] if one[field] is not None}


def _labels(labels: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(value for name, value in sorted(labels.items()) if name != "job")


def _published(cluster: Cluster, topic: str, as_of_ms: int) -> list[dict[str, Any]]:
    told = [record.fields() for record in read_topic(cluster.bootstrap, topic) if record.value is not None]
    return [one for one in told if one["as_of"] <= as_of_ms]
