"""A connection to Redis, and what its errors mean for whoever waits: away for now, or wrong for good."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import redis
from msgspec import Struct
from redis.backoff import NoBackoff
from redis.retry import Retry

from sinks.sink import Misconfigured, Unavailable

PREFIX: Final = "cspulse:v1:"
"""What all keys begin with; another layout would have another version."""

OLDEST: Final = (7, 0)
"""Scripts that are refused as a whole when memory runs out came with this version of Redis."""

CONNECT_TIMEOUT_S: Final = 3.0
ANSWER_TIMEOUT_S: Final = 5.0


class RedisTarget(Struct, frozen=True, kw_only=True):
    """Where Redis is and how it is spoken to; `ca_location` is of the certificates that the server's must go back to."""

    host: str
    port: int = 6379
    database: int = 0
    username: str | None = None
    password: str | None = None
    tls: bool = False
    ca_location: Path | None = None
    answer_timeout_s: float = ANSWER_TIMEOUT_S

    @property
    def name(self) -> str:
        """For people; without secrets."""
        return f"Redis at {self.host}:{self.port}/{self.database}"

    def __repr__(self) -> str:
        return f"RedisTarget({self.name})"


def connect(target: RedisTarget) -> redis.Redis:
    """A client that tells every failure at once: waiting is done by whoever calls. Nothing is connected yet."""
    tls: dict[str, Any] = {}
    if target.tls:
        tls = {
            "ssl": True,
            "ssl_cert_reqs": ssl.CERT_REQUIRED,
            "ssl_check_hostname": True,
            "ssl_ca_certs": None if target.ca_location is None else str(target.ca_location),
        }
    return redis.Redis(
        host=target.host,
        port=target.port,
        db=target.database,
        username=target.username,
        password=target.password,
        socket_connect_timeout=CONNECT_TIMEOUT_S,
        socket_timeout=target.answer_timeout_s,
        socket_keepalive=True,
        retry=Retry(NoBackoff(), 0),
        client_name="cspulse",
        **tls,
    )


@contextmanager
def told(target: RedisTarget) -> Iterator[None]:
    """Turn what the client raises into `Unavailable` or `Misconfigured`, with words that say where and why."""
    try:
        yield
    except (redis.AuthenticationError, redis.exceptions.NoPermissionError) as error:
        raise Misconfigured(
            f"{target.name} refuses the user: {_words(error)}; CSPULSE_REDIS_USERNAME and CSPULSE_REDIS_PASSWORD must be right, "
            "and the user must be allowed the commands of docs/read-model.md"
        ) from error
    except redis.ResponseError as error:
        raise _refused(target, error) from error
    except (redis.RedisError, OSError) as error:
        if isinstance(error.__cause__, ssl.SSLCertVerificationError) or "CERTIFICATE_VERIFY_FAILED" in str(error):
            raise Misconfigured(
                f"{target.name} shows a certificate that cannot be verified; "
                "CSPULSE_REDIS_CA_LOCATION must name what it goes back to"
            ) from error
        raise Unavailable(f"{target.name} does not answer ({_words(error)})") from error


def _refused(target: RedisTarget, error: redis.ResponseError) -> Exception:
    """What an error that the server answered with means."""
    text = _words(error)
    if "DB index is out of range" in text:
        return Misconfigured(
            f"{target.name} has no such database; the number behind the last / of CSPULSE_REDIS_URL must be lower"
        )
    return Unavailable(f"{target.name} cannot take it: {text}")


def _words(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__
