"""What delivery would send now, and where: everything is judged as when it is sent, nothing is called and nothing is noted."""

from collections.abc import Callable, Mapping, Sequence

from processors.definitions import Definitions, parse
from schemas.records import DeliveryFailure, DeliveryMark
from sinks.calling import Answer
from sinks.delivery import DeliverySink
from sinks.delivery_log import Edges
from sinks.messages import Message
from sinks.notices import TOPICS
from sinks.sink import Batch, Place
from sinks.sink_metrics import SinkMetrics
from streams.cluster import Cluster, client_config, reach
from streams.codecs import codec_of
from streams.definitions_log import newest_definitions
from streams.delivery_log import KafkaDeliveryLog
from streams.delivery_terms import Line, lines
from streams.settings import Settings

Show = Callable[[str, Message], None]
"""Takes the name of a destination and what it would be sent."""

_NO_ADDRESS = "https://not-called.invalid"
_NO_SECRET = "whsec_bm90IGEgc2VjcmV0OiBub3RoaW5nIGlzIHNlbnQ="  # noqa: S105 - signs what is only shown


class _ReadOnlyLog(KafkaDeliveryLog):
    """Knows what was delivered, and notes nothing."""

    def note(self, marks: Sequence[DeliveryMark], failures: Sequence[DeliveryFailure] = ()) -> None:
        """Nothing."""

    def forget(self, marks: Sequence[DeliveryMark]) -> None:
        """Nothing."""


class _Showing:
    """Shows instead of calling."""

    def __init__(self, name: str, show: Show) -> None:
        self._name = name
        self._show = show

    def call(self, message: Message, headers: Mapping[str, str]) -> Answer:
        """Show what would be sent."""
        del headers
        self._show(self._name, message)
        return Answer("taken", 200, "shown")

    def close(self) -> None:
        """There is nothing to let go of."""


def dry_run(settings: Settings, environment: Mapping[str, str], only: Sequence[str], show: Show) -> int:
    """Show everything that is to be sent, up to the end of the topics; returns how many messages.

    By the definitions file of the settings if there is one, else by the newest in the log. Variables that are not set are no
    mistake. Raises SettingsError, DefinitionsError, BrokerUnreachable, LogUnavailable, Unavailable.
    """
    definitions = _definitions(settings)
    found, _ = lines(definitions, _filled(definitions, environment), settings.app_id, only)
    cluster = reach(client_config(settings))
    shown = 0

    def count(name: str, message: Message) -> None:
        nonlocal shown
        shown += 1
        show(name, message)

    for line in found:
        _deliver(settings, cluster, line, count)
    return shown


def _definitions(settings: Settings) -> Definitions:
    if settings.definitions is not None:
        return parse(settings.definitions.read_text(encoding="utf-8"))
    return newest_definitions(client_config(settings), codec_of(settings))[1]


def _deliver(settings: Settings, cluster: Cluster, line: Line, show: Show) -> None:
    log = _ReadOnlyLog(cluster.config, codec_of(settings), line.terms.name)
    sink = DeliverySink(line.terms, _Showing(line.terms.name, show), log, SinkMetrics())
    places = [Place(topic, partition) for topic in TOPICS for partition in range(cluster.partitions(topic))]
    try:
        for place, position in sink.assigned(places).items():
            for record in list(log.records(place, Edges(position, log.end(place)))):
                sink.write([Batch(place, record.offset, record.offset + 1, [record])])
    finally:
        sink.close()


def _filled(definitions: Definitions, environment: Mapping[str, str]) -> dict[str, str]:
    """The environment, with something for every variable that is not set."""
    filled = {}
    for destination in definitions.delivery.destinations.values():
        filled[destination.url_variable] = _NO_ADDRESS
        if destination.secret_variable:
            filled[destination.secret_variable] = _NO_SECRET
    return {**filled, **{name: value for name, value in environment.items() if value.strip()}}
