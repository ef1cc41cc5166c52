from __future__ import annotations

import re
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from tests.support.wire import texts

from rlmc.wire.responses.request_shape import Tool
from rlmc.wire.responses.tools import Names


def declared(*tools: Tool) -> list[tuple[str, str, str]]:
    return [(tool.name, tool.namespace, tool.own_name) for tool in Names().declare(tools)]


def space(name: str, *tools: Tool) -> Tool:
    return Tool("namespace", name, tools=list(tools))


def test_a_namespace_is_part_of_the_name() -> None:
    assert declared(space("clock", Tool(name="sleep"))) == [("clock__sleep", "clock", "sleep")]


def test_functions_are_called_by_their_own_names() -> None:
    assert declared(space("functions", Tool("custom", "exec"))) == [("exec", "", "exec")]


def test_a_name_that_is_taken_gives_way() -> None:
    first, second = declared(Tool(name="a__b"), space("a", Tool(name="b")))
    assert first == ("a__b", "", "a__b")
    assert second[0] != "a__b"
    assert second[1:] == ("a", "b")


def test_what_runs_at_the_provider_is_left_out() -> None:
    assert declared(Tool("web_search"), space("a", Tool("mcp", "x"), Tool(name="y")), Tool("mcp")) == [
        ("a__y", "a", "y")
    ]


def test_calls_find_their_tools() -> None:
    names = Names()
    long = "x" * 80
    tools = list(names.declare([Tool(name="a__b"), space("a", Tool(name="b")), space(long, Tool(name="c"))]))
    for tool in tools:
        assert names.of_call(tool.namespace or None, tool.own_name) == tool.name
    assert names.of_call("functions", "a__b") == "a__b"
    assert names.of_call("of_nobody", "x") == "of_nobody__x"
    assert names.of_call(None, None) != ""


spaces: Any = st.lists(
    st.tuples(st.one_of(st.sampled_from(["functions", "a", "a b", "x" * 70]), texts), st.lists(texts, max_size=3)),
    max_size=4,
)


@given(spaces, spaces)
def test_names_are_legal_unique_and_stay(
    before: list[tuple[str, list[str]]], after: list[tuple[str, list[str]]]
) -> None:
    def named(all_: list[tuple[str, list[str]]]) -> list[tuple[str, str, str]]:
        return declared(*[space(name, *[Tool(name=own) for own in inner]) for name, inner in all_])

    found = named([*before, *after])
    assert named(before) == found[: sum(len(inner) for _, inner in before)]
    assert all(re.fullmatch(r"[A-Za-z0-9_-]{1,64}", name) for name, _, _ in found)
    assert len({name for name, _, _ in found}) == len({(space_, own) for _, space_, own in found})
