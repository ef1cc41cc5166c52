from __future__ import annotations

import json
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rlmc.cascade.audit.canary import planted
from rlmc.cascade.audit.same import same
from rlmc.domain.chat import Completion, Part, Text, ToolCall

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)
)
PARTS = st.one_of(
    st.builds(Text, st.text(min_size=1)),
    st.builds(lambda a: ToolCall("1", "Edit", json.dumps(a)), st.dictionaries(st.text(), JSON)),
    st.builds(lambda a: ToolCall("1", "Run", a), st.text()),
)


def answer(*parts: Part) -> Completion:
    return Completion("m", parts, "end_turn", None)


@given(st.lists(PARTS, max_size=4), st.integers(0, 1000))
def test_what_is_planted_is_one_fault_and_really_another_answer(parts: list[Part], seed: int) -> None:
    whole = answer(*parts)
    faulty = planted(whole, Random(seed))
    if faulty is not None:
        changed = [(a, b) for a, b in zip(whole.parts, faulty.parts, strict=True) if a != b]
        assert len(changed) == 1
        assert planted(whole, Random(seed)) == faulty


@pytest.mark.parametrize(
    "arguments",
    [
        {"file_path": "/src/shop/cart.py"},
        {"file_path": "/src/cart.py", "old_string": "total = 3", "new_string": "total = 4"},
        {"file_path": "/src/cart.py", "old_string": "a\nb", "new_string": "a\nb\nc"},
        {"pattern": "total", "head_limit": 20},
    ],
)
@pytest.mark.parametrize("seed", range(8))
def test_calls_of_agents_can_be_made_wrong(arguments: dict[str, object], seed: int) -> None:
    whole = answer(Text("Now."), ToolCall("1", "Edit", json.dumps(arguments)))
    faulty = planted(whole, Random(seed))
    assert faulty is not None
    assert not same(whole, faulty)


@pytest.mark.parametrize("text", ["All 12 tests pass.", "I changed cart.py and its tests."])
def test_texts_that_state_something_can_be_made_wrong(text: str) -> None:
    faulty = planted(answer(Text(text)), Random(1))
    assert faulty is not None
    assert faulty.text != text


def test_where_nothing_can_be_wrong_nothing_is_planted() -> None:
    assert planted(answer(Text("Hello there.")), Random(1)) is None
