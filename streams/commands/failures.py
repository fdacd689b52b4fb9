"""How a failure is told: one clear line (a list for mistakes of a file), and the exit code that scripts go by."""

from dataclasses import dataclass
from typing import Any, Final

DONE: Final = 0
FAILED: Final = 1
WRONG: Final = 2
NOT_FOUND: Final = 3
IN_PART: Final = 4
INTERRUPTED: Final = 130


class CommandError(Exception):
    """A command cannot do what was asked; `code` is the exit code, `hint` what to do about it."""

    def __init__(self, message: str, code: int = FAILED, hint: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.hint = hint


@dataclass(frozen=True, slots=True)
class Failure:
    """What is said about a failure, and the exit code."""

    lines: tuple[str, ...]
    code: int


def explain(error: BaseException) -> Failure | None:
    """What to say about an error that a user or the surroundings caused; None for any other."""
    if isinstance(error, CommandError):
        return Failure((f"cspulse: {error}", *((error.hint,) if error.hint else ())), error.code)
    if isinstance(error, FileNotFoundError):
        return Failure((f"cspulse: there is no file {error.filename}",), NOT_FOUND)
    if isinstance(error, UnicodeDecodeError):
        return Failure((f"cspulse: the input is not UTF-8: {error.reason} at byte {error.start}",), FAILED)
    if isinstance(error, OSError):
        place = f"{error.filename}: " if error.filename else ""
        return Failure((f"cspulse: {place}{error.strerror or error}",), FAILED)
    return _explain_ours(error)


def _explain_ours(error: BaseException) -> Failure | None:
    from confluent_kafka import KafkaException

    from processors.definitions import DefinitionsError
    from streams.settings import SettingsError

    if isinstance(error, SettingsError):
        return Failure(_listed("settings", [str(mistake) for mistake in error.mistakes]), WRONG)
    if isinstance(error, DefinitionsError):
        return Failure(_listed("definitions", [str(mistake) for mistake in error.mistakes]), WRONG)
    if isinstance(error, KafkaException):
        return Failure((f"cspulse: the broker or its client refused: {_kafka_text(error)}",), FAILED)
    if isinstance(error, _surroundings()):
        cause = error.__cause__
        code = NOT_FOUND if isinstance(cause, FileNotFoundError) else FAILED
        return Failure((f"cspulse: {error}",), code)
    return None


def _surroundings() -> tuple[type[Exception], ...]:
    """Failures whose text already says to a person what is wrong."""
    from schemas.codec import EncodingError
    from schemas.contracts import ContractError
    from schemas.registry import RegistryUnreachable
    from sinks.delivery_log import LogUnavailable
    from sinks.sink import Unavailable
    from streams.catalogue import UnknownDefinitions
    from streams.cluster import BrokerUnreachable, ReadFailed
    from streams.dead_letters import TooManyFailures
    from streams.definitions_log import DefinitionsLogError
    from streams.embedded import EmbeddedBrokerError
    from streams.publish import PublishError
    from streams.replay import ReplayFailed
    from streams.restore import RestoreFailed
    from streams.sources.bad_line import SourceUnreadableError
    from streams.state_bytes import UnreadableState

    return (
        BrokerUnreachable,
        ContractError,
        DefinitionsLogError,
        EmbeddedBrokerError,
        EncodingError,
        LogUnavailable,
        PublishError,
        ReadFailed,
        RegistryUnreachable,
        ReplayFailed,
        RestoreFailed,
        SourceUnreadableError,
        UnknownDefinitions,
        TooManyFailures,
        Unavailable,
        UnreadableState,
    )


def _listed(of_what: str, mistakes: list[str]) -> tuple[str, ...]:
    count = "1 mistake" if len(mistakes) == 1 else f"{len(mistakes)} mistakes"
    return (f"cspulse: {count} in the {of_what}:", *(f"  {mistake}" for mistake in mistakes))


def _kafka_text(error: Any) -> str:
    first = error.args[0] if error.args else error
    return first.str() if hasattr(first, "str") else str(first)
