"""Every scenario of docs/failure-scenarios.md names a test that exists."""

import re
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
TEXT = (REPOSITORY / "docs" / "failure-scenarios.md").read_text(encoding="utf-8")
ROWS = [line for line in TEXT.splitlines() if line.startswith("| ") and not line.startswith("| what")]
NAMED = re.compile(r"`(tests/[a-z_/]+\.py)(?:::([a-z0-9_]+))?` \|$")


@pytest.mark.parametrize("row", [pytest.param(row, id=row.split("|")[1].strip()[:60]) for row in ROWS])
def test_the_scenario_names_a_test_that_exists(row: str) -> None:
    named = NAMED.search(row)
    assert named, row
    assert len(row.split("|")) == 6, "what, what one sees, what to do, test"
    source = (REPOSITORY / named[1]).read_text(encoding="utf-8")
    if named[2]:
        assert re.search(rf"^(async )?def {named[2]}\(", source, re.MULTILINE), f"{named[1]} has no {named[2]}"


def test_there_are_scenarios() -> None:
    assert len(ROWS) > 40
