"""A session in which everything happens: drafts taken, verified, refused, failed; tasks, errors, long answers.

As a script (`python -m tests.support.mixed_session FROM TO`) it is an agent that plays those turns of it against
ANTHROPIC_BASE_URL and prints one line for each answer.
"""

from __future__ import annotations

import os
import sys
from typing import Any

from tests.support import tools
from tests.support.billing import Prices
from tests.support.replies import Reply
from tests.support.scripts import always_text, verifier
from tests.support.wire_client import send

# Published prices of November 2026 in picodollars a token, written down here apart from the product's table.
OPUS = Prices(
    input=4_000_000, output=20_000_000, cache_read=200_000, cache_write_5m=5_000_000, cache_write_1h=8_000_000
)
HAIKU = Prices(input=100_000, output=500_000, cache_read=10_000, cache_write_5m=125_000, cache_write_1h=200_000)
PRICES = {"claude-opus-5-5": OPUS, "claude-haiku-5-5": HAIKU}
SYSTEM = [{"type": "text", "text": "You are a careful agent. " * 400, "cache_control": {"type": "ephemeral"}}]
LONG = "A long closing report on what was found. " * 50


def conversation(turn: int) -> dict[str, Any]:
    """The request of one turn of a growing conversation; every fifth is a new task, every seventh follows an error."""
    messages: list[dict[str, Any]] = [{"role": "user", "content": "Look at the project."}]
    for n in range(turn):
        if n % 5 == 4:
            messages.append({"role": "assistant", "content": [{"type": "text", "text": "Done."}]})
            messages.append({"role": "user", "content": f"Next task, number {n}."})
        else:
            messages.append(tools.use(f"t{n}", "Read", file_path=f"src/{n}.py"))
            messages.append(tools.result(f"t{n}", f"line {n}\n" * 200, is_error=n % 7 == 6))
    last = messages[-1]
    if isinstance(last["content"], str):
        last["content"] = [{"type": "text", "text": last["content"]}]
    last["content"][-1] = last["content"][-1] | {"cache_control": {"type": "ephemeral"}}
    return tools.request(
        *messages,
        model="claude-opus-5-5",
        system=SYSTEM,
        tools=tools.ALL,
        stream=turn % 3 != 0,
        thinking={"type": "adaptive"},
    )


def drafts(body: dict[str, Any], n: int) -> Reply:
    return [
        Reply(calls=(("Read", {"file_path": f"src/{n}.py"}),)),
        Reply(LONG),
        Reply(calls=(("Edit", {"file_path": "a", "old_string": "b", "new_string": "c"}),)),
        Reply(calls=(("Grep", {"pattern": "x"}),), text="Searching."),
        Reply(status=529),
        Reply("words " * 40, stop="max_tokens"),
    ][n % 6]


def script(body: dict[str, Any], n: int) -> Reply:
    return drafts(body, n) if "haiku" in body["model"] else verify(body, n)


verify = verifier(lambda seen: seen % 2 == 0, always_text("The verify model's own words. " * 4))


def main(first: int, last: int) -> None:
    for turn in range(first, last):
        got = send(os.environ["ANTHROPIC_BASE_URL"], conversation(turn), x_claude_code_session_id="s1")
        assert got.status == 200, got.body
        print(turn, got.message["stop_reason"], flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
