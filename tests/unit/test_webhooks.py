"""Signatures by Standard Webhooks and envelopes by CloudEvents."""

import base64
import json

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from sinks.messages import Message
from sinks.notices import notice_of
from sinks.webhooks import SecretUnusable, webhook_format
from tests.support.cluster import now_ms
from tests.support.sinks.delivering import SECRET, SOURCE, Desk, alert, entry, fleet_alert, owner_list

OLD_SECRET = "whsec_" + base64.b64encode(b"the secret that goes out of use.").decode()


def event_of(value: object) -> dict[str, object]:
    (record,) = Desk("").put(value)  # type: ignore[arg-type]
    notice = notice_of(record)
    assert notice is not None
    found: dict[str, object] = json.loads(webhook_format(SOURCE, [SECRET]).message(notice).body)
    return found


def test_the_signature_is_that_of_the_published_example() -> None:
    form = webhook_format(SOURCE, ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"])
    headers = form.headers("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330_999, Message("", b'{"test": 2432232314}'))
    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_while_a_secret_is_replaced_both_verify() -> None:
    message = Message("", '{"text": "ấ"}'.encode())
    headers = dict(webhook_format(SOURCE, [SECRET, OLD_SECRET]).headers("id", now_ms(), message))
    for secret in (SECRET, OLD_SECRET):
        assert Webhook(secret).verify(message.body, headers) == {"text": "ấ"}


def test_a_body_or_an_id_that_was_changed_does_not_verify() -> None:
    headers = dict(webhook_format(SOURCE, [SECRET]).headers("id", now_ms(), Message("", b"{}")))
    for body, changed in ((b"[]", headers), (b"{}", {**headers, "webhook-id": "other"})):
        with pytest.raises(WebhookVerificationError):
            Webhook(SECRET).verify(body, changed)


@pytest.mark.parametrize(
    ("secret", "why"),
    [
        ("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "does not begin with whsec_"),
        ("whsec_MfKQ9r8GKYqrTwjU", "holds 12 bytes; 24 to 64 are right"),
        ("whsec_not base64!", "is not base64"),
        ("whsec_", "holds 0 bytes"),
    ],
)
def test_a_secret_that_is_none_is_refused_without_being_repeated(secret: str, why: str) -> None:
    with pytest.raises(SecretUnusable, match=why) as refused:
        webhook_format(SOURCE, [secret])
    assert secret == "whsec_" or secret not in str(refused.value)


def test_an_event_has_every_attribute_that_cloudevents_asks_for_and_the_whole_record() -> None:
    event = event_of(alert())
    data = event.pop("data")
    assert event == {
        "specversion": "1.0",
        "id": "r-acme-1",
        "source": "/cspulse/test",
        "type": "cspulse.churn-alert.opened",
        "subject": "acme",
        "time": "2026-01-01T12:00:00.000Z",
        "datacontenttype": "application/json",
    }
    assert isinstance(data, dict)
    assert data["opened_at"] == "2026-01-01T12:00:00.000Z"
    assert (data["customer_id"], data["mrr_cents"], data["segment"]) == ("acme", 129_900, "enterprise")


def test_types_and_subjects_of_what_is_not_about_one_customer() -> None:
    told = [event_of(value) for value in (fleet_alert(2, "retracted"), owner_list(entry("a")), owner_list(kind="morning_list"))]
    assert [(event["type"], event["subject"]) for event in told] == [
        ("cspulse.fleet-alert.retracted", "fleet"),
        ("cspulse.owner-list.digest", "kim"),
        ("cspulse.owner-list.morning-list", "kim"),
    ]
