"""The row of the operations' dashboard on the sinks: what they write, how late, and what became of each notice.

Sinks read what all applications publish, so these panels are the same whichever application is chosen.
"""

from deploy.generate.panels import Query, Row, bars, graph, quantile

_RATE = "[$__rate_interval]"


def row() -> Row:
    """The read model in Redis and the delivery of alerts."""
    calls = "cspulse_delivery_calls_total"
    return Row(
        "Sinks: the read model and alert delivery",
        (
            graph(
                "Sinks: records settled / s",
                "Records that the destination has, or needs not have.",
                "short",
                [Query(f"sum by (sink, topic) (rate(cspulse_sink_records_total{_RATE}))", "{{sink}}: {{topic}}")],
            ),
            graph(
                "Sinks: delay, p99",
                "From a record's own timestamp to its being settled.",
                "s",
                [quantile(0.99, "cspulse_sink_delay_seconds_bucket", "{{sink}}", "sink")],
            ),
            graph(
                "Sinks: failures in a row",
                "Attempts of a sink, and calls of a destination of alerts, since something was last taken; 0 when all is well.",
                "short",
                [
                    Query("max by (sink) (cspulse_sink_failed_attempts_in_a_row)", "{{sink}}"),
                    Query("max by (destination) (cspulse_delivery_failed_calls_in_a_row)", "calls of {{destination}}"),
                ],
            ),
            graph(
                "Delivery: calls / s",
                "Calls of each destination, by its answer.",
                "short",
                [Query(f"sum by (destination, answer) (rate({calls}{_RATE}))", "{{destination}}: {{answer}}")],
            ),
            graph(
                "Delivery: delay, p99",
                "From the publication of an alert to the answer of the destination that took it.",
                "s",
                [quantile(0.99, "cspulse_delivery_delay_seconds_bucket", "{{destination}}", "destination")],
            ),
            bars(
                "Delivery: notices so far",
                "What became of them since the sink was started: refused and expired ones were given up.",
                "short",
                Query("sum by (destination, fate) (cspulse_delivery_notices_total)", "{{destination}}: {{fate}}"),
            ),
        ),
    )
