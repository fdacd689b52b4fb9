"""The dashboard of operations: rate, errors, duration, lag, restore, state, and the sinks."""

from grafana_foundation_sdk.models import dashboard as models

from deploy.generate import sinks
from deploy.generate.panels import BAD, DOUBTFUL, GOOD, JOB, Query, Row, bars, graph, number, page, quantile


def dashboard() -> models.Dashboard:
    """The whole page."""
    rows = (_now(), _rate(), _errors(), _duration(), _lag(), _state(), sinks.row())
    return page("cspulse-operations", "Operations", "How the pipeline runs, and the sinks behind it.", "now-1h", rows)


def _now() -> Row:
    running = f'sum by (job) (cspulse_task_phase{{{JOB}, phase="running", partition!="fleet"}})'
    return Row(
        "Now",
        (
            number("Workers", "Workers that are scraped.", "short", f"count by (job) (cspulse_build_info{{{JOB}}})"),
            number(
                "Partitions running",
                "Of all partitions, those whose task reads.",
                "percentunit",
                f"{running} / max by (job) (cspulse_partitions{{{JOB}}})",
                steps=((None, BAD), (1, GOOD)),
            ),
            number(
                "Fleet's task",
                "1: it runs on one worker.",
                "short",
                f'sum by (job) (cspulse_task_phase{{{JOB}, phase="running", partition="fleet"}})',
                steps=((None, BAD), (1, GOOD)),
            ),
            number(
                "Records / s", "Consumed and committed.", "short", f"sum by (job) (job:cspulse_records_consumed:rate5m{{{JOB}}})"
            ),
            number(
                "Latency, p99",
                "From a record's timestamp to the commit of what came of it.",
                "s",
                f"job:cspulse_end_to_end_latency_seconds:p99_5m{{{JOB}}}",
                steps=((None, GOOD), (5, DOUBTFUL), (60, BAD)),
            ),
            number(
                "Lag",
                "Records in the log that are not folded yet.",
                "short",
                f"job:cspulse_lag_records:sum{{{JOB}}}",
                steps=((None, GOOD), (10_000, DOUBTFUL), (100_000, BAD)),
            ),
            number(
                "Dead letters, 1 h",
                "Records that could not be processed.",
                "short",
                f"round(sum by (job) (increase(cspulse_dead_letters_total{{{JOB}}}[1h])))",
                steps=((None, GOOD), (1, DOUBTFUL)),
            ),
            number(
                "Rebalances, 1 h",
                "Times that a worker was given its partitions.",
                "short",
                f"round(sum by (job) (increase(cspulse_rebalances_total{{{JOB}}}[1h])))",
            ),
        ),
    )


def _rate() -> Row:
    return Row(
        "Rate",
        (
            graph(
                "Events accepted / s",
                "Events that count, by family.",
                "short",
                [Query(f"sum by (family) (rate(cspulse_events_accepted_total{{{JOB}}}[$__rate_interval]))", "{{family}}")],
                stacked=True,
            ),
            graph(
                "Records consumed / s",
                "By partition, ticks and bad ones included.",
                "short",
                [Query(f"sum by (partition) (rate(cspulse_records_consumed_total{{{JOB}}}[$__rate_interval]))", "{{partition}}")],
            ),
            graph(
                "Outputs committed / s",
                "By topic.",
                "short",
                [Query(f"sum by (topic) (rate(cspulse_outputs_committed_total{{{JOB}}}[$__rate_interval]))", "{{topic}}")],
            ),
        ),
    )


def _errors() -> Row:
    return Row(
        "Errors",
        (
            graph(
                "Dead letters / s",
                "By reason. `failed` is a fault of the program, the others are of the records.",
                "short",
                [Query(f"sum by (reason) (rate(cspulse_dead_letters_total{{{JOB}}}[$__rate_interval]))", "{{reason}}")],
            ),
            graph(
                "Out of the ordinary / s",
                "What was dealt with: repetitions that were dropped, unknown names, bounds that were reached.",
                "short",
                [Query(f"sum by (oddity) (rate(cspulse_oddities_total{{{JOB}}}[$__rate_interval]))", "{{oddity}}")],
            ),
            bars(
                "Dead letters so far",
                "Since their partitions came to these workers.",
                "short",
                Query(f"sum by (reason) (cspulse_dead_letters_total{{{JOB}}})", "{{reason}}"),
            ),
        ),
    )


def _duration() -> Row:
    return Row(
        "Duration",
        (
            graph(
                "Latency from event to commit",
                "From a record's own timestamp to the commit of what came of it; history that is imported has its age.",
                "s",
                _quantiles("cspulse_end_to_end_latency_seconds_bucket"),
                width=12,
            ),
            graph(
                "Commit duration",
                "From the beginning of a transaction to the broker's answer.",
                "s",
                _quantiles("cspulse_commit_duration_seconds_bucket"),
                width=12,
            ),
        ),
    )


def _quantiles(buckets: str) -> list[Query]:
    return [quantile(share, f"{buckets}{{{JOB}}}", name) for share, name in ((0.5, "p50"), (0.9, "p90"), (0.99, "p99"))]


def _lag() -> Row:
    return Row(
        "Lag",
        (
            graph(
                "Lag in records",
                "In the log and not folded yet, by topic.",
                "short",
                [Query(f"sum by (topic) (cspulse_lag_records{{{JOB}}})", "{{topic}}")],
                width=6,
            ),
            graph(
                "Lag in event time",
                "Now - the partition's clock, while records wait.",
                "s",
                [Query(f"max by (partition) (cspulse_lag_seconds{{{JOB}}})", "{{partition}}")],
                width=6,
            ),
            graph(
                "Queues",
                "Records read and waiting to be merged, by topic; a topic is paused at the limit.",
                "short",
                [
                    Query(f"max by (topic) (cspulse_queue_records{{{JOB}}})", "{{topic}}, fullest"),
                    Query(f"max(cspulse_queue_limit_records{{{JOB}}})", "limit"),
                ],
                width=6,
            ),
            graph(
                "Due and to be judged anew",
                "Customers whose evaluation has come, and those still judged by older definitions.",
                "short",
                [
                    Query(f"sum by (job) (cspulse_due_customers{{{JOB}}})", "due"),
                    Query(f"sum by (job) (cspulse_rejudge_customers{{{JOB}}})", "older definitions"),
                ],
                width=6,
            ),
        ),
    )


def _state() -> Row:
    return Row(
        "State and restore",
        (
            graph(
                "Restore",
                "Changelog records read / to be read at most, by the restore under way or the last one.",
                "percentunit",
                [
                    Query(
                        f"sum by (partition) (cspulse_restore_records{{{JOB}}}) / "
                        f"(sum by (partition) (cspulse_restore_records_at_most{{{JOB}}}) > 0)"
                        f" or 1 + 0 * sum by (partition) (cspulse_restore_records_at_most{{{JOB}}})",
                        "{{partition}}",
                    )
                ],
                highest=1,
                width=6,
            ),
            graph(
                "Restore duration",
                "From the assignment to reading, the last time.",
                "s",
                [Query(f"max by (partition) (cspulse_restore_duration_seconds{{{JOB}}})", "{{partition}}")],
                width=6,
            ),
            graph(
                "State",
                "Encoded states of the customers, in memory.",
                "bytes",
                [Query(f'max by (partition) (cspulse_state_bytes{{{JOB}, partition!="fleet"}})', "{{partition}}")],
                stacked=True,
                width=6,
            ),
            graph(
                "Memory of the workers",
                "Resident.",
                "bytes",
                [Query(f"process_resident_memory_bytes{{{JOB}}}", "{{instance}}")],
                width=6,
            ),
        ),
    )
