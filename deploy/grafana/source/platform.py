"""Are the services, RabbitMQ and PostgreSQL healthy?"""

from deploy.grafana.source.layout import Page, Row, choice
from deploy.grafana.source.panels import (
    BYTES,
    COUNT,
    PER_MINUTE,
    PER_SECOND,
    PROMETHEUS,
    SECONDS,
    SHARE,
    Limits,
    Query,
    graph,
    number,
)
from deploy.grafana.source.promql import per_minute, per_second, quantile

ONE_IS_BAD = Limits(red=1)
OURS = "and on (job, instance) orchestrator_ready"
BASES = '{datname=~"$datname"}'


SERVICES = [
    graph(
        "Ready",
        "1 while all readiness checks of a replica pass.",
        COUNT,
        Query("min by (job, instance) (orchestrator_ready)", "{{job}} {{instance}}"),
    ),
    graph(
        "CPU",
        "Cores in use by each replica of our services.",
        COUNT,
        Query(
            f"sum by (job, instance) (rate(process_cpu_seconds_total[$__rate_interval]) {OURS})",
            "{{job}} {{instance}}",
        ),
    ),
    graph(
        "Memory",
        "Resident memory of each replica of our services, without the programs that a runner starts.",
        BYTES,
        Query(f"sum by (job, instance) (process_resident_memory_bytes {OURS})", "{{job}} {{instance}}"),
    ),
    graph(
        "Connections to PostgreSQL",
        "Connections in the pools of our services, idle or in use.",
        COUNT,
        Query("sum by (job, state) (orchestrator_database_connections)", "{{job}} {{state}}"),
        stacked=True,
    ),
    graph(
        "Wait for a connection (95 %)",
        "How long work waited for a connection of its pool. Rises when ORCHESTRATOR_DATABASE_POOL_MAX is too small.",
        SECONDS,
        Query(quantile(0.95, "orchestrator_database_acquire_seconds", "job"), "{{job}}"),
        limits=Limits(orange=0.5),
    ),
    graph(
        "Background tasks that died, connections refused",
        "Neither should happen: tasks that should run as long as the service, and connections over a limit.",
        PER_MINUTE,
        Query(per_minute("orchestrator_tasks_died_total", "job"), "{{job}}: task died"),
        Query(per_minute("orchestrator_http_connections_refused_total", "limit"), "refused: {{limit}}"),
        Query(per_minute("orchestrator_http_connections_cut_off_total", "what"), "cut off: {{what}}"),
    ),
]


MESSAGES = [
    graph(
        "Messages consumed",
        "Deliveries by outcome. Failed ones are delivered again.",
        PER_SECOND,
        Query(
            per_second("orchestrator_messages_consumed_total", "queue", "outcome"),
            "{{queue}}: {{outcome}}",
        ),
        stacked=True,
    ),
    graph(
        "Messages published",
        "Handed to RabbitMQ, by its answer.",
        PER_SECOND,
        Query(
            per_second("orchestrator_messages_published_total", "exchange", "outcome"),
            "{{exchange}}: {{outcome}}",
        ),
        stacked=True,
    ),
    graph(
        "Age of messages when their handler begins (95 %)",
        "How far each consumer is behind.",
        SECONDS,
        Query(quantile(0.95, "orchestrator_message_lag_seconds", "queue"), "{{queue}}"),
        limits=Limits(orange=10, red=60),
    ),
    graph(
        "Time in a handler (95 %)",
        "One message is one short transaction.",
        SECONDS,
        Query(quantile(0.95, "orchestrator_handler_seconds", "queue"), "{{queue}}"),
        limits=Limits(orange=1),
    ),
    graph(
        "Unsent messages",
        "Committed messages that RabbitMQ has not confirmed yet, by the service's schema.",
        COUNT,
        Query("max by (schema) (orchestrator_outbox_rows)", "{{schema}}"),
        limits=Limits(orange=100),
    ),
    graph(
        "From publishing to RabbitMQ's answer (95 %)",
        "Rises when RabbitMQ's disks are slow, or its queues wait for a node.",
        SECONDS,
        Query(quantile(0.95, "orchestrator_message_publish_seconds", "job"), "{{job}}"),
        limits=Limits(orange=1),
    ),
    graph(
        "Failed tries per minute",
        "Handlers by fault (a server of ours is down, the message, unknown), steps of the outbox, dead letters.",
        PER_MINUTE,
        Query(per_minute("orchestrator_message_handler_failures_total", "fault"), "handler: {{fault}}"),
        Query(per_minute("orchestrator_outbox_relay_failures_total", "step"), "outbox: {{step}}"),
        Query(per_minute("orchestrator_messages_dead_lettered_total", "reason"), "dead-lettered: {{reason}}"),
        width=12,
    ),
    graph(
        "Consumers paused, connections lost or blocked",
        "Consumers that wait for a server to come back; connections to RabbitMQ that are down, or that it blocks.",
        COUNT,
        Query("sum(orchestrator_consumer_paused)", "consumers paused"),
        Query("sum(1 - orchestrator_broker_connected)", "connections down"),
        Query("sum(orchestrator_broker_blocked)", "connections blocked"),
        limits=ONE_IS_BAD,
        width=12,
    ),
]


RABBITMQ = [
    number(
        "Alarms",
        "RabbitMQ accepts no messages while one of its alarms (memory, disk) is on.",
        COUNT,
        Query("sum(rabbitmq_alarms_memory_used_watermark) + sum(rabbitmq_alarms_free_disk_space_watermark)"),
        limits=ONE_IS_BAD,
        width=6,
    ),
    number(
        "Memory in use",
        "Share of the memory at which RabbitMQ stops accepting messages, on the node that is worst off.",
        SHARE,
        Query("max(rabbitmq_process_resident_memory_bytes / rabbitmq_resident_memory_limit_bytes)"),
        limits=Limits(orange=0.7, red=0.9),
        width=6,
    ),
    number(
        "Disk left above the limit",
        "Free disk minus the limit below which RabbitMQ stops accepting messages, on the node that is worst off.",
        BYTES,
        Query("min(rabbitmq_disk_space_available_bytes - rabbitmq_disk_space_available_limit_bytes)"),
        limits=Limits(orange=5e9, red=1e9, low=True),
        width=6,
    ),
    number(
        "Nodes",
        "Nodes of RabbitMQ that Prometheus can reach.",
        COUNT,
        Query("count(rabbitmq_build_info)"),
        width=6,
    ),
    graph(
        "Messages in queues",
        "Ready and unacknowledged messages by queue; they should be few and gone within seconds.",
        COUNT,
        Query("max by (queue) (rabbitmq_detailed_queue_messages)", "{{queue}}"),
        limits=Limits(orange=1000),
    ),
    graph(
        "Consumers by queue",
        "A queue of ours without a consumer belongs to a service that is down. Dead letters have none.",
        COUNT,
        Query("max by (queue) (rabbitmq_detailed_queue_consumers)", "{{queue}}"),
    ),
    graph(
        "Messages through RabbitMQ",
        "Received from publishers, and delivered to consumers.",
        PER_SECOND,
        Query(per_second("rabbitmq_global_messages_received_total"), "received"),
        Query(per_second("rabbitmq_global_messages_delivered_total"), "delivered"),
    ),
    graph(
        "Messages redelivered or without a queue",
        "Redelivered: a consumer went away with them. Without a queue: the topology is incomplete.",
        PER_MINUTE,
        Query(per_minute("rabbitmq_global_messages_redelivered_total"), "redelivered"),
        Query(per_minute("rabbitmq_global_messages_unroutable_dropped_total"), "dropped"),
        Query(per_minute("rabbitmq_global_messages_unroutable_returned_total"), "returned"),
    ),
    graph(
        "Connections and channels",
        "Every service keeps a connection or two; producers of table updates have their own.",
        COUNT,
        Query("sum(rabbitmq_connections)", "connections"),
        Query("sum(rabbitmq_channels)", "channels"),
    ),
    graph(
        "Connections opened and closed per minute",
        "Many of both are a client that connects again and again.",
        PER_MINUTE,
        Query(per_minute("rabbitmq_connections_opened_total"), "opened"),
        Query(per_minute("rabbitmq_connections_closed_total"), "closed"),
    ),
]


POSTGRESQL = [
    number(
        "PostgreSQL up",
        "1 while the exporter reaches the server.",
        COUNT,
        Query("min(pg_up)"),
        limits=Limits(red=1, low=True),
        width=6,
    ),
    number(
        "Connections in use",
        "Share of max_connections, on the server that is worst off.",
        SHARE,
        Query(
            "max(sum by (instance) (pg_stat_activity_count) / on (instance) max by (instance) (pg_settings_max_connections))"
        ),
        limits=Limits(orange=0.7, red=0.9),
        width=6,
    ),
    number(
        "Size",
        "Size of the databases chosen above.",
        BYTES,
        Query(f"sum(max by (datname) (pg_database_size_bytes{BASES}))"),
        width=6,
    ),
    number(
        "Found in memory",
        "Share of blocks that PostgreSQL found in its own memory. Below 95 % for long: raise shared_buffers.",
        SHARE,
        Query(
            f"sum(rate(pg_stat_database_blks_hit{BASES}[$__rate_interval])) / "
            f"(sum(rate(pg_stat_database_blks_hit{BASES}[$__rate_interval]))"
            f" + sum(rate(pg_stat_database_blks_read{BASES}[$__rate_interval])))"
        ),
        limits=Limits(orange=0.95, red=0.8, low=True),
        width=6,
    ),
    graph(
        "Connections by state",
        "Connections that stay idle in a transaction hold back cleaning.",
        COUNT,
        Query(f"sum by (state) (pg_stat_activity_count{BASES})", "{{state}}"),
        stacked=True,
    ),
    graph(
        "Transactions",
        "Committed and rolled back.",
        PER_SECOND,
        Query(per_second(f"pg_stat_database_xact_commit{BASES}"), "committed"),
        Query(per_second(f"pg_stat_database_xact_rollback{BASES}"), "rolled back"),
    ),
    graph(
        "Rows written",
        "Inserted, updated and deleted.",
        PER_SECOND,
        Query(per_second(f"pg_stat_database_tup_inserted{BASES}"), "inserted"),
        Query(per_second(f"pg_stat_database_tup_updated{BASES}"), "updated"),
        Query(per_second(f"pg_stat_database_tup_deleted{BASES}"), "deleted"),
    ),
    graph(
        "Longest transaction",
        "Age of the oldest open transaction. Our services have none longer than seconds, backups apart.",
        SECONDS,
        Query(f"max by (datname) (pg_stat_activity_max_tx_duration{BASES})", "{{datname}}"),
        limits=Limits(orange=60, red=600),
    ),
    graph(
        "Locks",
        "By mode; many of them at once are transactions that wait for each other.",
        COUNT,
        Query(f"sum by (mode) (pg_locks_count{BASES})", "{{mode}}"),
        stacked=True,
    ),
    graph(
        "Deadlocks and temporary files",
        "Deadlocks per minute, and temporary files, which queries write when work_mem is too small.",
        PER_MINUTE,
        Query(per_minute(f"pg_stat_database_deadlocks{BASES}"), "deadlocks"),
        Query(per_minute(f"pg_stat_database_temp_files{BASES}"), "temporary files"),
    ),
]

PAGE = Page(
    uid="orchestrator-platform",
    title="Orchestrator: platform",
    description="Are the services, RabbitMQ and PostgreSQL healthy? Needs rabbitmq_prometheus and postgres_exporter.",
    variables=[
        choice(
            "datname",
            "Database",
            PROMETHEUS,
            {
                "query": 'label_values(pg_database_size_bytes{datname!~"template.*"}, datname)',
                "refId": "StandardVariableQuery",
            },
            every=True,
        )
    ],
    rows=[
        Row("Services", SERVICES),
        Row("Messages", MESSAGES),
        Row("RabbitMQ", RABBITMQ),
        Row("PostgreSQL", POSTGRESQL),
    ],
)
