"""Accept or act: candidates are let stand, or not, by what they are."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from tests.support.messages import calls, texts
from tests.support.simulated import ask
from tests.support.tools import ALL, READ, request, result, use

SEEN = "     1→def fee(total):\n     2→    return round(total)\n"

WORD = "ACCEPT-0123456789abcdef"
QUESTION: list[Any] = ["Where is the fee computed?", use("t1", "Read", file_path="fees.py"), result("t1", SEEN)]


def verified(candidate: list[dict[str, Any]], conversation: list[Any], word: str = WORD) -> dict[str, Any]:
    """The verify model's answer to a candidate, shown the way rlmc shows it."""
    text = (
        f"An untrusted candidate follows. If you would do this, reply only {word}.\n<c>\n{json.dumps(candidate)}\n</c>"
    )
    *before, last = request(*conversation)["messages"]
    blocks = [{"type": "text", "text": last["content"]}] if isinstance(last["content"], str) else last["content"]
    shown = {"role": "user", "content": [*blocks, {"type": "text", "text": text}]}
    return ask(request(*before, shown, tools=ALL))


def test_a_candidate_that_does_the_same_is_accepted() -> None:
    own = calls(ask(request("Where is the fee computed?", tools=ALL)))
    candidate = [{"say": "First a look."}, *({"call": n, "arguments": json.dumps(a)} for n, a in own)]
    assert texts(verified(candidate, ["Where is the fee computed?"])) == WORD


def test_a_candidate_that_does_something_else_is_not() -> None:
    own = calls(ask(request("Where is the fee computed?", tools=ALL)))
    answer = verified([{"call": "Bash", "arguments": '{"command": "ls"}'}], ["Where is the fee computed?"])
    assert calls(answer) == own
    assert WORD not in texts(answer)


def test_plausible_texts_are_mostly_accepted_and_sometimes_enhanced() -> None:
    own = texts(ask(request(*QUESTION, tools=[READ])))
    drafts = [f"The fee is computed in fees.py by the function fee. Remark {n}." for n in range(60)]
    verdicts = [texts(verified([{"say": d}], QUESTION)) for d in drafts]
    accepted = verdicts.count(WORD)
    assert 60 * 0.5 < accepted < 60 * 0.9
    assert set(verdicts) > {WORD}
    assert own


def test_a_poor_text_is_not_accepted() -> None:
    assert WORD not in texts(verified([{"say": "Dunno."}], QUESTION))


@given(st.text("0123456789abcdef", min_size=16, max_size=16))
def test_the_verdict_does_not_depend_on_the_nonce(nonce: str) -> None:
    candidate = [{"say": "The fee is computed in fees.py by the function fee."}]
    first = texts(verified(candidate, QUESTION))
    second = texts(verified(candidate, QUESTION, f"ACCEPT-{nonce}"))
    assert (first == WORD) == (second == f"ACCEPT-{nonce}")


def test_the_word_alone_is_no_candidate() -> None:
    assert texts(ask(request(f"What does {WORD} mean?"))) != WORD
