"""The codec with a schema registry: framing, other writers' schemas, and 'no such schema' against 'no answer'."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from io import BytesIO
from typing import Any, ClassVar

import fastavro
import msgspec
import pytest

from schemas.avro import SchemaRefusedError
from schemas.codec import Codec
from schemas.contracts import contract
from schemas.events import TicketEvent
from schemas.outcome import Malformed, Reason
from schemas.registry import LACKING_FOR_S, ConfluentRegistry, RegistryUnreachable
from tests.support.registries import MemoryRegistry

TICKET = TicketEvent(event_id="e-1", customer_id="c-1", occurred_at=1_767_225_600_123, kind="opened", ticket_id="T-1")
OURS = contract("cs.tickets").newest.published


def framed(schema_id: int, schema: dict[str, Any], fields: dict[str, Any]) -> bytes:
    stream = BytesIO(b"\x00" + schema_id.to_bytes(4, "big"))
    stream.seek(5)
    fastavro.schemaless_writer(stream, fastavro.parse_schema(schema), fields)
    return stream.getvalue()


def with_field(name: str, kind: Any, **more: Any) -> dict[str, Any]:
    """Our schema of tickets with one field replaced, or added at the front."""
    fields = [field for field in OURS["fields"] if field["name"] != name]
    return {**OURS, "fields": [{"name": name, "type": kind, **more}, *fields]}


def decode(schema: dict[str, Any], fields: dict[str, Any]) -> Any:
    registry = MemoryRegistry()
    schema_id = registry.register("anything", json.dumps(schema))
    return Codec(registry).decode("cs.tickets", framed(schema_id, schema, fields))


def test_a_record_is_written_with_the_id_of_its_registered_schema_and_registered_once() -> None:
    registry = MemoryRegistry()
    codec = Codec(registry, "confluent")
    first, second = codec.encode("cs.tickets", TICKET), codec.encode("cs.tickets", TICKET)
    assert first == second
    assert first[:5] == b"\x00\x00\x00\x00\x01"
    assert registry.subjects == {1: "cs.tickets-value"}
    assert json.loads(registry.schemas[1]) == OURS


def test_a_schema_is_asked_for_once() -> None:
    registry = MemoryRegistry()
    value = Codec(registry, "confluent").encode("cs.tickets", TICKET)
    codec = Codec(registry)
    assert [codec.decode("cs.tickets", value) for _ in range(3)] == [TICKET] * 3
    assert registry.asked == [1]


def test_another_writers_schema_is_resolved_to_ours() -> None:
    # A field more, fields left out, another order: what a Java service may have.
    schema = with_field("department", "string")
    schema["fields"] = [field for field in schema["fields"] if field["name"] not in ("channel", "agent_id")][::-1]
    assert decode(schema, msgspec.structs.asdict(TICKET) | {"department": "a"}) == TICKET


def test_times_in_other_units_are_not_taken_for_milliseconds() -> None:
    schema = with_field("occurred_at", {"type": "long", "logicalType": "timestamp-micros"})
    answer = decode(schema, msgspec.structs.asdict(TICKET) | {"occurred_at": 1_767_225_600_123_000})
    assert isinstance(answer, Malformed)
    assert answer.reason is Reason.BAD_TIME


def test_a_new_symbol_of_another_writer_is_an_unknown_enum() -> None:
    schema = with_field("kind", {"type": "enum", "name": "TicketKind", "symbols": ["merged", "opened"]})
    answer = decode(schema, msgspec.structs.asdict(TICKET) | {"kind": "merged"})
    assert isinstance(answer, Malformed)
    assert answer.reason is Reason.UNKNOWN_ENUM


def test_a_writers_schema_that_cannot_be_read_as_ours_is_an_unknown_schema() -> None:
    schema = {**OURS, "fields": [field for field in OURS["fields"] if field["name"] != "ticket_id"]}
    answer = decode(schema, msgspec.structs.asdict(TICKET))
    assert isinstance(answer, Malformed)
    assert answer.reason is Reason.UNKNOWN_SCHEMA
    assert "cs.tickets" in answer.message


@pytest.mark.parametrize(
    "dangerous",
    [{"type": "array", "items": "null"}, ["null", "TicketEvent"], {"type": "fixed", "name": "F", "size": 0}],
    ids=["values of no bytes", "recursive", "empty fixed"],
)
def test_a_dangerous_schema_from_the_registry_is_refused_and_asked_for_once(dangerous: Any) -> None:
    registry = MemoryRegistry()
    schema_id = registry.register("anything", json.dumps(with_field("bomb", dangerous)))
    codec = Codec(registry)
    answers = [
        codec.decode("cs.tickets", b"\x00" + schema_id.to_bytes(4, "big") + b"\xfe\xff\xff\xff\xff\x0f\x00") for _ in range(2)
    ]
    for answer in answers:
        assert isinstance(answer, Malformed)
        assert answer.reason is Reason.UNKNOWN_SCHEMA
        assert "TicketEvent" in answer.message
    assert registry.asked == [schema_id]


ENDLESS = b"\xfe" + b"\xff" * 8 + b"\x01"  # 2**63 - 1 as Avro writes it
BOOLEANS: dict[str, Any] = {"type": "record", "name": "Doubled0", "fields": [{"name": "a", "type": "boolean"}]}


def doubled(times: int) -> dict[str, Any]:
    """A record with two of a record with two of a record ..., each named once."""
    schema = BOOLEANS
    for number in range(1, times + 1):
        inner = [{"name": "a", "type": schema}, {"name": "b", "type": f"Doubled{number - 1}"}]
        schema = {"type": "record", "name": f"Doubled{number}", "fields": inner}
    return schema


@pytest.mark.timeout(20)
@pytest.mark.parametrize(
    ("passed_over", "body"),
    [
        ({"type": "array", "items": "boolean"}, ENDLESS),
        ({"type": "array", "items": "float"}, ENDLESS),
        ({"type": "array", "items": "double"}, ENDLESS),
        ({"type": "array", "items": {"type": "fixed", "name": "F", "size": 1}}, ENDLESS),
        ({"type": "array", "items": BOOLEANS}, ENDLESS),
        ({"type": "map", "values": "boolean"}, ENDLESS),
        ({"type": "fixed", "name": "F", "size": 2**31}, b"x"),
        ("string", ENDLESS),
        ("bytes", b"\x01"),
        (doubled(30), b""),
    ],
    ids=["booleans", "floats", "doubles", "fixed", "records", "map", "a long fixed", "a long text", "below zero", "2**30 fields"],
)
def test_a_field_that_we_pass_over_cannot_go_on_after_the_end_of_the_bytes(passed_over: Any, body: bytes) -> None:
    registry = MemoryRegistry()
    schema_id = registry.register("anything", json.dumps(with_field("bomb", passed_over)))
    answer = Codec(registry).decode("cs.tickets", b"\x00" + schema_id.to_bytes(4, "big") + body)
    assert answer == Malformed(Reason.UNDECODABLE, "the record is cut off")


def test_a_lacking_schema_is_malformed_and_may_be_there_later() -> None:
    registry = MemoryRegistry()
    codec = Codec(registry)
    value = framed(1, OURS, msgspec.structs.asdict(TICKET))
    assert codec.decode("cs.tickets", value) == Malformed(Reason.UNKNOWN_SCHEMA, "the registry has no schema 1")
    registry.register("late", json.dumps(OURS))
    assert codec.decode("cs.tickets", value) == TICKET


def test_a_registry_that_does_not_answer_is_raised_and_nothing_is_malformed() -> None:
    registry = MemoryRegistry()
    value = Codec(registry, "confluent").encode("cs.tickets", TICKET)
    registry.down = True
    codec = Codec(registry)
    with pytest.raises(RegistryUnreachable):
        codec.decode("cs.tickets", value)
    registry.down = False
    assert codec.decode("cs.tickets", value) == TICKET


def test_without_a_registry_its_framing_is_an_unknown_schema() -> None:
    answer = Codec().decode("cs.tickets", framed(1, OURS, msgspec.structs.asdict(TICKET)))
    assert isinstance(answer, Malformed)
    assert answer.reason is Reason.UNKNOWN_SCHEMA
    assert "no registry is configured" in answer.message


def test_the_registry_in_memory_serves_what_was_registered_in_it() -> None:
    registry = ConfluentRegistry({"url": "mock://"})
    codec = Codec(registry, "confluent")
    assert codec.decode("cs.tickets", codec.encode("cs.tickets", TICKET)) == TICKET
    assert registry.schema_by_id(4711) is None


class Answers(BaseHTTPRequestHandler):
    """Answers each path with what the test prepared; what is not prepared is a proxy's 404, which says nothing about schemas."""

    prepared: ClassVar[dict[str, tuple[int, Any]]] = {}
    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        self.asked.append(path)
        status, body = self.prepared.get(path, (404, "<html>no such page</html>"))
        self.send_response(status)
        self.end_headers()
        self.wfile.write((body if isinstance(body, str) else json.dumps(body)).encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name that the base class gives
        """Keep the test's output clean."""


@pytest.fixture
def address() -> Iterator[str]:
    Answers.prepared, Answers.asked = {}, []
    with HTTPServer(("127.0.0.1", 0), Answers) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def client(address: str, now_s: list[float] | None = None) -> ConfluentRegistry:
    clock = now_s or [0.0]
    return ConfluentRegistry({"url": address, "max.retries": 0, "timeout": 5}, now_s=lambda: clock[0])


def test_a_schema_comes_over_http_and_is_asked_for_once(address: str) -> None:
    Answers.prepared["/schemas/ids/7"] = (200, {"schema": json.dumps(OURS), "schemaType": "AVRO"})
    registry = client(address)
    assert [json.loads(registry.schema_by_id(7) or "") for _ in range(2)] == [OURS, OURS]
    assert Answers.asked == ["/schemas/ids/7"]


def test_the_registrys_word_that_it_lacks_a_schema_is_believed_for_a_minute(address: str) -> None:
    Answers.prepared["/schemas/ids/7"] = (404, {"error_code": 40403, "message": "Schema 7 not found"})
    now_s = [100.0]
    registry = client(address, now_s)
    assert [registry.schema_by_id(7), registry.schema_by_id(7)] == [None, None]
    assert len(Answers.asked) == 1
    now_s[0] += LACKING_FOR_S
    Answers.prepared["/schemas/ids/7"] = (200, {"schema": json.dumps(OURS)})
    assert registry.schema_by_id(7) is not None


@pytest.mark.parametrize(
    "answer",
    [
        (404, "<html>no such page</html>"),
        (404, {"error_code": 404, "message": "HTTP 404 Not Found"}),
        (401, {"error_code": 40101, "message": "Unauthorized"}),
        (500, {"error_code": 50001, "message": "Error in the backend data store"}),
        (503, "busy"),
        (200, "not JSON"),
    ],
    ids=["another server", "another path", "refused", "failed", "busy", "nonsense"],
)
def test_any_other_answer_is_no_answer(address: str, answer: tuple[int, Any]) -> None:
    Answers.prepared["/schemas/ids/7"] = answer
    with pytest.raises(RegistryUnreachable, match="schema 7 could not be asked for"):
        client(address).schema_by_id(7)


def test_an_address_where_nobody_listens_is_no_answer() -> None:
    with pytest.raises(RegistryUnreachable):
        client("http://127.0.0.1:1").schema_by_id(7)
    with pytest.raises(RegistryUnreachable, match=r"cs\.tickets-value could not be registered"):
        client("http://127.0.0.1:1").register("cs.tickets-value", "{}")


@pytest.mark.parametrize(
    ("extra", "said"),
    [
        ({"schemaType": "PROTOBUF"}, "of type PROTOBUF"),
        ({"references": [{"name": "a", "subject": "a", "version": 1}]}, "refers to other schemas"),
    ],
)
def test_a_schema_that_is_no_single_avro_schema_is_refused(address: str, extra: dict[str, Any], said: str) -> None:
    Answers.prepared["/schemas/ids/7"] = (200, {"schema": json.dumps(OURS), **extra})
    registry = client(address)
    with pytest.raises(SchemaRefusedError, match=said):
        registry.schema_by_id(7)
    answer = Codec(registry).decode("cs.tickets", b"\x00\x00\x00\x00\x07")
    assert isinstance(answer, Malformed)
    assert answer.reason is Reason.UNKNOWN_SCHEMA
