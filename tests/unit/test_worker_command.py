"""What a supervised worker is told through its environment."""

from pathlib import Path

from streams.commands.worker import environment_of
from streams.settings import load_settings


def test_a_worker_gets_the_same_settings_and_no_others(tmp_path: Path) -> None:
    business = tmp_path / "business.toml"
    business.write_text("")
    settings = load_settings(
        {"app_id": "shop", "partitions": 8, "definitions": str(business)},
        {
            "CSPULSE_SECURITY_PROTOCOL": "SASL_SSL",
            "CSPULSE_SASL_MECHANISM": "PLAIN",
            "CSPULSE_SASL_USERNAME": "u",
            "CSPULSE_SASL_PASSWORD": "p",
        },
    )
    inherited = {"PATH": "/bin", "CSPULSE_CONFIG": "other.toml", "CSPULSE_APP_ID": "other"}

    environment = environment_of(settings, inherited, 0)

    assert environment["PATH"] == "/bin"
    assert "CSPULSE_CONFIG" not in environment
    assert load_settings(environment=environment) == settings


def test_each_worker_offers_its_metrics_at_a_port_of_its_own() -> None:
    settings = load_settings({"metrics_port": 9100}, {})

    ports = [environment_of(settings, {}, number)["CSPULSE_METRICS_PORT"] for number in range(3)]

    assert ports == ["9100", "9101", "9102"]
