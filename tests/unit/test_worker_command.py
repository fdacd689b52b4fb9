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


def test_each_worker_answers_probes_at_a_port_of_its_own_and_has_a_name_of_its_own_in_the_group() -> None:
    settings = load_settings({"probe_port": 9200, "group_instance_id": "blue"}, {})

    environments = [environment_of(settings, {}, number) for number in range(3)]

    assert [environment["CSPULSE_PROBE_PORT"] for environment in environments] == ["9200", "9201", "9202"]
    assert [environment["CSPULSE_GROUP_INSTANCE_ID"] for environment in environments] == ["blue-1", "blue-2", "blue-3"]


def test_workers_that_offer_nothing_and_have_no_name_are_given_neither() -> None:
    environment = environment_of(load_settings({}, {}), {}, 1)

    assert environment["CSPULSE_PROBE_PORT"] == "0"
    assert "CSPULSE_GROUP_INSTANCE_ID" not in environment
