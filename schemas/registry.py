"""The schema registry: schemas by id for what others wrote, ids for what we write.

"The registry has no such schema" is an answer and makes one record malformed. "The registry does not answer" is none: it is
raised, so that the caller waits or ends, and no good record is taken for a bad one.
"""

import time
from collections.abc import Callable, Mapping
from typing import Protocol

from schemas.avro import SchemaRefusedError

# The registry's own code, and that of the client's registry in memory. Another 404 may come from a proxy or a wrong address.
SCHEMA_NOT_FOUND = (40403, 40400)
LACKING_FOR_S = 60.0  # how long "no such schema" is believed: a flood of bad records is one request a minute and id
MAX_LACKING = 10_000


class RegistryUnreachable(Exception):
    """The registry gave no answer, or none that says whether it has the schema."""


class SchemaRegistry(Protocol):
    """What the codec needs of a registry."""

    def schema_by_id(self, schema_id: int) -> str | None:
        """The Avro schema with this id, None when the registry positively lacks it.

        Raises:
            RegistryUnreachable: no answer.
            SchemaRefusedError: the id is that of something else than one self-contained Avro schema.
        """

    def register(self, subject: str, schema: str) -> int:
        """The id of a schema under a subject, registered now if it was not. Raises `RegistryUnreachable`, also when refused."""


class ConfluentRegistry:
    """A registry that speaks Confluent's protocol.

    `settings` are those of `confluent_kafka.schema_registry.SchemaRegistryClient`: `url`, TLS, authentication. An address that
    begins with `mock://` is one in memory. Found schemas are kept for good (an id never changes its schema).
    """

    def __init__(self, settings: Mapping[str, object], now_s: Callable[[], float] = time.monotonic) -> None:
        # The client brings an HTTP library along; whoever uses no registry does not load it.
        from confluent_kafka.schema_registry import SchemaRegistryClient

        self._client = SchemaRegistryClient.new_client(dict(settings))
        self._now_s = now_s
        self._lacking_until_s: dict[int, float] = {}

    def schema_by_id(self, schema_id: int) -> str | None:
        """See `SchemaRegistry`."""
        if self._now_s() < self._lacking_until_s.get(schema_id, float("-inf")):
            return None
        try:
            schema = self._client.get_schema(schema_id)
        except Exception as error:
            if getattr(error, "error_code", None) not in SCHEMA_NOT_FOUND:
                raise RegistryUnreachable(f"schema {schema_id} could not be asked for: {error}") from error
            self._remember_lacking(schema_id)
            return None
        if schema.schema_type not in (None, "AVRO"):
            raise SchemaRefusedError(f"the schema is of type {schema.schema_type}; only AVRO is read")
        if schema.references:
            raise SchemaRefusedError("the schema refers to other schemas; it must be self-contained")
        return schema.schema_str

    def register(self, subject: str, schema: str) -> int:
        """See `SchemaRegistry`."""
        from confluent_kafka.schema_registry import Schema

        try:
            return self._client.register_schema(subject, Schema(schema, "AVRO"))
        except Exception as error:
            raise RegistryUnreachable(f"the schema of {subject} could not be registered: {error}") from error

    def _remember_lacking(self, schema_id: int) -> None:
        if len(self._lacking_until_s) >= MAX_LACKING:
            self._lacking_until_s.clear()
        self._lacking_until_s[schema_id] = self._now_s() + LACKING_FOR_S
