"""Every setting of cspulse, in one typed place.

A setting comes from an option of the command line, else from the environment (`CSPULSE_` and its name in capitals), else from
a TOML file (`--config` or `CSPULSE_CONFIG`), else it has its default. An empty variable counts as not set. All mistakes are
told at once, each with its place and what would be right; a secret is never shown.
"""

import os
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from processors.toml_tables import Mistake, did_you_mean
from streams.settings_checks import conflicts

ENVIRONMENT_PREFIX: Final = "CSPULSE_"
CONFIG_VARIABLE: Final = "CSPULSE_CONFIG"

SecurityProtocol = Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"]
SaslMechanism = Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"]
Encoding = Literal["avro", "confluent", "json"]


class SettingsError(Exception):
    """Settings that cannot be used; `mistakes` has all of them."""

    def __init__(self, mistakes: Iterable[Mistake]) -> None:
        self.mistakes = tuple(mistakes)
        super().__init__("\n".join(str(mistake) for mistake in self.mistakes))


def _upper(value: object) -> object:
    return value.upper() if isinstance(value, str) else value


def _lower(value: object) -> object:
    return value.lower() if isinstance(value, str) else value


def _servers(value: str) -> str:
    """A list of host:port, without blanks."""
    servers = [server.strip() for server in value.split(",")]
    for server in servers:
        host, _, port = server.rpartition(":")
        if not host or not port.isdecimal() or not 0 < int(port) < 65536:
            raise ValueError(f'"{server}" is not host:port')
    return ",".join(servers)


def _redis_address(value: str) -> str:
    """An address of Redis, with its parts in their bounds."""
    if "@" in value:
        raise ValueError("an address must hold no user and no password, because it is shown; they have settings of their own")
    parts = urlsplit(value)
    try:
        port = parts.port
    except ValueError:
        port = 0
    database = parts.path.removeprefix("/")
    in_form = parts.scheme in ("redis", "rediss") and parts.hostname and not parts.query and not parts.fragment
    if not in_form or port == 0 or (database and not database.isdecimal()):
        raise ValueError(f'"{value}" is no address of Redis')
    return value


def _readable(path: Path) -> Path:
    """A file that this process can read."""
    if not path.is_file():
        raise ValueError(f"there is no file {path}")
    if not os.access(path, os.R_OK):
        raise ValueError(f"{path} may not be read by this user")
    return path


ReadableFile = Annotated[Path, AfterValidator(_readable)]


def _setting(default: Any, meaning: str, expected: str, **limits: Any) -> Any:
    """A field with its meaning and what would be right in its place; both are for people."""
    return Field(default, description=meaning, json_schema_extra={"expected": expected}, **limits)


def _whole(default: int, meaning: str, low: int, high: int) -> Any:
    return _setting(default, meaning, f"a whole number from {low} to {high}", ge=low, le=high)


def _file(meaning: str) -> Any:
    return _setting(None, meaning, "the path of a file that can be read")


class Settings(BaseModel):
    """All settings, checked. Made by `load_settings`, not by hand."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    bootstrap_servers: Annotated[str, AfterValidator(_servers)] = _setting(
        "127.0.0.1:9092", "brokers to ask first", "host:port, several separated by commas"
    )
    app_id: str = _setting(
        "cspulse",
        "name of the consumer group, and first part of the names of changelogs and transactions",
        "1 to 100 letters, digits, dots, dashes and underscores",
        pattern=r"^[A-Za-z0-9._-]{1,100}$",
    )
    partitions: int = _whole(4, "partitions of the input topics; fixed for the life of an application id", 1, 10_000)
    definitions: ReadableFile | None = _file("the business file; without it the one that comes with cspulse")

    schema_registry_url: str | None = _setting(
        None, "a Confluent schema registry", "an address that begins with http:// or https://", pattern=r"^https?://[^\s/]+"
    )
    schema_registry_username: str | None = _setting(None, "user at the registry", "a name", min_length=1)
    schema_registry_password: SecretStr | None = _setting(None, "password at the registry", "a password")
    schema_registry_ca_location: ReadableFile | None = _file("certificates that the registry's must go back to (PEM)")
    value_encoding: Annotated[Encoding, BeforeValidator(_lower)] = _setting(
        "avro", "how outputs are written; with a registry the default is confluent", '"avro", "confluent" or "json"'
    )

    security_protocol: Annotated[SecurityProtocol, BeforeValidator(_upper)] = _setting(
        "PLAINTEXT", "how brokers are spoken to", '"PLAINTEXT", "SSL", "SASL_PLAINTEXT" or "SASL_SSL"'
    )
    sasl_mechanism: Annotated[SaslMechanism, BeforeValidator(_upper)] | None = _setting(
        None, "how this client proves who it is", '"PLAIN", "SCRAM-SHA-256" or "SCRAM-SHA-512"'
    )
    sasl_username: str | None = _setting(None, "user at the brokers", "a name", min_length=1)
    sasl_password: SecretStr | None = _setting(None, "password at the brokers", "a password")
    ssl_ca_location: ReadableFile | None = _file("certificates that the brokers' must go back to (PEM); else the system's")
    ssl_certificate_location: ReadableFile | None = _file("this client's certificate (PEM)")
    ssl_key_location: ReadableFile | None = _file("the key of this client's certificate (PEM)")
    ssl_key_password: SecretStr | None = _setting(None, "password of that key", "a password")
    ssl_endpoint_identification: Annotated[Literal["https", "none"], BeforeValidator(_lower)] = _setting(
        "https", "whether a broker's certificate must name its host", '"https" (it must) or "none"'
    )

    redis_url: Annotated[str, AfterValidator(_redis_address)] | None = _setting(
        None,
        "the Redis server that holds the read model",
        "redis://host:port, with TLS rediss://host:port; a database as /number",
    )
    redis_username: str | None = _setting(None, "user at Redis", "a name", min_length=1)
    redis_password: SecretStr | None = _setting(None, "password at Redis", "a password")
    redis_ca_location: ReadableFile | None = _file("certificates that Redis's must go back to (PEM); else the system's")

    group_instance_id: str | None = _setting(
        None,
        "a name that this worker keeps over restarts: one that is back within the session timeout moves no partition",
        "1 to 200 letters, digits, dots, dashes and underscores",
        pattern=r"^[A-Za-z0-9._-]{1,200}$",
    )
    session_timeout_ms: int = _whole(10_000, "a worker silent for this long leaves the group", 1_000, 1_800_000)
    heartbeat_interval_ms: int = _whole(3_000, "between two signs of life to the group", 100, 600_000)
    transaction_timeout_ms: int = _whole(60_000, "the broker aborts a transaction open for this long", 1_000, 900_000)
    commit_interval_min_ms: int = _whole(50, "between two commits of a task in light load", 1, 60_000)
    commit_interval_max_ms: int = _whole(1_000, "between two commits of a task when busy", 1, 60_000)
    tick_interval_ms: int = _setting(
        60_000,
        "between two ticks of a task; 0: this worker writes none",
        "0, or a whole number from 100 to 3600000",
        ge=0,
        le=3_600_000,
    )
    shadow: bool | None = _setting(
        None,
        "a new application id keeps silent until `cspulse cutover`; unset: it must be said if another one has published already",
        "true or false",
    )
    unverifiable: Annotated[Literal["accept", "dead_letter"], BeforeValidator(_lower)] = _setting(
        "accept",
        "what becomes of an event too old to be told from a repetition",
        '"accept" (it counts, and is counted as such) or "dead_letter"',
    )
    dead_letter_limit_share: float = _setting(
        0.05, "share of the recent records that may fail before the worker stops", "a number above 0, up to 1", gt=0, le=1
    )
    dead_letter_window_records: int = _whole(1_000, "how many records of a task are recent", 10, 1_000_000)
    queue_high_water_records: int = _whole(4_000, "records waiting at which a partition is paused", 1, 1_000_000)
    queue_low_water_records: int = _whole(1_000, "records waiting at which it goes on", 0, 1_000_000)

    metrics_host: str = _setting("127.0.0.1", "address on which metrics are offered", "an address", min_length=1)
    metrics_port: int = _whole(0, "port of the metrics; 0: none are offered", 0, 65_535)
    probe_host: str = _setting("127.0.0.1", "address at which /live and /ready are answered", "an address", min_length=1)
    probe_port: int = _whole(0, "port of /live and /ready; 0: they are not answered", 0, 65_535)
    stuck_after_ms: int = _whole(300_000, "a task or loop that has not moved for so long ends the worker", 5_000, 86_400_000)
    log_level: Annotated[Literal["debug", "info", "warning", "error"], BeforeValidator(_lower)] = _setting(
        "info", "least severe messages that are logged", '"debug", "info", "warning" or "error"'
    )
    log_format: Annotated[Literal["text", "json"], BeforeValidator(_lower)] = _setting(
        "text", "lines for people, or one JSON object a line", '"text" or "json"'
    )


class _Places:
    """The values given for each setting, from the strongest source, and where each came from."""

    def __init__(self) -> None:
        self.values: dict[str, object] = {}
        self.place: dict[str, str] = {}
        self.mistakes: list[Mistake] = []

    def take(self, name: str, value: object, place: str) -> None:
        """Keep a value, unless a stronger source gave one before."""
        if name not in self.values:
            self.values[name] = value
            self.place[name] = place

    def of(self, name: str) -> str:
        """Where a setting was given; for a default, the variable that would change it."""
        return self.place.get(name, f"{ENVIRONMENT_PREFIX}{name.upper()}")


def load_settings(
    options: Mapping[str, object] | None = None,
    environment: Mapping[str, str] | None = None,
    config: Path | None = None,
) -> Settings:
    """Gather and check all settings.

    `options` are those of the command line by the setting's name (None: not given), `environment` is `os.environ` unless
    given, `config` is the file named by `--config` and goes before `CSPULSE_CONFIG`.

    Raises:
        SettingsError: with every mistake.
    """
    given = os.environ if environment is None else environment
    places = _Places()
    for name, value in (options or {}).items():
        if value is not None:
            places.take(name, value, f"--{name.replace('_', '-')}")
    _take_environment(places, given)
    path = config or (Path(given[CONFIG_VARIABLE]) if given.get(CONFIG_VARIABLE) else None)
    if path is not None:
        _take_file(places, path)
    if "schema_registry_url" in places.values:
        places.take("value_encoding", "confluent", places.of("value_encoding"))
    return _checked(places)


def _take_environment(places: _Places, environment: Mapping[str, str]) -> None:
    known = {f"{ENVIRONMENT_PREFIX}{name.upper()}": name for name in Settings.model_fields}
    for variable, value in sorted(environment.items()):
        if not variable.startswith(ENVIRONMENT_PREFIX) or variable == CONFIG_VARIABLE or not value:
            continue
        if variable in known:
            places.take(known[variable], value, variable)
        else:
            expected = did_you_mean(variable, [*known, CONFIG_VARIABLE], ENVIRONMENT_PREFIX)
            places.mistakes.append(Mistake(variable, "there is no such setting", expected))


def _take_file(places: _Places, path: Path) -> None:
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        places.mistakes.append(Mistake(str(path), f"cannot be read: {error.strerror}", "a TOML file with settings"))
        return
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        places.mistakes.append(Mistake(str(path), f"is not TOML: {error}", 'lines such as app_id = "cspulse"'))
        return
    for name, value in table.items():
        place = f"{path}: {name}"
        if name in Settings.model_fields:
            places.take(name, value, place)
        else:
            places.mistakes.append(Mistake(place, "there is no such setting", did_you_mean(name, Settings.model_fields)))


def _checked(places: _Places) -> Settings:
    """The settings, or all mistakes: of single values first, then of values that contradict each other.

    A contradiction is looked for only among values that are right by themselves.
    """
    wrong: set[str] = set()
    try:
        settings = Settings.model_validate(places.values)
    except ValidationError as invalid:
        errors = invalid.errors(include_url=False)
        wrong = {str(error["loc"][0]) for error in errors}
        places.mistakes.extend(_mistake(places, error) for error in errors)
        settings = Settings.model_validate({name: value for name, value in places.values.items() if name not in wrong})
    for conflict in conflicts(settings):
        if not wrong.intersection(conflict.settings):
            place = ", ".join(places.of(name) for name in conflict.settings)
            places.mistakes.append(Mistake(place, conflict.message, conflict.expected))
    if places.mistakes:
        raise SettingsError(places.mistakes)
    return settings


def _mistake(places: _Places, error: ErrorDetails) -> Mistake:
    name = str(error["loc"][0])
    field = Settings.model_fields.get(name)
    if field is None:
        return Mistake(places.of(name), "there is no such setting", did_you_mean(name, Settings.model_fields))
    reason = error.get("ctx", {}).get("error")
    if isinstance(reason, ValueError):  # one of the validators above says it best
        return Mistake(places.of(name), str(reason), _expected(field))
    shown = "its value" if _is_secret(field) else repr(error["input"])
    return Mistake(places.of(name), f"{shown} is not right", _expected(field))


def _expected(field: FieldInfo) -> str:
    extra = field.json_schema_extra
    return str(extra["expected"]) if isinstance(extra, dict) else ""


def _is_secret(field: FieldInfo) -> bool:
    return "SecretStr" in str(field.annotation)
