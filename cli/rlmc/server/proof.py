"""How the daemon proves that it is the one of the state file, before it is told any secret.

A port can be another program's by now: the daemon has died, and somebody else listens where it did. Rule: who asks says
nothing but a random word, and only who knows the control token can make the answer. It holds for one word and one port,
so that nobody can have the daemon make it for them and pass it on from another port.
"""

from __future__ import annotations

import hashlib
import hmac
import re

PATH = "/-/proof"
NONCE_HEADER = "x-rlmc-nonce"
_NONCE = re.compile(r"[0-9a-f]{32}", re.ASCII)


def proof(control_token: str, port: int, nonce: str) -> str:
    said = f"rlmc daemon\0{port}\0{nonce}"
    return hmac.new(control_token.encode(), said.encode(), hashlib.sha256).hexdigest()


def is_nonce(word: str | None) -> bool:
    return word is not None and _NONCE.fullmatch(word) is not None
