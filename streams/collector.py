"""The garbage collector of a process that folds events all day.

Folding makes many small objects that all go by their reference counts; next to none of them lie in cycles. With Python's own
thresholds the collector looks at them some hundred times a second, for a fifth of the time (`python -m benchmarks.driver`).
"""

import gc

YOUNG_OBJECTS = 50_000  # made and not yet gone, before the youngest are looked at: some MB
SELDOM = 50  # looks at the younger before a look at the older


def tune_collector() -> None:
    """Let the collector look seldom, and never again at what was imported."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, SELDOM, SELDOM)
