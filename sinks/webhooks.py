"""Webhooks: a CloudEvent 1.0 in structured JSON, signed as Standard Webhooks says.

`webhook-id` and the event's `id` are the record's id: the same at every attempt, so a receiver can drop what it has had.
"""

import base64
import binascii
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Final

import msgspec
from standardwebhooks import Webhook

from schemas.jsonvalues import value_to_json
from schemas.times import format_time
from sinks.messages import Format, Message
from sinks.notices import Notice

CONTENT_TYPE: Final = "application/cloudevents+json; charset=utf-8"
SECRET_PREFIX: Final = "whsec_"  # noqa: S105 - what every secret begins with
SECRET_BYTES_LEAST: Final = 24
SECRET_BYTES_MOST: Final = 64
_S_IN_MS: Final = 1_000


class SecretUnusable(ValueError):
    """A secret that is none; the text says why and does not repeat it."""


def webhook_format(source: str, secrets: Sequence[str]) -> Format:
    """Events from `source` (a URI reference), signed with each of the secrets: with two, a receiver can go over to the new one.

    Raises SecretUnusable.
    """
    signers = [_signer(secret) for secret in secrets]
    if not signers:
        raise SecretUnusable("there is no secret")
    return Format(partial(cloud_event, source), partial(_headers, signers))


def cloud_event(source: str, notice: Notice) -> Message:
    """The event that tells a notice."""
    event = {
        "specversion": "1.0",
        "id": notice.record.record_id,
        "source": source,
        "type": notice.type,
        "subject": notice.subject,
        "time": format_time(notice.record.as_of),
        "datacontenttype": "application/json",
        "data": value_to_json(notice.topic, notice.record),
    }
    return Message(CONTENT_TYPE, msgspec.json.encode(event))


def _headers(signers: Sequence[Webhook], message_id: str, now_ms: int, message: Message) -> Mapping[str, str]:
    at = datetime.fromtimestamp(now_ms // _S_IN_MS, UTC)
    text = message.body.decode()
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(now_ms // _S_IN_MS),
        "webhook-signature": " ".join(signer.sign(message_id, at, text) for signer in signers),
    }


def _signer(secret: str) -> Webhook:
    if not secret.startswith(SECRET_PREFIX):
        raise SecretUnusable(f"it does not begin with {SECRET_PREFIX}")
    try:
        key = base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        raise SecretUnusable(f"what follows {SECRET_PREFIX} is not base64") from None
    if not SECRET_BYTES_LEAST <= len(key) <= SECRET_BYTES_MOST:
        raise SecretUnusable(f"it holds {len(key)} bytes; {SECRET_BYTES_LEAST} to {SECRET_BYTES_MOST} are right")
    return Webhook(key)
