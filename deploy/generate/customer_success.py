"""The dashboard of customer success: how customers fare, and what to do about it."""

from grafana_foundation_sdk.models import dashboard as models

from deploy.generate.panels import BAD, DOUBTFUL, GOOD, Query, Row, bars, fleet, graph, number, page, sheet


def dashboard() -> models.Dashboard:
    """The whole page."""
    rows = (_now(), _touchpoints(), _loyalty(), _at_risk(), _support(), _use(), _commercial(), _maturity())
    told = "How customers fare: what they say, use and pay, who is at risk, and what to do first."
    return page("cspulse-customer-success", "Customer success", told, "now-24h", rows)


def _now() -> Row:
    age = 'time() - max by (job) (cspulse_fleet_as_of_timestamp_seconds{job=~"$job"})'
    return Row(
        "Now",
        (
            number("Customers", "Neither leads nor trials, nor those who left.", "short", fleet("customers")),
            number(
                "At risk",
                "Customers whose health is red.",
                "short",
                fleet("band_customers", band="red"),
                steps=((None, GOOD), (1, BAD)),
            ),
            number(
                "CSAT, 30 days",
                "Good answers / all.",
                "percentunit",
                fleet("csat_ratio", window="30d"),
                steps=((None, BAD), (0.7, DOUBTFUL), (0.85, GOOD)),
            ),
            number(
                "NPS, 90 days",
                "% promoters - % detractors, on the scale from 0 to 10.",
                "short",
                fleet("nps_points", scale="0_10", window="90d"),
                steps=((None, BAD), (0, DOUBTFUL), (30, GOOD)),
            ),
            number("Open tickets", "The backlog of all customers.", "short", fleet("open_tickets")),
            number(
                "Churn, last month",
                "Customers at its start who were lost / customers at its start.",
                "percentunit",
                fleet("logo_churn_ratio", period="month"),
                steps=((None, GOOD), (0.02, DOUBTFUL), (0.05, BAD)),
            ),
            number("Monthly revenue", "In the base currency.", "short", f"{fleet('mrr_cents', currency='')} / 100"),
            number(
                "Figures are this old",
                "Now - the time up to which they are complete.",
                "s",
                age,
                steps=((None, GOOD), (900, DOUBTFUL), (3600, BAD)),
            ),
        ),
    )


def _touchpoints() -> Row:
    return Row(
        "Touchpoint map",
        (
            sheet(
                "Touchpoint map",
                "The stations in their order. Strength -1: the interval's upper end lies below the CSAT of all others; 1: the "
                "lower end above it. Trend: the last 30 days - the 30 before; interactions: of 30 days.",
                "touchpoint",
                (
                    ("order", "none", fleet("touchpoint_order", "touchpoint", "department", "side")),
                    ("CSAT, 90 days", "percentunit", fleet("touchpoint_csat_ratio", "touchpoint", window="90d")),
                    ("from", "percentunit", fleet("touchpoint_csat_ratio_low", "touchpoint", window="90d")),
                    ("to", "percentunit", fleet("touchpoint_csat_ratio_high", "touchpoint", window="90d")),
                    ("answers", "none", fleet("touchpoint_csat_answers", "touchpoint", window="90d")),
                    ("strength", "none", fleet("touchpoint_strength", "touchpoint")),
                    ("trend", "percentunit", fleet("touchpoint_csat_trend_ratio", "touchpoint")),
                    ("trend from", "percentunit", fleet("touchpoint_csat_trend_ratio_low", "touchpoint")),
                    ("trend to", "percentunit", fleet("touchpoint_csat_trend_ratio_high", "touchpoint")),
                    ("open tickets", "none", fleet("touchpoint_open_tickets", "touchpoint")),
                    ("interactions", "none", fleet("touchpoint_interactions", "touchpoint")),
                ),
            ),
            graph(
                "CSAT by touchpoint, 30 days",
                "Good answers / all.",
                "percentunit",
                [Query(fleet("touchpoint_csat_ratio", "touchpoint", window="30d"), "{{touchpoint}}")],
                highest=1,
            ),
            graph(
                "CSAT, 7, 30 and 90 days",
                "Good answers / all, with the interval of 30 days.",
                "percentunit",
                [
                    Query(fleet("csat_ratio", "window"), "{{window}}"),
                    Query(fleet("csat_ratio_low", window="30d"), "30d, lower end"),
                    Query(fleet("csat_ratio_high", window="30d"), "30d, upper end"),
                ],
                highest=1,
            ),
            bars(
                "Conversion before the sale, 180 days",
                "Of those who reached the step, who went on so far.",
                "percentunit",
                Query(fleet("step_conversion_ratio", "step", window="180d"), "{{step}}"),
                highest=1,
            ),
        ),
    )


def _loyalty() -> Row:
    return Row(
        "Loyalty",
        (
            graph(
                "NPS, 90 days",
                "% promoters - % detractors, each scale for itself, with its 95 % interval.",
                "short",
                [
                    Query(fleet("nps_points", "scale", window="90d"), "{{scale}}"),
                    Query(fleet("nps_points_low", "scale", window="90d"), "{{scale}}, lower end"),
                    Query(fleet("nps_points_high", "scale", window="90d"), "{{scale}}, upper end"),
                ],
                lowest=-100,
                highest=100,
            ),
            graph(
                "Quadrants",
                "Customers in each loyalty quadrant; the others have too few answers.",
                "short",
                [
                    Query(fleet("quadrant_customers", "quadrant"), "{{quadrant}}"),
                    Query(fleet("customers_without_quadrant"), "unknown"),
                ],
                stacked=True,
            ),
            bars(
                "Share of each quadrant",
                "Of the customers with a quadrant. Above 5 % churners the product itself is failing.",
                "percentunit",
                Query(fleet("quadrant_ratio", "quadrant"), "{{quadrant}}"),
                highest=1,
            ),
        ),
    )


def _at_risk() -> Row:
    return Row(
        "At risk",
        (
            graph(
                "Health bands",
                "Customers by the band of their health score.",
                "short",
                [Query(fleet("band_customers", "band"), "{{band}}"), Query(fleet("customers_without_band"), "unknown")],
                stacked=True,
                width=6,
            ),
            bars(
                "Open alerts by rule",
                "Open episodes of customers.",
                "short",
                Query(fleet("alerts_open", "rule"), "{{rule}}"),
                width=6,
            ),
            graph(
                "Open alerts by severity",
                "Open episodes of customers.",
                "short",
                [Query(fleet("alerts_open_by_severity", "severity"), "{{severity}}")],
                stacked=True,
                width=6,
            ),
            graph(
                "Were we first?",
                "Of the episodes opened in 90 days: acted upon, before a complaint, and those with the complaint first.",
                "percentunit",
                [
                    Query(fleet("acted_ratio", window="90d"), "acted upon"),
                    Query(fleet("proactive_ratio", window="90d"), "before a complaint"),
                    Query(fleet("complained_first_ratio", window="90d"), "complaint first"),
                ],
                highest=1,
                width=6,
            ),
        ),
    )


def _support() -> Row:
    return Row(
        "Support",
        (
            graph(
                "Backlog by priority",
                "Open tickets.",
                "short",
                [Query(fleet("open_tickets_by_priority", "priority"), "{{priority}}")],
                stacked=True,
                width=6,
            ),
            bars(
                "Backlog by age",
                "Open tickets, in whole UTC days.",
                "short",
                Query(fleet("open_tickets_by_age", "age"), "{{age}}"),
                width=6,
            ),
            graph(
                "First response, 30 days",
                "First agent reply - opening.",
                "s",
                [Query(fleet("first_response_seconds", "percentile", "hours", window="30d"), "{{percentile}}, {{hours}}")],
                width=6,
            ),
            graph(
                "Tickets in 30 days",
                "Opened, solved and reopened.",
                "short",
                [Query(fleet("tickets", "flow", window="30d"), "{{flow}}")],
                width=6,
            ),
        ),
    )


def _use() -> Row:
    return Row(
        "Goals and use",
        (
            bars(
                "Goals completed, 30 days",
                "Completions.",
                "short",
                Query(fleet("goal_completions", "goal", window="30d"), "{{goal}}"),
                width=6,
            ),
            bars(
                "Goals completed / tried, 30 days",
                "The share of the tries that came to the goal.",
                "percentunit",
                Query(fleet("goal_correct_ratio", "goal", window="30d"), "{{goal}}"),
                width=6,
                highest=1,
            ),
            graph(
                "Promises",
                "Of the promises that hold now: attained in full, and with a first value.",
                "percentunit",
                [Query(fleet("promises_kept_ratio"), "kept"), Query(fleet("promises_valued_ratio"), "with a first value")],
                width=6,
                highest=1,
            ),
            graph(
                "Active customers, 30 days",
                "Customers who used the product / customers.",
                "percentunit",
                [Query(fleet("active_customers_ratio"), "active")],
                width=6,
                highest=1,
            ),
        ),
    )


def _commercial() -> Row:
    return Row(
        "Revenue",
        (
            graph(
                "Churn and retention, last month",
                "Of the customers at its start.",
                "percentunit",
                [
                    Query(fleet("logo_churn_ratio", period="month"), "churn"),
                    Query(fleet("retention_ratio", period="month"), "retention"),
                ],
            ),
            graph(
                "Revenue retention, last month",
                "Gross and net, of the revenue at its start.",
                "percentunit",
                [
                    Query(fleet("grr_ratio", period="month", currency=""), "gross"),
                    Query(fleet("nrr_ratio", period="month", currency=""), "net"),
                ],
            ),
            bars(
                "Customers, last month",
                "Acquired, back again, lost.",
                "short",
                Query(fleet("customers_moved", "move", period="month"), "{{move}}"),
            ),
        ),
    )


def _maturity() -> Row:
    return Row(
        "Maturity",
        (
            sheet(
                "Maturity",
                "The seven criteria from 1 to 5, those first where most is to be gained; one without a level is not measured.",
                "criterion",
                (
                    ("rank", "none", fleet("maturity_rank", "criterion")),
                    ("level", "none", fleet("maturity_level", "criterion")),
                ),
                width=8,
                height=8,
            ),
            bars(
                "Level of each criterion",
                "From 1 to 5.",
                "short",
                Query(fleet("maturity_level", "criterion"), "{{criterion}}"),
                highest=5,
            ),
            bars(
                "Answers to questions, 90 days",
                "Requests that were answered so far / sent.",
                "percentunit",
                Query(fleet("survey_response_ratio", "survey"), "{{survey}}"),
                highest=1,
            ),
        ),
    )
