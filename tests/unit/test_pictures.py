"""Pictures of the dashboards: every panel is on them, whatever its answers are."""

from typing import Any
from xml.etree import ElementTree

import pytest

from deploy.generate.drawing import Line, shown
from deploy.generate.picture import picture
from tests.support.dashboards import loaded, panels


class Answers:
    """Gives each query the same series."""

    def __init__(self, *values: float) -> None:
        self._values = values

    def ask(self, target: dict[str, Any]) -> list[Line]:  # noqa: ARG002 - the same for all
        labels = {"touchpoint": "a < b", "criterion": "nps"}
        return [Line("a < b", labels, list(enumerate(self._values)))] if self._values else []


@pytest.mark.parametrize("name", loaded())
@pytest.mark.parametrize("values", [(), (3.0,), (1.0, 0.0, 2.5), (0.0, 0.0)])
def test_every_panel_is_drawn_and_the_picture_is_right_xml(name: str, values: tuple[float, ...]) -> None:
    dashboard = loaded()[name]
    svg = picture(dashboard, Answers(*values))  # type: ignore[arg-type]  # only asked
    words = [element.text for element in ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")]
    assert {panel["title"] for panel in panels(dashboard)} <= set(words)


@pytest.mark.parametrize(
    ("value", "unit", "words"),
    [
        (0.8125, "percentunit", "81.2 %"),
        (5_400, "s", "1.5 h"),
        (0.25, "s", "0.25 s"),
        (2_500_000, "bytes", "2.5 MB"),
        (42, "short", "42"),
    ],
)
def test_values_are_written_as_people_read_them(value: float, unit: str, words: str) -> None:
    assert shown(value, unit) == words
