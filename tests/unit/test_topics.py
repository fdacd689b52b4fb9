"""The catalogue of topics, and which partition a key belongs to."""

import pytest

from schemas.contracts import contracts
from streams.topics import (
    ALLOWED_SKEW_MS,
    INPUT_TOPICS,
    MAX_RECORD_BYTES,
    TOPICS,
    TopicSpec,
    changelog_topics,
    partition_of,
    specs,
)

DAY_MS = 86_400_000


def java_murmur2(key: bytes) -> int:
    """Kafka's `Utils.murmur2`, as a signed number of 32 bits, from its published algorithm."""
    mixer, mask = 0x5BD1E995, 0xFFFFFFFF
    state = 0x9747B28C ^ len(key)
    whole = len(key) // 4 * 4
    for at in range(0, whole, 4):
        part = int.from_bytes(key[at : at + 4], "little") * mixer & mask
        part = (part ^ part >> 24) * mixer & mask
        state = state * mixer & mask ^ part
    if key[whole:]:
        state = (state ^ int.from_bytes(key[whole:], "little")) * mixer & mask
    state = (state ^ state >> 13) * mixer & mask
    state ^= state >> 15
    return state - 2**32 if state >= 2**31 else state


# From the tests of Kafka's Java client (UtilsTest.testMurmur2).
JAVA_VECTORS = {
    b"21": -973932308,
    b"foobar": -790332482,
    b"a-little-bit-long-string": -985981536,
    b"a-little-bit-longer-string": -1486304829,
    b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971,
    b"abc": 479470107,
}


@pytest.mark.parametrize(("key", "hashed"), JAVA_VECTORS.items())
def test_the_partition_of_a_key_is_that_of_the_java_client(key: bytes, hashed: int) -> None:
    assert java_murmur2(key) == hashed
    for partitions in (1, 4, 12, 512, 2**31 - 1):
        assert partition_of(key, partitions) == (hashed & 0x7FFFFFFF) % partitions


def test_the_partition_of_keys_of_every_length_is_that_of_the_published_algorithm() -> None:
    for length in range(40):
        key = bytes((length * 37 + place * 101) % 256 for place in range(length))
        assert partition_of(key, 64) == (java_murmur2(key) & 0x7FFFFFFF) % 64


def by_name() -> dict[str, TopicSpec]:
    return {spec.name: spec for spec in specs("app", 8)}


def test_every_contract_has_its_topic_and_every_topic_its_contract() -> None:
    assert {name: spec.record for name, spec in TOPICS.items()} == {
        name: contract.record for name, contract in contracts().items()
    }


def test_the_inputs_and_the_changelogs_have_the_same_partitions() -> None:
    customers, totals = changelog_topics("app")
    assert (customers, totals) == ("app-customers-changelog", "app-totals-changelog")
    assert {by_name()[name].partitions for name in (*INPUT_TOPICS, customers, totals)} == {8}


def test_what_is_said_of_the_whole_fleet_and_of_the_definitions_has_one_partition() -> None:
    single = {name for name, spec in by_name().items() if spec.partitions == 1}
    of_the_fleet = {"cs.fleet-snapshots", "cs.fleet-alerts", "cs.touchpoint-maps", "cs.owner-lists", "cs.maturity"}
    assert single == {"cs.fleet-partials", "cs.definitions", "app-fleet-changelog"} | of_the_fleet


def test_inputs_are_kept_400_days_under_the_producers_timestamps_and_not_from_the_future() -> None:
    for name in INPUT_TOPICS:
        config = by_name()[name].config()
        assert config["cleanup.policy"] == "delete"
        assert int(config["retention.ms"]) == 400 * DAY_MS
        assert config["message.timestamp.type"] == "CreateTime"
        assert config["message.timestamp.after.max.ms"] == str(ALLOWED_SKEW_MS) == "600000"


def test_what_is_compacted_never_expires() -> None:
    compacted = {name: spec.config() for name, spec in by_name().items() if spec.cleanup == "compact"}
    assert sorted(compacted) == [
        *("app-customers-changelog", "app-fleet-changelog", "app-totals-changelog"),
        *("cs.customer-snapshots", "cs.definitions", "cs.deliveries", "cs.fleet-partials"),
    ]
    assert {config["retention.ms"] for config in compacted.values()} == {"-1"}


def test_every_topic_takes_records_of_2_mb_and_its_settings_are_texts() -> None:
    assert MAX_RECORD_BYTES == 2_097_152
    for spec in by_name().values():
        config = spec.config()
        assert config["max.message.bytes"] == "2097152"
        assert {type(text) for item in config.items() for text in item} == {str}


def test_a_topic_of_customers_is_keyed_by_customer_and_ticks_by_partition() -> None:
    keys = {name: spec.key for name, spec in TOPICS.items()}
    assert {keys[name] for name in INPUT_TOPICS[:4]} == {"customer_id"}
    assert keys["cs.ticks"] == "partition"
    assert keys["cs.dead-letters"] == "dead letter id"
