"""What a demo is asked to do."""

from pathlib import Path

from msgspec import Struct

DEFAULT_CUSTOMERS = 200
DEFAULT_DAYS = 60


class DemoOptions(Struct, frozen=True, kw_only=True):
    """The options of `cspulse demo`.

    `log` is a ServiceNow incident log whose tickets are played; without it everything is simulated. `customers` and `days` are
    None where nothing was asked for: then 200 and 60, or what fits of the log. `as_json` leaves standard output to the summary.
    `keep` goes on after the present is reached. `picture` is a file that the last screen is drawn to, as SVG.
    """

    log: Path | None = None
    as_json: bool = False
    keep: bool = False
    customers: int | None = None
    days: int | None = None
    seed: int = 1
    picture: Path | None = None
