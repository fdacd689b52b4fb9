"""An assessment of maturity, as the fleet's task publishes it."""

from datetime import UTC, datetime

from schemas.records import Criterion, MaturityAssessment, MaturityPoint, PlanProgress

AS_OF_MS = int(datetime(2026, 2, 16, 12, tzinfo=UTC).timestamp()) * 1_000


def _criterion(rank: int, name: str, level: int | None, value: float | None) -> Criterion:
    return Criterion(
        name=name,
        rank=rank,
        level=level,
        figure=f"{name}_pct",
        value=value,
        n=None if level is None else 40,
        threshold_next=None if level in (None, 5) else 85.0,
        distance=None if value is None or level == 5 else 85.0 - value,
        next_step=f"mend {name}",
        side="service",
        reason="not measured: no answers in the window" if level is None else None,
    )


def assessment(sequence: int = 1) -> MaturityAssessment:
    """Three criteria, one of them not measured, a plan that is behind, and two months."""
    return MaturityAssessment(
        record_id=f"m{sequence}",
        sequence=sequence,
        as_of=AS_OF_MS,
        emitted_at=None,
        config_version=3,
        criteria=[_criterion(1, "nps", None, None), _criterion(2, "satisfaction", 3, 80.5), _criterion(3, "churn", 5, 95.0)],
        plans=[
            PlanProgress(
                criterion="satisfaction",
                baseline=70,
                target=90,
                now=80.5,
                progress_ratio=0.525,
                starts_at=AS_OF_MS - 60 * 86_400_000,
                due_at=AS_OF_MS + 20 * 86_400_000,
                owner="Lan",
                steps=["call back"],
                state="behind",
            )
        ],
        history=[
            MaturityPoint(month=month, criterion=name, level=level, value=None)
            for month, name, level in (("2026-01", "nps", None), ("2026-02", "nps", None), ("2026-02", "satisfaction", 3))
        ],
        coverage_share=1.0,
    )
