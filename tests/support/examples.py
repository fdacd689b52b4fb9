"""How many examples the long property tests try: few on every run, and as many more as somebody has time for.

`CSPULSE_EXAMPLES=20 pytest -o timeout=0 tests/property` tries twenty times as many as an ordinary run does.
"""

import os
from typing import Final

TIMES: Final = int(os.environ.get("CSPULSE_EXAMPLES", "1"))


def examples(on_every_run: int) -> int:
    """The number of examples of this run, for a test that tries `on_every_run` of them in an ordinary one."""
    return on_every_run * TIMES
