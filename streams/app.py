"""The whole topology on one page.

    cs.tickets  cs.usage  cs.surveys  cs.accounts  cs.ticks      keyed by customer, N partitions each
        └───────────┴─────────┴───────────┴───────────┘
                       agent `customers` ─► the task of partition p (`streams.task`)
                                             one transaction: tables `customers` and `totals`, all outputs, the offsets
                                                                     │
    cs.fleet-partials   what each partition counts   ◄───────────────┘      1 partition
                       agent `fleet` ─► the fleet's task, on one of the workers
                                             one transaction: table `fleet`, all outputs about the fleet, the offset

Faust joins the group and decides which worker has which partitions; everything about the records is the tasks'.
"""

import faust
from faust.types import StreamT
from mode.supervisors import CrashingSupervisor

from streams import shell
from streams.partials import PARTIALS_TOPIC
from streams.security import faust_security
from streams.settings import Settings
from streams.topics import INPUT_TOPICS

S_IN_MS = 1000


def make_app(settings: Settings, tasks: shell.Tasks) -> shell.ShellApp:
    """The Faust app of one worker."""
    shell.install()
    app = shell.ShellApp(
        settings.app_id,
        broker=[f"{shell.TRANSPORT_SCHEME}://{server}" for server in settings.bootstrap_servers.split(",")],
        broker_credentials=faust_security(settings),
        store=f"{shell.STORE_SCHEME}://",
        TableManager=shell.ShellTableManager,
        PartitionAssignor=shell.QuietAssignor,
        agent_supervisor=CrashingSupervisor,  # a restarted agent would skip what it failed on
        broker_session_timeout=settings.session_timeout_ms / S_IN_MS,
        broker_heartbeat_interval=settings.heartbeat_interval_ms / S_IN_MS,
        consumer_group_instance_id=settings.group_instance_id,
        broker_request_timeout=max(90.0, settings.session_timeout_ms / S_IN_MS),
        consumer_auto_offset_reset="earliest",
        topic_partitions=settings.partitions,
        topic_allow_declare=False,  # topics are made by `cspulse topics apply`, with their settings
        topic_disable_leader=True,
        table_standby_replicas=0,
        web_enabled=False,
        web_tables_enabled=False,
        stream_wait_empty=False,
    )
    app.tasks = tasks

    carriers = app.topic(*INPUT_TOPICS, schema=shell.CarrierSchema(), partitions=settings.partitions, acks=False)
    raw = faust.Schema(key_type=bytes, value_type=bytes, key_serializer="raw", value_serializer="raw")
    for table in ("customers", "totals"):
        app.Table(table, partitions=settings.partitions, schema=raw)
    partials = app.topic(PARTIALS_TOPIC, schema=shell.CarrierSchema(), partitions=1, acks=False)
    app.Table("fleet", partitions=1, schema=raw)

    @app.agent(carriers, name="customers")
    async def customers(stream: StreamT[shell.Carrier]) -> None:
        """Hand each batch to the task of its partition."""
        async for carrier in stream:
            tasks.hand_over(carrier)

    @app.agent(partials, name="fleet")
    async def fleet(stream: StreamT[shell.Carrier]) -> None:
        """Hand each batch to the fleet's task."""
        async for carrier in stream:
            tasks.hand_over(carrier)

    @app.on_partitions_revoked.connect
    async def revoked(_app: faust.App, _revoked: object, **_kwargs: object) -> None:
        await tasks.revoked()

    return app
