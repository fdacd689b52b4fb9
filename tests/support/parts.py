"""Parts that a machine may lack (Java, Redis, …): without them a test is skipped, visibly, or fails where all is required."""

import os
from typing import NoReturn

import pytest

# The tests' own variables are taken out of the environment: cspulse, started by a test, would call them unknown settings.
_REQUIRED = os.environ.pop("CSPULSE_REQUIRE_ALL", "") == "1"


def everything_is_required() -> bool:
    """Whether a missing part is a failure: `CSPULSE_REQUIRE_ALL=1`, as `.ci/run` sets it."""
    return _REQUIRED


def lacking(reason: str) -> NoReturn:
    """Skip the test because of a part that is not there; fail it where everything is required."""
    if everything_is_required():
        pytest.fail(f"required here, and missing: {reason}", pytrace=False)
    pytest.skip(reason)
