"""Signatures of webhooks: HMAC with SHA-256, as GitHub and many others write them, and as Standard Webhooks does.

The first is of the body alone. The second is of an id, a time and the body, so that what was overheard can't be sent
again later: https://www.standardwebhooks.com.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from typing import Any

HEADERS = ("x-hub-signature-256", "x-signature-256")
IDS = ("idempotency-key", "webhook-id", "x-github-delivery", "x-request-id")
"""Headers that name a delivery, which stays the same when it is sent again."""
TOLERANCE = 300.0
"""Seconds by which the time of a signature may be off."""
_BASE64_SECRET = "whsec_"  # noqa: S105 - how such secrets begin


def sign(secret: str, body: bytes) -> str:
    """What the header of a signed body has."""
    return f"sha256={hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}"


def sign_standard(secret: str, body: bytes, delivery: str, timestamp: str) -> str:
    """What `webhook-signature` has, by Standard Webhooks. Raises `ValueError` for a secret that is no base64."""
    key = (
        base64.b64decode(secret.removeprefix(_BASE64_SECRET)) if secret.startswith(_BASE64_SECRET) else secret.encode()
    )
    signed = b".".join((delivery.encode(), timestamp.encode(), body))
    return f"v1,{base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()}"


def is_signed(secret: str, body: bytes, headers: Mapping[str, str], now: float) -> bool:
    """Whether headers, in lower case, have a signature of this body; `now` are seconds since 1970."""
    given = headers.get("webhook-signature")
    if given is not None:
        delivery, timestamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
        if not timestamp.isdecimal() or abs(now - int(timestamp[:20])) > TOLERANCE:
            return False
        try:
            wanted = sign_standard(secret, body, delivery, timestamp)
        except (ValueError, binascii.Error):
            return False
        return any(_same(each, wanted) for each in given.split())
    wanted = sign(secret, body)
    return any(_same(headers.get(name, ""), wanted) for name in HEADERS)


def _same(given: str, wanted: str) -> bool:
    return hmac.compare_digest(given.encode(), wanted.encode())


def delivery_of(headers: Mapping[str, str], body: Any, field: str | None) -> str | None:
    """A name for this delivery: what the body says in `field`, or a header; None if nobody names it.

    It stays the same when it is sent again.
    """
    if field is not None and isinstance(body, dict) and isinstance(body.get(field), (str, int)):
        return str(body[field])
    return next((headers[name] for name in IDS if headers.get(name)), None)
