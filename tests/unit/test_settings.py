"""Settings: where they come from, which one counts, and how mistakes are told."""

from pathlib import Path

import pytest

from streams.settings import Settings, SettingsError, load_settings
from tests.support.certificates import Authority


def places(error: pytest.ExceptionInfo[SettingsError]) -> list[str]:
    return [mistake.place for mistake in error.value.mistakes]


def one_mistake(environment: dict[str, str]) -> str:
    with pytest.raises(SettingsError) as error:
        load_settings(environment=environment)
    assert len(error.value.mistakes) == 1
    return str(error.value.mistakes[0])


def test_without_anything_the_defaults_hold() -> None:
    settings = load_settings(environment={})

    assert settings == Settings()
    assert (settings.app_id, settings.partitions, settings.bootstrap_servers) == ("cspulse", 4, "127.0.0.1:9092")
    assert (settings.transaction_timeout_ms, settings.tick_interval_ms, settings.metrics_port) == (60_000, 60_000, 0)
    assert (settings.commit_interval_min_ms, settings.commit_interval_max_ms) == (50, 1_000)


def test_an_option_goes_before_the_environment_and_that_before_the_file(tmp_path: Path) -> None:
    file = tmp_path / "cspulse.toml"
    file.write_text('app_id = "file"\npartitions = 8\nmetrics_port = 9100\n')
    environment = {"CSPULSE_CONFIG": str(file), "CSPULSE_APP_ID": "environment", "CSPULSE_PARTITIONS": "16"}

    settings = load_settings({"app_id": "option", "partitions": None}, environment)

    assert (settings.app_id, settings.partitions, settings.metrics_port) == ("option", 16, 9100)


def test_the_file_of_the_option_goes_before_the_one_of_the_environment(tmp_path: Path) -> None:
    file = tmp_path / "chosen.toml"
    file.write_text('app_id = "chosen"\n')

    assert load_settings({}, {"CSPULSE_CONFIG": "/nowhere.toml"}, config=file).app_id == "chosen"


def test_an_empty_variable_counts_as_not_set() -> None:
    assert load_settings(environment={"CSPULSE_PARTITIONS": ""}).partitions == 4


def test_variables_of_others_are_left_alone() -> None:
    assert load_settings(environment={"PATH": "/bin", "CSPULSES_X": "1"}) == Settings()


def test_all_mistakes_are_told_at_once_each_with_its_place(tmp_path: Path) -> None:
    file = tmp_path / "cspulse.toml"
    file.write_text('log_format = "xml"\nqueue_high_water = 5\n')
    environment = {
        "CSPULSE_CONFIG": str(file),
        "CSPULSE_PARTITION": "4",
        "CSPULSE_METRICS_PORT": "99999",
        "CSPULSE_DEFINITIONS": str(tmp_path / "missing.toml"),
        "CSPULSE_QUEUE_LOW_WATER_RECORDS": "9000",
    }

    with pytest.raises(SettingsError) as error:
        load_settings({"partitions": 0}, environment)

    assert sorted(places(error)) == sorted(
        [
            "--partitions",
            "CSPULSE_PARTITION",
            "CSPULSE_METRICS_PORT",
            "CSPULSE_DEFINITIONS",
            f"{file}: log_format",
            f"{file}: queue_high_water",
            "CSPULSE_QUEUE_LOW_WATER_RECORDS, CSPULSE_QUEUE_HIGH_WATER_RECORDS",
        ]
    )
    assert all(mistake.expected for mistake in error.value.mistakes)


@pytest.mark.parametrize(
    ("variable", "value", "told"),
    [
        ("CSPULSE_PARTITIONS", "four", "'four' is not right (expected: a whole number from 1 to 10000)"),
        ("CSPULSE_BOOTSTRAP_SERVERS", "kafka", '"kafka" is not host:port'),
        ("CSPULSE_BOOTSTRAP_SERVERS", "a:1,b:70000", '"b:70000" is not host:port'),
        ("CSPULSE_APP_ID", "my app", "letters, digits, dots"),
        ("CSPULSE_SCHEMA_REGISTRY_URL", "registry:8081", "http://"),
        ("CSPULSE_DEFINITIONS", "/nowhere/business.toml", "there is no file /nowhere/business.toml"),
        ("CSPULSE_SECURITY_PROTOCOL", "TLS", '"SASL_SSL"'),
        ("CSPULSE_DEAD_LETTER_LIMIT_SHARE", "0", "a number above 0, up to 1"),
        ("CSPULSE_TICK_INTERVAL_MS", "50", "100 to 3600000"),
        ("CSPULSE_HEARTBEAT_INTERVAL_MS", "4000", "third of the session timeout"),
        ("CSPULSE_COMMIT_INTERVAL_MIN_MS", "2000", "not above the maximum"),
        ("CSPULSE_TRANSACTION_TIMEOUT_MS", "1500", "twice the longest commit interval"),
        ("CSPULSE_VALUE_ENCODING", "confluent", "schema_registry_url"),
        ("CSPULSE_SCHEMA_REGISTRY_USERNAME", "pulse", "both, or neither"),
        ("CSPULSE_SASL_USERNAME", "pulse", "PLAINTEXT does not use it"),
        ("CSPULSE_SSL_KEY_PASSWORD", "x", "PLAINTEXT does not use it"),
        ("CSPULSE_REDIS_URL", "127.0.0.1:6379", "redis://host:port"),
        ("CSPULSE_REDIS_URL", "redis://h:70000", "redis://host:port"),
        ("CSPULSE_REDIS_URL", "redis://h/cache", "a database as /number"),
        ("CSPULSE_REDIS_PASSWORD", "x", "redis_url with it"),
        ("CSPULSE_BOOTSTRAP_SERVER", "a:1", 'did you mean "CSPULSE_BOOTSTRAP_SERVERS"'),
    ],
)
def test_a_mistake_names_its_place_and_what_would_be_right(variable: str, value: str, told: str) -> None:
    mistake = one_mistake({variable: value})

    assert variable in mistake
    assert told in mistake


def test_a_password_in_the_address_of_redis_is_refused_and_not_shown() -> None:
    mistake = one_mistake({"CSPULSE_REDIS_URL": "redis://pulse:secret-word@127.0.0.1:6379"})

    assert "no user and no password" in mistake
    assert "secret-word" not in mistake


def test_a_file_that_is_not_there_or_is_not_toml_is_a_mistake(tmp_path: Path) -> None:
    broken = tmp_path / "broken.toml"
    broken.write_text("app_id = \n")

    assert "cannot be read" in one_mistake({"CSPULSE_CONFIG": str(tmp_path / "missing.toml")})
    assert "is not TOML" in one_mistake({"CSPULSE_CONFIG": str(broken)})


def test_an_unknown_option_is_a_mistake_and_not_a_crash() -> None:
    with pytest.raises(SettingsError, match="--partition: there is no such setting"):
        load_settings({"partition": 4}, {})


def test_words_are_taken_in_any_case() -> None:
    environment = {"CSPULSE_LOG_LEVEL": "WARNING", "CSPULSE_VALUE_ENCODING": "JSON", "CSPULSE_SECURITY_PROTOCOL": "ssl"}

    settings = load_settings(environment=environment)

    assert (settings.log_level, settings.value_encoding, settings.security_protocol) == ("warning", "json", "SSL")


def test_blanks_between_servers_do_not_matter() -> None:
    assert load_settings(environment={"CSPULSE_BOOTSTRAP_SERVERS": "a:1, [::1]:2"}).bootstrap_servers == "a:1,[::1]:2"


def test_with_a_registry_outputs_are_confluent_unless_told_otherwise() -> None:
    registry = {"CSPULSE_SCHEMA_REGISTRY_URL": "http://127.0.0.1:8081"}

    assert load_settings(environment=registry).value_encoding == "confluent"
    assert load_settings(environment={**registry, "CSPULSE_VALUE_ENCODING": "avro"}).value_encoding == "avro"


def test_sasl_says_each_thing_it_lacks() -> None:
    with pytest.raises(SettingsError) as error:
        load_settings(environment={"CSPULSE_SECURITY_PROTOCOL": "SASL_SSL"})

    assert places(error) == ["CSPULSE_SASL_MECHANISM", "CSPULSE_SASL_USERNAME", "CSPULSE_SASL_PASSWORD"]


def test_a_secret_is_shown_neither_in_a_mistake_nor_in_the_settings() -> None:
    environment = {"CSPULSE_SASL_PASSWORD": "hunter2", "CSPULSE_SECURITY_PROTOCOL": "SASL_PLAINTEXT"}
    with pytest.raises(SettingsError) as error:
        load_settings({"ssl_key_password": 42_424_242}, environment)
    complete = {**environment, "CSPULSE_SASL_MECHANISM": "plain", "CSPULSE_SASL_USERNAME": "pulse"}

    assert "hunter2" not in str(error.value)
    assert "42424242" not in str(error.value)
    assert "hunter2" not in repr(load_settings(environment=complete))


def test_every_setting_has_a_meaning_and_says_what_would_be_right() -> None:
    for name, field in Settings.model_fields.items():
        extra = field.json_schema_extra
        assert field.description, name
        assert isinstance(extra, dict), name
        assert extra["expected"], name


def test_a_certificate_needs_its_own_key(authority: Authority, tmp_path: Path) -> None:
    one, other = authority.issue(tmp_path, "one"), authority.issue(tmp_path, "other")
    environment = {
        "CSPULSE_SECURITY_PROTOCOL": "SSL",
        "CSPULSE_SSL_CA_LOCATION": str(authority.certificate),
        "CSPULSE_SSL_CERTIFICATE_LOCATION": str(one.certificate),
        "CSPULSE_SSL_KEY_LOCATION": str(one.key),
    }

    assert load_settings(environment=environment).ssl_key_location == one.key
    assert "cannot be loaded together" in one_mistake({**environment, "CSPULSE_SSL_KEY_LOCATION": str(other.key)})
    del environment["CSPULSE_SSL_KEY_LOCATION"]
    assert "both, or neither" in one_mistake(environment)


def test_a_file_without_a_certificate_is_no_authority(tmp_path: Path) -> None:
    empty = tmp_path / "empty.pem"
    empty.write_text("nothing\n")

    told = one_mistake({"CSPULSE_SECURITY_PROTOCOL": "SSL", "CSPULSE_SSL_CA_LOCATION": str(empty)})

    assert "holds no certificate" in told
