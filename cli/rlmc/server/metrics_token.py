"""The word that lets a reader see the metrics and nothing else.

Made from the control token, which cannot be had back from it, so that both sides know it without another secret.
"""

from __future__ import annotations

import hashlib
import hmac


def metrics_token(control_token: str) -> str:
    return hmac.new(control_token.encode(), b"rlmc metrics", hashlib.sha256).hexdigest()
