"""Messages for people: escaped, within Slack's limits, and never empty."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from schemas.records import Evidence
from sinks.notices import notice_of
from sinks.slack import FIELD_MOST, HEADER_MOST, SECTION_MOST, escaped, slack_format
from tests.support.sinks.delivering import Desk, alert, entry, fleet_alert, owner_list

NASTY = "<!channel> & <https://evil.example|click>"


def message_of(value: Any) -> dict[str, Any]:
    (record,) = Desk("").put(value)
    notice = notice_of(record)
    assert notice is not None
    found: dict[str, Any] = json.loads(slack_format().message(notice).body)
    return found


def texts(block: dict[str, Any]) -> list[str]:
    return [part["text"] for part in parts(block)]


def parts(block: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [block["text"]] if "text" in block else block.get("fields") or block["elements"]
    return found


def test_an_alert_says_who_what_why_what_it_is_worth_and_what_to_do() -> None:
    message = message_of(alert(acknowledged_by="lee"))
    assert message["text"] == "High: health_red opened, acme"
    assert [texts(block) for block in message["blocks"]] == [
        ["High: health_red opened, acme"],
        ["health fell to 31.5"],
        [
            "*Monthly revenue*\n1,299.00 EUR",
            "*Renewal*\n2026-01-31",
            "*Owner*\nkim",
            "*Segment*\nenterprise",
            "*Acknowledged by*\nlee",
        ],
        ["*What to do*\ncall them"],
        ["*Figures*\nhealth: 31.5, threshold 40"],
        ["opened 2026-01-01T12:00:00.000Z, judged 2026-01-01T12:00:00.000Z, ep-acme"],
    ]


def test_an_end_says_how_it_ended_and_nothing_is_to_be_done() -> None:
    shown = json.dumps(message_of(alert(state="resolved", sequence=2)))
    assert "*How it ended*\\nhealth is back" in shown
    assert "What to do" not in shown


def test_an_alert_of_the_fleet_has_no_account() -> None:
    blocks = message_of(fleet_alert())["blocks"]
    assert [block["type"] for block in blocks] == ["header", "section", "section", "context"]


def test_a_digest_lists_its_entries_and_counts_the_others() -> None:
    message = message_of(owner_list(entry("a", ended=True), entry("b", acted=True, mrr_cents=None), left_out=3))
    assert message["text"] == "Digest of what was beyond the day's budget, 2026-01-01, kim: 5 alerts"
    assert texts(message["blocks"][1]) == [
        "High: a, health_red, 1,299.00 EUR a month, over\nHigh: b, health_red, acted upon\nand 3 more"
    ]


def test_what_customers_wrote_can_neither_call_a_channel_nor_pose_as_a_link() -> None:
    nasty = alert(NASTY, explanation=NASTY, action=NASTY, owner=NASTY, evidence=[Evidence(figure=NASTY, dimension=NASTY)])
    message = message_of(nasty)
    for block in message["blocks"]:
        for part in parts(block):
            assert "<" not in part["text"]
            assert ">" not in part["text"]
            assert part["type"] == "plain_text" or part["verbatim"] is True
    assert message["blocks"][1]["text"]["text"] == "&lt;!channel&gt; &amp; &lt;https://evil.example|click&gt;"
    assert "<" not in message["text"]


@given(st.text(), st.integers(1, 40))
def test_escaping_keeps_to_the_limit_cuts_no_entity_and_is_never_empty(text: str, most: int) -> None:
    shown = escaped(text, most)
    assert 1 <= len(shown) <= most
    assert "<" not in shown
    assert ">" not in shown
    assert "&" not in shown.replace("&amp;", "").replace("&lt;", "").replace("&gt;", "")


def test_the_longest_texts_stay_within_slack_s_limits() -> None:
    long = "& " * 5_000
    for value in (
        alert(long, explanation=long, action=long, owner=long, segment=long, evidence=[Evidence(figure=long)] * 40),
        owner_list(*(entry(f"{number} {long}") for number in range(100)), owner=long),
    ):
        message = message_of(value)
        assert len(message["blocks"]) <= 50
        for block in message["blocks"]:
            most = {"header": HEADER_MOST, "context": FIELD_MOST}.get(block["type"], SECTION_MOST)
            assert all(1 <= len(text) <= (FIELD_MOST if "fields" in block else most) for text in texts(block))
            assert len(block.get("fields", [])) <= 10
