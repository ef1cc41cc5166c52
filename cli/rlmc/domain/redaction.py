"""Secrets taken out of texts for people: logs, errors, what is kept of an error, what a command prints of one.

Rule: shape and place decide; nothing here knows a secret. Every text that rlmc did not write whole passes through one
of the two before it is written or shown.
"""

from __future__ import annotations

import re

_GONE = "***"
# Also within the repr of something, and in JSON within JSON.
_QUOTE = r"(?:b?\\{0,3}[\"'`])"
_TELLING = (
    r"(?:api[-_ ]?keys?|access[-_ ]?keys?|secret[-_ ]?keys?|private[-_ ]?keys?|subscription[-_ ]?keys?|secrets?|tokens?"
    r"|passw(?:or)?d|passphrase|credentials?|(?<![a-z])key|(?<=_)key)"
)
_HEADER = (
    r"(?:(?:proxy-)?authorization|(?:x-)?(?:goog-)?api-?key|(?:set-)?cookie|x-amz-security-token|x-auth-token"
    r"|chatgpt-account-id|x-rlmc-[a-z-]*(?:token|key))"
)
# Words such a place may hold that are none.
_NO_VALUE = r"(?!\*{3}|\d+(?:\.\d+)?\b(?!\w)|(?:true|false|null|none|missing|invalid|required|expected|is|was|not)\b)"

_PLACES: tuple[tuple[re.Pattern[str], str], ...] = (
    # A session's own address, and the other pages that take a token in their path.
    (re.compile(r"/s/[^/\s\"'?#]+"), f"/s/{_GONE}"),
    # Names and passwords within an address, and what follows its question mark.
    (re.compile(r"\b([a-z][a-z0-9+.-]{0,30}:/{2,})[^/\s?#\"'<>]*@", re.IGNORECASE), rf"\1{_GONE}@"),
    (
        re.compile(
            r"([?&;#](?:[\w.%-]{0,40}(?:key|token|secret|passw|pwd|auth|sig|cred|code|session|jwt)[\w.%-]{0,40})=)"
            r"[^&#;\s\"'<>]+",
            re.IGNORECASE,
        ),
        rf"\1{_GONE}",
    ),
    (
        re.compile(
            rf"(\b{_HEADER}{_QUOTE}?\s*[:=,]\s*{_QUOTE}?)(?:(?:bearer|basic|token|digest)\s+)?"
            r"[^\s\"'`,\\)\]}]+(?:;[^\"'\n\\]*)?",
            re.IGNORECASE,
        ),
        rf"\1{_GONE}",
    ),
    (re.compile(r"\b(bearer\s+)[\w.~+/=:-]{6,}", re.IGNORECASE), rf"\1{_GONE}"),
    (
        re.compile(
            rf"({_TELLING}{_QUOTE}?(?:\s+(?:provided|given|used|sent))?\s*[:=]\s*{_QUOTE}?){_NO_VALUE}"
            r"[^\s\"'`,;\\)\]}]{6,}",
            re.IGNORECASE,
        ),
        rf"\1{_GONE}",
    ),
    # Keys by the beginnings their vendors give them.
    (
        re.compile(
            r"(?<![A-Za-z0-9])(?:sk-|sk_|rk_|pk_live_|gh[opsu]_|github_pat_|glpat-|xox[abeprs]-|AKIA|ASIA|AIza|hf_|npm_"
            r"|pypi-|gsk_|xai-|r8_|nvapi-|eyJ[A-Za-z0-9_-]+\.eyJ)[\w.*-]{6,}"
        ),
        _GONE,
    ),
)
# What others say of an error may quote what they were sent.
_QUOTED = re.compile(r"([\"'`])[^\"'`\n]{40,}(\1|$)", re.MULTILINE)
_RUN = re.compile(r"[A-Za-z0-9+_=-]{20,}")
_NAMED = re.compile(r"(?:req|msg|resp|chatcmpl|toolu|call|item)[_-]")
MOST_CHARS = 400
_LOOKED_AT = 4_000


def redact(text: str) -> str:
    """Without what stands where secrets stand."""
    for pattern, instead in _PLACES:
        text = pattern.sub(instead, text)
    return text


def redact_foreign(text: str) -> str:
    """Of what somebody else said: no long quotations either, and nothing that looks as if it were drawn by chance."""
    text = _QUOTED.sub(r"\1…\1", redact(text[:_LOOKED_AT]))
    text = _RUN.sub(lambda run: _GONE if _is_random(run[0]) else run[0], text)
    return text if len(text) <= MOST_CHARS else f"{text[: MOST_CHARS - 1]}…"


def _is_random(run: str) -> bool:
    digits = sum(c.isdigit() for c in run)
    letters = sum(c.isalpha() for c in run)
    return digits >= 3 and letters >= 5 and not _NAMED.match(run) and not _is_name(run)


def _is_name(run: str) -> bool:
    """Words and numbers that are joined, as in a model's name."""
    parts = re.split("[-_=+]", run)
    return len(parts) > 2 and all(part.isalpha() or part.isdigit() or len(part) <= 5 for part in parts)
