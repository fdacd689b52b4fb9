"""The section of the definitions about who is told of alerts."""

import pytest

from processors.definitions import DefinitionsError, parse
from processors.delivery_file import DeliveryPlan
from processors.windows import HOUR_MS
from tests.support.summed import default_definitions, default_text

DESTINATIONS = """
[[delivery.destinations]]
name = "crm"
kind = "webhook"
url_variable = "CRM_URL"
secret_variable = "CRM_SECRET"

[[delivery.destinations]]
name = "team"
kind = "slack"
url_variable = "TEAM_URL"
"""
EVERYWHERE = '[[delivery.routes]]\ndestinations = ["crm", "team"]\n'


def plan(routes: str, destinations: str = DESTINATIONS) -> DeliveryPlan:
    return parse(f"{default_text()}\n{destinations}\n{routes}").delivery


def mistakes(routes: str, destinations: str = DESTINATIONS) -> list[str]:
    with pytest.raises(DefinitionsError) as told:
        plan(routes, destinations)
    return [str(mistake) for mistake in told.value.mistakes]


def name_of(what: str) -> str:
    return f"(expected: a name such as CRM_{what}; the variable of the environment holds the value itself)"


def test_nobody_is_told_unless_the_file_says_so() -> None:
    delivery = default_definitions().delivery
    assert (delivery.destinations, delivery.routes) == ({}, ())
    assert (delivery.give_up_after_ms, delivery.oldest_ms) == (24 * HOUR_MS, 72 * HOUR_MS)
    assert parse(default_text().replace("[delivery]", "[delivery]\n#")).delivery == delivery


def test_a_slack_channel_gets_digests_and_a_webhook_every_alert() -> None:
    crm, team = plan(EVERYWHERE).destinations.values()
    assert (crm.secret_variable, crm.timeout_ms, crm.digests, crm.morning_lists) == ("CRM_SECRET", 10_000, False, False)
    assert (team.secret_variable, team.digests) == ("", True)


def test_an_alert_takes_every_route_that_it_fits() -> None:
    found = plan(
        '[[delivery.routes]]\ndestinations = ["crm"]\nrules = ["health_red", "churners"]\n'
        '[[delivery.routes]]\ndestinations = ["crm", "team"]\nleast_severity = "high"\n'
        'segments = ["enterprise"]\nowners = ["kim"]\n'
    )

    def takers(rule: str, severity: str, segment: str | None, owner: str | None) -> list[str]:
        return [name for name in found.destinations if found.takes(name, rule, severity, segment, owner)]  # type: ignore[arg-type]

    assert takers("health_red", "info", None, None) == ["crm"]
    assert takers("silence", "high", "enterprise", "kim") == ["crm", "team"]
    assert takers("silence", "critical", "enterprise", "kim") == ["crm", "team"]
    assert takers("silence", "warning", "enterprise", "kim") == []
    assert takers("silence", "high", "standard", "kim") == []
    assert takers("silence", "high", "enterprise", "lee") == []
    assert takers("silence", "high", "enterprise", None) == []
    assert takers("churners", "critical", None, None) == ["crm"]


def test_lists_of_an_owner_go_where_the_owner_s_alerts_may_go() -> None:
    found = plan(
        '[[delivery.routes]]\ndestinations = ["crm"]\nsegments = ["enterprise"]\n'
        '[[delivery.routes]]\ndestinations = ["team"]\nowners = ["kim"]\n'
    )
    assert [found.takes_lists_of(name, owner) for name in ("crm", "team") for owner in ("kim", "lee")] == [
        True,
        True,
        True,
        False,
    ]


def test_all_mistakes_are_told_at_once_with_their_places() -> None:
    told = mistakes(
        '[[delivery.routes]]\ndestinations = ["cmr"]\nrules = ["health_rde"]\n'
        'least_severity = "hihg"\ncolour = 1\n[[delivery.routes]]\n',
        DESTINATIONS.replace('"TEAM_URL"', '"https://hooks.example/T0/token"').replace("CRM_SECRET", "CSPULSE_SECRET")
        + 'secret_variable = "X"\n[[delivery.destinations]]\nname = "crm"\nkind = "pager"\n',
    )
    assert told == [
        'delivery.destinations[3].name: "crm" is there twice (expected: a name of its own)',
        f'delivery.destinations["crm"].secret_variable: begins with CSPULSE_, as only settings do {name_of("SECRET")}',
        f'delivery.destinations["team"].url_variable: is not the name of a variable of the environment {name_of("URL")}',
        'delivery.destinations["team"].secret_variable: is not known here (expected: did you mean "url_variable"?)',
        'delivery.destinations["crm"].kind: "pager" is not known here (expected: one of webhook, slack)',
        'delivery.destinations["crm"].url_variable: is missing (expected: a text that is not empty)',
        'delivery.destinations["crm"].secret_variable: is missing (expected: a text that is not empty)',
        'delivery.routes[1].destinations: there is no destination "cmr" (expected: did you mean "crm"?)',
        'delivery.routes[1].least_severity: "hihg" is not known here (expected: did you mean "high"?)',
        'delivery.routes[1].rules: there is no rule "health_rde" (expected: did you mean "health_red" or "health_fell"?)',
        "delivery.routes[1].colour: is not known here (expected: one of destinations, least_severity, rules, segments, owners)",
        "delivery.routes[2].destinations: is missing (expected: the names of one or more destinations)",
        'delivery.destinations["crm"]: no route leads there (expected: [[delivery.routes]] with destinations = ["crm"])',
        'delivery.destinations["team"]: no route leads there (expected: [[delivery.routes]] with destinations = ["team"])',
    ]


def test_there_are_bounds() -> None:
    many = "".join(f'[[delivery.destinations]]\nname = "d{number}"\nkind = "slack"\nurl_variable = "D"\n' for number in range(33))
    names = ", ".join(f'"d{number}"' for number in range(33))
    routes = f"[[delivery.routes]]\ndestinations = [{names}]\n" * 129
    assert mistakes(routes, many) == [
        "delivery.destinations: there are 33 of them (expected: at most 32)",
        "delivery.routes: there are 129 of them (expected: at most 128)",
    ]
