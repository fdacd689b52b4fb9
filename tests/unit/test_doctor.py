"""What doctor says of settings alone, before any broker is asked."""

from pathlib import Path

import pytest

from streams.doctor import Check, examine
from streams.settings import load_settings

SASL = {"CSPULSE_SASL_MECHANISM": "PLAIN", "CSPULSE_SASL_USERNAME": "u", "CSPULSE_SASL_PASSWORD": "secret-word"}


def first_checks(environment: dict[str, str], wanted: str) -> list[Check]:
    """The checks up to the broker's that have this name; the broker itself is never asked."""
    settings = load_settings(environment=environment)
    found: list[Check] = []
    for check in examine(settings, None, environment):
        if check.name == "schema registry":
            return found
        if check.name == wanted:
            found.append(check)
    raise AssertionError("the checks of the settings come before the registry's")


@pytest.mark.parametrize(
    ("environment", "state", "words"),
    [
        ({"CSPULSE_BOOTSTRAP_SERVERS": "127.0.0.1:9092,localhost:9093"}, "ok", "this machine only"),
        ({"CSPULSE_BOOTSTRAP_SERVERS": "127.0.0.1:9092,kafka.example:9092"}, "warning", "clear text"),
        ({"CSPULSE_SECURITY_PROTOCOL": "SASL_PLAINTEXT", **SASL}, "warning", "the password and all events"),
        ({"CSPULSE_SECURITY_PROTOCOL": "SASL_SSL", **SASL}, "ok", "certificates are verified"),
        (
            {"CSPULSE_SECURITY_PROTOCOL": "SSL", "CSPULSE_SSL_ENDPOINT_IDENTIFICATION": "none"},
            "warning",
            "need not name its host",
        ),
    ],
    ids=["plain and local", "plain and far", "password in clear text", "safe", "host not verified"],
)
def test_security_is_judged_by_what_others_could_read(environment: dict[str, str], state: str, words: str) -> None:
    [check] = first_checks(environment, "security")

    assert check.state == state
    assert words in check.found
    assert bool(check.advice) == (state != "ok")


def test_where_settings_come_from_is_told_without_their_values() -> None:
    [check] = first_checks({"CSPULSE_SECURITY_PROTOCOL": "SASL_SSL", **SASL}, "settings")

    assert "CSPULSE_SASL_PASSWORD" in check.found
    assert "secret-word" not in check.found


def test_a_password_in_the_registrys_address_is_not_shown() -> None:
    settings = load_settings({"schema_registry_url": "http://user:secret-word@127.0.0.1:1"}, {})

    check = next(one for one in examine(settings, None, {}) if one.name == "schema registry")

    assert check.state == "wrong"
    assert "127.0.0.1:1" in check.found
    assert "secret-word" not in check.found


def test_each_mistake_of_the_definitions_file_is_a_finding(tmp_path: Path) -> None:
    path = tmp_path / "business.toml"
    path.write_text('[snapshots]\ninterval_minutes = 0\n[features]\nfollowed = "many"\n')

    checks = first_checks({"CSPULSE_DEFINITIONS": str(path)}, "definitions file")

    assert len(checks) >= 2
    assert all(check.state == "wrong" and str(path) in check.found for check in checks)
