"""Where the real ServiceNow log of the tests is."""

from pathlib import Path

from tests.support.parts import lacking

_PLACE = Path(__file__).parents[2] / ".." / "shared" / "data" / "servicenow_incident_events.csv"


def real_servicenow_log() -> Path:
    """The log beside the repository; a test that needs it is skipped, visibly, where it is absent."""
    if not _PLACE.exists():
        lacking("the ServiceNow log ../shared/data/servicenow_incident_events.csv")
    return _PLACE
