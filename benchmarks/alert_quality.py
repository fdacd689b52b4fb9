"""How good the default rules are: `python -m benchmarks.alert_quality` simulates years, judges the alerts and writes the report.

Everything is seeded: the same options and the same code give the same report. Seeds are replayed side by side, a process each.
To try something out, take fewer customers, other seeds and other definitions, and print the report instead of keeping it:
`python -m benchmarks.alert_quality --customers 100 --seeds 11 --definitions FILE --out -`.
"""

import argparse
import json
import sys
import time
import tomllib
from concurrent.futures import ProcessPoolExecutor
from hashlib import sha256
from pathlib import Path
from typing import Final

from benchmarks.ground import REPOSITORY
from benchmarks.judged_year import judge_year
from benchmarks.quality_report import report
from processors.definitions import DefinitionsError, parse
from streams.catalogue import default_text

CUSTOMERS: Final = 1000
SEEDS: Final = (1, 2, 3)


def main() -> int:
    """Simulate, judge, write; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.alert_quality", description="Judge the default rules.")
    parser.add_argument("--customers", type=int, default=CUSTOMERS, help=f"customers of each seed ({CUSTOMERS})")
    parser.add_argument("--seeds", type=int, nargs="+", default=list(SEEDS), help="seeds of the simulator (1 2 3)")
    parser.add_argument("--definitions", type=Path, help="other definitions than the default ones")
    parser.add_argument("--jobs", type=int, default=2, help="seeds at once (2)")
    parser.add_argument("--out", default=str(REPOSITORY / "docs" / "alert-quality.md"), help="where the report goes; -: nowhere")
    options = parser.parse_args()
    text = default_text() if options.definitions is None else options.definitions.read_text(encoding="utf-8")
    try:
        parse(text)
    except DefinitionsError as error:
        parser.error(str(error))
    started = time.monotonic()
    count = len(options.seeds)
    with ProcessPoolExecutor(options.jobs) as pool:
        years = list(pool.map(judge_year, options.seeds, [options.customers] * count, [text] * count))
    made = "\n".join(report(years, _sha(text)))
    print(made)
    if options.out != "-":
        Path(options.out).write_text(made + "\n", encoding="utf-8")
    print(f"{time.monotonic() - started:.0f} s", file=sys.stderr)
    return 0


def _sha(text: str) -> str:
    """A hash of what the definitions say of scores and alerts, in hex: the rest of the file does not matter here."""
    tables = tomllib.loads(text)
    return sha256(json.dumps([tables.get(name) for name in ("loyalty", "scorecards", "rules")]).encode()).hexdigest()


if __name__ == "__main__":
    sys.exit(main())
