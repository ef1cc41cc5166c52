"""Names of tools that OpenAI's protocols do not take."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from rlmc.domain.chat import ToolCall, ToolSpec
from rlmc.domain.prompt import Prompt, PromptMessage, ToolDefinition
from rlmc.wire.openai.names import legal_name, own_names, with_legal_names

LONG = "mcp__a_server_with_a_rather_long_name__and_a_tool_whose_name_is_long_as_well"


@given(st.text())
def test_every_name_is_legal_in_the_end_and_a_legal_one_stays(name: str) -> None:
    found = legal_name(name)
    assert re.fullmatch(r"[A-Za-z0-9_-]{1,64}", found)
    assert legal_name(found) == found


def test_a_long_name_goes_out_short_in_tools_calls_and_choice_and_comes_back_whole() -> None:
    prompt = Prompt(
        "m",
        True,
        (PromptMessage("assistant", (ToolCall("a", LONG, "{}"), ToolCall("b", "Read", "{}"))),),
        tools=(ToolDefinition(LONG, "", b"{}"), ToolDefinition("Read", "", b"{}")),
        tool_choice="tool",
        forced_tool=LONG,
    )
    sent = with_legal_names(prompt)
    short = sent.tools[0].name
    assert len(short) <= 64
    assert [part.name for part in sent.messages[0].parts if isinstance(part, ToolCall)] == [short, "Read"]
    assert sent.forced_tool == short
    assert own_names([ToolSpec(LONG, b"{}"), ToolSpec("Read", b"{}")]) == {short: LONG}


def test_names_that_are_legal_cost_nothing() -> None:
    prompt = Prompt("m", True, (), tools=(ToolDefinition("Read", "", b"{}"),))
    assert with_legal_names(prompt) is prompt
