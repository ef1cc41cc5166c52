"""How a simulated model compares two candidates for a step: by a few rules, the same ones every time.

Worse is the candidate that holds a simulated mistake; that names a file the excerpt does not; that leaves out an
argument the other has; or of whose numbers one is larger, which is as good a guess as any.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from rlmc.upstream.simulated.agent import Reply
from rlmc.upstream.simulated.body import Body
from rlmc.upstream.simulated.texts import MISTAKE

_ASKED = "You compare two candidates"
_CANDIDATE = re.compile(r"<(first|second)-([0-9a-f]+)>\n(.*?)\n</\1-\2>", re.DOTALL)
_FILE = re.compile(r"[\w./-]+\.[A-Za-z]\w{0,5}")
_NUMBER = re.compile(r"(?<![\w.])\d{1,9}(?![\w.])")


def comparison_reply(body: Body) -> Reply | None:
    """The answer to a comparison; None when this is none."""
    system = body.system if isinstance(body.system, str) else "".join(b.get("text", "") for b in body.system or [])
    if body.tools or not system.startswith(_ASKED):
        return None
    blocks = body.messages[-1].blocks()
    text = "".join(str(block.get("text", "")) for block in blocks)
    found = {name: candidate for name, _, candidate in _CANDIDATE.findall(text)}
    if len(found) != 2:
        return Reply("EQUAL")
    rest = _CANDIDATE.sub("", text)
    for rule, degree in (
        (_mistakes, "MATERIAL"),
        (_strange_files, "MATERIAL"),
        (_missing, "MATERIAL"),
        (_sum, "MATERIAL"),
    ):
        first, second = rule(found["first"], rest), rule(found["second"], rest)
        if first != second:
            return Reply(f"{'FIRST' if first > second else 'SECOND'}-WORSE-{degree}")
    return Reply("EQUAL")


def _mistakes(candidate: str, _rest: str) -> int:
    return candidate.count(MISTAKE)


def _strange_files(candidate: str, rest: str) -> int:
    return sum(name not in rest for name in set(_FILE.findall(candidate)))


def _missing(candidate: str, _rest: str) -> int:
    """The fewer arguments, the more are missing."""
    return -sum(len(arguments) for arguments in _arguments(candidate))


def _sum(candidate: str, _rest: str) -> int:
    return sum(map(int, _NUMBER.findall(candidate)))


def _arguments(candidate: str) -> Iterator[dict[str, Any]]:
    try:
        steps = json.loads(candidate)
    except ValueError:
        return
    for step in steps if isinstance(steps, list) else []:
        try:
            found = json.loads(step["arguments"])
        except (ValueError, KeyError, TypeError):
            continue
        if isinstance(found, dict):
            yield found
