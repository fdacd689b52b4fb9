"""The AsyncAPI document: valid by the specification, complete, and what the code says."""

from typing import Any

import pytest
from jsonschema import Draft7Validator
from typer.testing import CliRunner

from schemas.contracts import contracts
from streams.asyncapi import as_json, asyncapi
from streams.cli import app
from streams.topics import TOPICS
from tests.support.asyncapi_schema import asyncapi_schema


def faults(document: dict[str, Any]) -> list[str]:
    return [f"{error.json_path}: {error.message[:200]}" for error in Draft7Validator(asyncapi_schema()).iter_errors(document)]


def test_the_document_is_valid_by_the_specification_s_own_schema() -> None:
    assert faults(asyncapi()) == []


@pytest.mark.parametrize(
    ("place", "wrong"),
    [
        ("channels", {"cs.tickets": {"adress": "cs.tickets"}}),
        ("operations", {"receive": {"action": "listen"}}),
        ("asyncapi", "2.6.0"),
    ],
)
def test_the_schema_refuses_what_is_wrong(place: str, wrong: object) -> None:
    assert faults({**asyncapi(), place: wrong})


def test_every_topic_is_there_with_its_settings_and_its_newest_schema() -> None:
    document = asyncapi()
    assert set(document["channels"]) == set(TOPICS)
    for name, spec in TOPICS.items():
        channel = document["channels"][name]
        settings = channel["bindings"]["kafka"]["topicConfiguration"]
        assert {key: str(value) for key, value in settings.items()} == {
            **spec.config(),
            "cleanup.policy": str([spec.cleanup]),
        }
        (message,) = channel["messages"]
        payload = document["components"]["messages"][message]["payload"]
        assert payload["schema"] == contracts()[name].newest.published


def test_inputs_are_received_and_outputs_are_sent() -> None:
    operations = asyncapi()["operations"]
    assert operations["receive cs.tickets"]["action"] == "receive"
    assert operations["send cs.churn-alerts"]["action"] == "send"
    assert "send cs.tickets" not in operations


def test_the_command_prints_the_document() -> None:
    result = CliRunner().invoke(app, ["topics", "asyncapi"])
    assert result.exit_code == 0
    assert result.stdout == as_json(asyncapi())
