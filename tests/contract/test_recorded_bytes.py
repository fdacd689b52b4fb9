"""Bytes of every published version, as they were written then, are read today as the records they were."""

import json

import pytest

from schemas.codec import Codec
from schemas.contracts import contracts
from schemas.jsonvalues import value_from_json, value_to_json
from schemas.outcome import Malformed
from tests.contract.record import RECORDED, recording

VERSIONS = [(topic, number) for topic, contract in contracts().items() for number, _ in enumerate(contract.versions, start=1)]


def test_every_published_version_has_a_recording_and_every_recording_its_version() -> None:
    assert sorted(RECORDED.glob("*.jsonl")) == sorted(recording(topic, number) for topic, number in VERSIONS)


@pytest.mark.parametrize(("topic", "number"), VERSIONS)
def test_recorded_bytes_decode_to_the_recorded_values(topic: str, number: int) -> None:
    lines = [json.loads(line) for line in recording(topic, number).read_text(encoding="utf-8").splitlines()]
    assert len(lines) >= 2
    for line in lines:
        payload = bytes.fromhex(line["hex"])
        assert payload.startswith(contracts()[topic].versions[number - 1].header)
        record = Codec().decode(topic, payload)
        assert not isinstance(record, Malformed), record
        assert record == value_from_json(topic, line["value"])
        if number == len(contracts()[topic].versions):
            assert value_to_json(topic, record) == line["value"]
