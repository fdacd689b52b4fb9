"""The figures of a finished demo, each traced to where it comes from, and whether they balance."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
from msgspec import Struct

from processors.totals import Family
from schemas.times import format_time
from streams.demo.foresight import Foresight
from streams.demo.proofs import Proof
from streams.demo.ranking import AtRisk, Standing
from streams.ticks import TICKS_TOPIC

TOPIC_OF_FAMILY: Final[Mapping[Family, str]] = {
    "tickets": "cs.tickets",
    "usage": "cs.usage",
    "surveys": "cs.surveys",
    "accounts": "cs.accounts",
}


class TopicFlow(Struct, frozen=True, kw_only=True):
    """What became of the records of one topic: `published` were acknowledged by the broker, all else is what the outputs say."""

    published: int
    accepted: int
    dead_letters: dict[str, int]

    @property
    def duplicates(self) -> int:
        """What is neither accepted nor a dead letter. The pipeline counts its duplicates itself, over all topics: see `Flow`."""
        return self.published - self.accepted - sum(self.dead_letters.values())


class Flow(Struct, frozen=True, kw_only=True):
    """What became of all events, by topic, and `duplicates_counted` by the pipeline, which must be what is left over."""

    topics: dict[str, TopicFlow]
    duplicates_counted: int

    @property
    def published(self) -> int:
        """Events in all."""
        return sum(topic.published for topic in self.topics.values())

    @property
    def accepted(self) -> int:
        """Events that were counted."""
        return sum(topic.accepted for topic in self.topics.values())

    @property
    def dead_letters(self) -> int:
        """Records that could not be processed."""
        return sum(sum(topic.dead_letters.values()) for topic in self.topics.values())

    @property
    def unaccounted(self) -> int:
        """Events of which nobody can say what became of them; 0 when everything balances."""
        return self.published - self.accepted - self.duplicates_counted - self.dead_letters


def flow_of(
    published: Mapping[str, int], accepted: Mapping[str, int], letters: Mapping[tuple[str, str], int], duplicates: int
) -> Flow:
    """The flow of events, from records by topic, accepted events by family, and dead letters by topic and reason."""
    topics = {}
    for family, topic in TOPIC_OF_FAMILY.items():
        reasons = {reason: count for (of, reason), count in sorted(letters.items()) if of == topic}
        topics[topic] = TopicFlow(published=published.get(topic, 0), accepted=accepted.get(family, 0), dead_letters=reasons)
    return Flow(topics=topics, duplicates_counted=duplicates)


class RuleCounts(Struct, frozen=True, kw_only=True):
    """The episodes of one rule. `open` is what the pipeline's own gauge says; it must be opened - resolved."""

    opened: int
    updated: int
    resolved: int
    open: int


def rule_counts(states: Mapping[tuple[str, str], int], open_now: Mapping[str, int]) -> dict[str, RuleCounts]:
    """Episodes by rule, from alert records by rule and state, and the gauge of open ones."""
    rules = sorted({rule for rule, _ in states} | set(open_now))
    return {
        rule: RuleCounts(
            opened=states.get((rule, "opened"), 0),
            updated=states.get((rule, "updated"), 0),
            resolved=states.get((rule, "resolved"), 0) + states.get((rule, "retracted"), 0),
            open=open_now.get(rule, 0),
        )
        for rule in rules
    }


class Summary(Struct, frozen=True, kw_only=True):
    """All that is told at the end. Times are epoch milliseconds.

    `cut_short` says why the story ended early, None when it did not. `fullest_*` is about the embedded broker's bounds.
    """

    notes: Sequence[str]
    customers: int
    from_ms: int
    until_ms: int
    cut_short: str | None
    took_s: float
    processing_s: float
    flow: Flow
    ticks: int
    ticks_consumed: int
    outputs: dict[str, int]
    rules: dict[str, RuleCounts]
    standing: Standing
    at_risk: list[AtRisk]
    foresight: Foresight
    proofs: list[Proof]
    fullest_place: str
    fullest_share: float

    @property
    def events_per_s(self) -> float:
        """Events, from the first that was sent to the last whose outcome was committed."""
        return self.flow.published / self.processing_s if self.processing_s else 0.0

    @property
    def is_sound(self) -> bool:
        """Whether everything balances and every proof holds."""
        return not any(proof.flaws for proof in self.proofs)


def checks_of(
    flow: Flow, ticks: int, ticks_consumed: int, rules: Mapping[str, RuleCounts], bands: Mapping[str, int], newest: Counter[str]
) -> list[Proof]:
    """The balances: figures that come from different topics and must be the same. `newest` counts bands by the newest changes."""
    events = Proof(claim="published = accepted + duplicates + dead letters, and each tick was read once")
    events.hold(flow.unaccounted == 0, f"{flow.unaccounted} events are unaccounted for")
    events.hold(ticks == ticks_consumed, f"{ticks} ticks were written and {ticks_consumed} were read")
    for topic, of_topic in flow.topics.items():
        events.hold(of_topic.duplicates >= 0, f"{topic}: more came out than went in")
    alerts = Proof(claim="opened - resolved = open, by the alerts and by the fleet's own count")
    for rule, counts in rules.items():
        alerts.hold(
            counts.opened - counts.resolved == counts.open, f"{rule}: {counts.opened - counts.resolved} and {counts.open}"
        )
    bands_agree = Proof(
        claim="customers by band, without leads, trials and who has left: the newest changes say the same as the fleet"
    )
    for band in sorted(set(bands) | set(newest)):
        bands_agree.hold(bands.get(band, 0) == newest[band], f"{band}: {newest[band]} and {bands.get(band, 0)}")
    return [events, alerts, bands_agree]


def to_json(summary: Summary) -> dict[str, Any]:
    """The summary as JSON values, times in RFC 3339."""
    flow, ahead = summary.flow, summary.foresight
    return {
        "notes": list(summary.notes),
        "customers": summary.customers,
        "from": format_time(summary.from_ms),
        "until": format_time(summary.until_ms),
        "cut_short": summary.cut_short,
        "took_s": round(summary.took_s, 1),
        "events_per_s": round(summary.events_per_s),
        "events": {
            "published": flow.published,
            "accepted": flow.accepted,
            "duplicates": flow.duplicates_counted,
            "dead_letters": flow.dead_letters,
            "unaccounted": flow.unaccounted,
            "by_topic": {
                topic: {
                    "published": one.published,
                    "accepted": one.accepted,
                    "duplicates": one.duplicates,
                    "dead_letters": one.dead_letters,
                }
                for topic, one in flow.topics.items()
            },
        },
        "ticks": {"topic": TICKS_TOPIC, "published": summary.ticks, "consumed": summary.ticks_consumed},
        "outputs": summary.outputs,
        "alerts": {rule: msgspec.to_builtins(counts) for rule, counts in summary.rules.items()},
        "customers_by_band": msgspec.to_builtins(summary.standing),
        "most_at_risk": msgspec.to_builtins(summary.at_risk),
        "foresight": {**msgspec.to_builtins(ahead), "lift": ahead.lift},
        "proofs": [msgspec.to_builtins(proof) for proof in summary.proofs],
        "fullest_partition": {"partition": summary.fullest_place, "share_of_bound": round(summary.fullest_share, 3)},
        "sound": summary.is_sound,
    }
