"""From the definitions and the environment to destinations that can be called."""

import pytest

from processors.definitions import Definitions, parse
from streams.delivery_terms import lines
from streams.doctor_delivery import findings
from streams.settings import SettingsError
from tests.support.sinks.delivering import SECRET
from tests.support.summed import default_definitions, default_text
from tests.unit.test_delivery_file import DESTINATIONS, EVERYWHERE

RIGHT = {"CRM_URL": "https://crm.example/hook?key=token-1", "CRM_SECRET": SECRET, "TEAM_URL": "https://slack.example/T0/token-2"}


def definitions() -> Definitions:
    return parse(f"{default_text()}\n{DESTINATIONS}\n{EVERYWHERE}")


def mistakes(environment: dict[str, str], *only: str) -> list[str]:
    with pytest.raises(SettingsError) as told:
        lines(definitions(), environment, "app", only)
    return [str(mistake) for mistake in told.value.mistakes]


def test_addresses_and_secrets_come_from_the_environment_and_are_secrets_all() -> None:
    found, secrets = lines(definitions(), RIGHT, "app")
    assert [(line.terms.name, line.url, line.host) for line in found] == [
        ("crm", RIGHT["CRM_URL"], "crm.example"),
        ("team", RIGHT["TEAM_URL"], "slack.example"),
    ]
    assert sorted(secrets) == sorted(RIGHT.values())
    assert found[0].terms.routing.budget_a_day == default_definitions().alerts.owner_budget_per_day


def test_one_destination_alone_needs_only_its_own_variables() -> None:
    found, _ = lines(definitions(), {"TEAM_URL": RIGHT["TEAM_URL"]}, "app", ["team"])
    assert [line.terms.name for line in found] == ["team"]


def test_every_variable_that_is_missing_or_wrong_is_told_at_once_and_no_value_is_shown() -> None:
    told = mistakes({"CRM_URL": "crm.example/token-1", "CRM_SECRET": "whsec_c2hvcnQ=", "TEAM_URL": " "})
    expected = "(expected: whsec_ and 24 to 64 bytes in base64; two secrets with a blank between them while one takes over)"
    assert told == [
        "CRM_URL: is no address (expected: https:// and a host, whole and without blanks)",
        f"CRM_SECRET: is no secret of Standard Webhooks: it holds 5 bytes; 24 to 64 are right {expected}",
        'TEAM_URL: is not set (expected: what the definitions name for the destination "team")',
    ]


@pytest.mark.parametrize(
    "url",
    [
        *("ftp://crm.example", "https://", "https:///hook", "https://a b", "http://[::1", "https://a:port/"),
        *("https://exämple_.de/x", "https://-ä.de/", f"https://{'ä' * 70}.de/"),
    ],
)
def test_what_is_no_address_is_refused(url: str) -> None:
    assert mistakes({**RIGHT, "CRM_URL": url})[0].startswith("CRM_URL: is no address")


def test_a_destination_that_is_not_there_is_told_with_the_nearest() -> None:
    assert mistakes(RIGHT, "cmr") == ['--destination: there is no destination "cmr" (expected: did you mean "crm"?)']


def test_doctor_looks_at_each_destination_without_showing_an_address_or_calling_it() -> None:
    def told(environment: dict[str, str]) -> list[tuple[str, str]]:
        return [(finding.state, finding.found) for finding in findings(definitions(), environment, "app")]

    assert told(RIGHT) == [("ok", "crm (webhook): crm.example"), ("ok", "team (slack): slack.example")]
    assert told({}) == [
        ("warning", "crm (webhook): CRM_URL, CRM_SECRET not set in this environment"),
        ("warning", "team (slack): TEAM_URL not set in this environment"),
    ]
    assert told({**RIGHT, "CRM_URL": "http://crm.example/token-1", "TEAM_URL": "nowhere"}) == [
        ("warning", "crm (webhook): what is sent to crm.example crosses the network in clear text"),
        ("wrong", "team (slack): TEAM_URL is no address"),
    ]
    assert told({**RIGHT, "CRM_URL": "http://localhost:8000/"})[0] == ("ok", "crm (webhook): localhost")
    assert [finding.found for finding in findings(default_definitions(), {}, "app")] == [
        "the definitions name no destination: nobody is told of alerts"
    ]
