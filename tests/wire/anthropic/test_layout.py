from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.billing import _lay_out as billed
from tests.support.wire import bodies, fixture, raw_bodies

from rlmc.domain.layout import Layout
from rlmc.wire.anthropic.request import decode_request

Json = dict[str, Any]

MARK = {"cache_control": {"type": "ephemeral"}}
HOUR = {"cache_control": {"type": "ephemeral", "ttl": "1h"}}
IMAGE = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}}


def text(words: str, **more: Any) -> Json:
    return {"type": "text", "text": words, **more}


def use(call_id: str = "t1", **arguments: Any) -> Json:
    return {"type": "tool_use", "id": call_id, "name": "Read", "input": arguments}


def result(content: Any = "ok", call_id: str = "t1", **more: Any) -> Json:
    return {"type": "tool_result", "tool_use_id": call_id, "content": content, **more}


def tool(name: str, **more: Any) -> Json:
    return {"name": name, "description": f"Does {name}.", "input_schema": {"type": "object"}, **more}


def said(*blocks: Json | str, role: str = "user", **more: Any) -> Json:
    content = blocks[0] if len(blocks) == 1 and isinstance(blocks[0], str) else list(blocks)
    return {"role": role, "content": content, **more}


def layout(*messages: Json, key: bytes = b"", **fields: Any) -> Layout:
    return decode_request(json.dumps({"model": "m", "messages": list(messages), **fields}).encode(), key).layout


def shared(one: Layout, other: Layout) -> int:
    """How many blocks two prompts have in common."""
    same = [a == b for a, b in zip(one.digests, other.digests, strict=False)]
    return same.index(False) if False in same else len(same)


HELLO = said("hello")
TOOLS = [tool("Read"), tool("Bash")]
SYSTEM = [text("You are an agent."), text("Rules.")]
WHOLE: Json = {"tools": TOOLS, "system": SYSTEM}


# --- the blocks ---------------------------------------------------------------------------------------------------


def test_a_coding_agents_request() -> None:
    found = decode_request(fixture("request.json"))
    seen = found.layout
    # Two of the tools are held back, and the first system block is the client's own note to the API.
    assert seen.messages == (4, 6, 7, 10, 12, 15)
    assert seen.marks == ((2, "5m"), (3, "5m"), (16, "1h"))
    assert (len(seen.digests), seen.markers, seen.chars[-1]) == (17, 3, found.chars)
    assert seen.positions == (0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 13, 14, 14)


def test_tools_come_first_then_the_system_text_then_the_messages() -> None:
    seen = layout(said(text("a"), text("b")), said("c", role="assistant"), **WHOLE)
    assert seen.messages == (4, 6)
    assert [seen.place(block) for block in range(-1, 8)] == [None] * 5 + [(0, 0), (0, 1), (1, 0), None]


def test_a_message_without_blocks_has_no_place_in_the_prompt() -> None:
    seen = layout(said("a"), said(role="system"), said("b"), said(role="user"))
    assert [seen.place(block) for block in range(3)] == [(0, 0), (2, 0), None]


def test_a_request_without_a_prompt_has_an_empty_layout() -> None:
    assert layout(**MARK) == Layout(markers=1)


def test_runs_of_calls_and_of_results_share_a_place() -> None:
    seen = layout(
        said("go"),
        said(text("Two."), use("a"), use("b"), role="assistant"),
        said(result(call_id="a"), result(call_id="b"), text("and")),
        said(use("c"), role="assistant"),
        said(result(call_id="c")),
        said(result(call_id="d")),
    )
    assert seen.positions == (0, 1, 2, 2, 3, 3, 4, 5, 6, 6)


def test_markers_stand_where_they_are_written() -> None:
    inner = result([text("x", **HOUR), text("y")])
    seen = layout(
        said(text("a"), text("b", **MARK)),
        said(use(), role="assistant"),
        said(inner),
        tools=[tool("Read", **HOUR)],
        system=[text("s", **MARK)],
    )
    assert seen.marks == ((0, "1h"), (1, "5m"), (3, "5m"), (5, "1h"))
    assert seen.markers == 4


def test_the_requests_own_marker_is_at_the_last_block() -> None:
    assert layout(said(text("a"), text("b")), **HOUR).marks == ((1, "1h"),)
    assert layout(said(text("a"), text("b", **MARK)), **HOUR).marks == ((1, "5m"),)


def test_a_marker_within_a_marked_result_spends_one_more_but_is_no_other_place() -> None:
    seen = layout(said(result([text("x", **HOUR)], **MARK)))
    assert (seen.marks, seen.markers) == (((0, "5m"),), 2)


def test_markers_outside_the_prompt_are_spent_all_the_same() -> None:
    deferred = tool("Glob", defer_loading=True, **MARK)
    attribution = text("x-anthropic-billing-header: cc_version=1;", **MARK)
    seen = layout(HELLO, tools=[deferred], system=[attribution])
    assert (len(seen.digests), seen.marks, seen.markers) == (1, (), 2)


# --- what counts, and what does not -----------------------------------------------------------------------------------


def test_a_string_is_one_text_block() -> None:
    assert layout(said("hi"), system="Be kind.") == layout(said(text("hi")), system=[text("Be kind.")])
    assert layout(said(text("a"), text("b"))).digests != layout(said("ab")).digests


def test_markers_are_no_part_of_the_prompt() -> None:
    plain = layout(said(text("a"), result([text("x")]), use(), role="user"), **WHOLE)
    marked = layout(
        said(text("a", **MARK), result([text("x", **HOUR)], **MARK), use() | HOUR),
        tools=[TOOLS[0] | MARK, TOOLS[1]],
        system=[SYSTEM[0], SYSTEM[1] | HOUR],
        **MARK,
    )
    assert plain.digests == marked.digests
    assert (plain.chars, plain.positions) == (marked.chars, marked.positions)


def test_held_back_tools_count_once_a_search_has_found_them() -> None:
    def asked(found: str, description: str) -> Layout:
        tools = [tool("Search"), tool("Glob", defer_loading=True, description=description)]
        return layout(HELLO, said(result([{"type": "tool_reference", "tool_name": found}])), tools=tools)

    before, after = asked("Glob", "Finds files."), asked("Glob", "Finds all files.")
    assert shared(before, after) == 2
    assert shared(asked("Other", "Finds files."), asked("Other", "Finds all files.")) == 3
    assert before.chars[-1] - before.chars[1] == len("Glob") + len("Finds files.") + len('{"type": "object"}')


def test_the_clients_note_to_the_api_is_no_part_of_the_prompt() -> None:
    def asked(*texts: str) -> Layout:
        return layout(HELLO, system=[text(t) for t in texts])

    assert asked("x-anthropic-billing-header: cc_version=1;", "Rules.") == asked("Rules.")
    late = asked("Rules.", "x-anthropic-billing-header: cc_version=1;")
    assert shared(late, asked("Rules.", "x-anthropic-billing-header: cc_version=2;")) == 1


@pytest.mark.parametrize(
    ("field", "kept"),
    [
        ({"tool_choice": {"type": "none"}}, 4),
        ({"tool_choice": {"type": "tool", "name": "Read"}}, 4),
        ({"tool_choice": {"type": "auto", "disable_parallel_tool_use": True}}, 4),
        ({"thinking": {"type": "adaptive"}}, 4),
        ({"thinking": {"type": "enabled", "budget_tokens": 2000}}, 4),
        ({"output_config": {"effort": "low"}}, 4),
        ({"output_format": {"type": "json_schema", "schema": {}}}, 4),
        ({"speed": "fast"}, 2),
        ({"system": [*SYSTEM, text("More.")]}, 4),
        ({"system": [text("You are."), SYSTEM[1]]}, 2),
        ({"tools": [TOOLS[0], tool("Edit")]}, 1),
        ({"tools": [tool("Read", strict=True), TOOLS[1]]}, 0),
        ({"tools": [TOOLS[0], {"type": "web_search_20260318", "name": "web_search", "max_uses": 3}]}, 1),
    ],
)
def test_a_change_leaves_in_the_cache_what_comes_before_it(field: Json, kept: int) -> None:
    asked = {**WHOLE, "tool_choice": {"type": "auto"}}
    assert shared(layout(HELLO, **asked), layout(HELLO, **(asked | field))) == kept


def test_a_typed_tool_counts_with_all_that_is_set() -> None:
    def search(**more: Any) -> Layout:
        return layout(HELLO, tools=[{"type": "web_search_20260318", "name": "web_search", **more}])

    assert search(max_uses=3).digests == search(max_uses=3, **MARK).digests
    assert shared(search(max_uses=3), search(max_uses=4)) == 0


@pytest.mark.parametrize(
    "field",
    [
        {"max_tokens": 5},
        {"stream": True},
        {"metadata": {"user_id": "u"}},
        {"temperature": 0.5},
        {"model": "other"},
        {"speed": None},
        {"thinking": None},
        {"output_config": None},
        {"field_of_tomorrow": 1},
    ],
)
def test_what_the_model_does_not_read_changes_nothing(field: Json) -> None:
    assert layout(HELLO, **WHOLE) == layout(HELLO, **(WHOLE | field))


def test_how_thoughts_are_shown_changes_nothing_but_how_long_they_may_be_does() -> None:
    def thinking(**more: Any) -> Layout:
        return layout(HELLO, thinking={"type": "adaptive", **more})

    assert thinking(display="updates") == thinking(display="omitted")
    assert shared(thinking(budget_tokens=1024), thinking(budget_tokens=1025)) == 0


def test_the_first_image_anywhere_changes_every_message() -> None:
    late = said(text("see"), IMAGE)
    in_result = said(result([text("see"), IMAGE]))
    before = layout(HELLO, said("more"), **WHOLE)
    assert shared(before, layout(HELLO, late, **WHOLE)) == 4
    assert shared(before, layout(HELLO, in_result, **WHOLE)) == 4
    assert shared(layout(said(IMAGE), HELLO), layout(said(IMAGE), said("other"))) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (text("a"), text("b")),
        (text("a"), text("a", citations=[{"type": "char_location"}])),
        (use(path="a"), use(path="b")),
        (use("t1"), use("t2")),
        (use(), use() | {"name": "Write"}),
        (result("a"), result("b")),
        (result("a"), result([text("a")])),
        (result("a"), result("a", is_error=True)),
        (result("a", "t1"), result("a", "t2")),
        (result([text("ab")]), result([text("a"), text("b")])),
        (result([IMAGE]), result([IMAGE | {"source": {"type": "url", "url": "u"}}])),
        (
            result([{"type": "search_result", "title": "a", "content": [text("x")]}]),
            result([{"type": "search_result", "title": "b", "content": [text("x")]}]),
        ),
        (
            {"type": "thinking", "thinking": "a", "signature": "s"},
            {"type": "thinking", "thinking": "b", "signature": "s"},
        ),
        (
            {"type": "thinking", "thinking": "a", "signature": "s"},
            {"type": "thinking", "thinking": "a", "signature": "t"},
        ),
        ({"type": "redacted_thinking", "data": "a"}, {"type": "redacted_thinking", "data": "b"}),
        (IMAGE, IMAGE | {"source": {"type": "url", "url": "u"}}),
        (
            {"type": "document", "source": {"type": "text", "data": "d"}, "title": "a"},
            {"type": "document", "source": {"type": "text", "data": "d"}, "title": "b"},
        ),
        ({"type": "block_of_tomorrow", "a": 1}, {"type": "block_of_tomorrow", "a": 2}),
        ({"type": "block_of_tomorrow", "a": 1}, {"type": "other_block", "a": 1}),
        (
            {
                "type": "web_search_tool_result",
                "tool_use_id": "s",
                "content": [{"type": "r", "encrypted_content": "a"}],
            },
            {
                "type": "web_search_tool_result",
                "tool_use_id": "s",
                "content": [{"type": "r", "encrypted_content": "b"}],
            },
        ),
    ],
)
def test_all_a_model_reads_of_a_block_counts(one: Json, other: Json) -> None:
    assert shared(layout(said(text("before"), one)), layout(said(text("before"), other))) == 1


@pytest.mark.parametrize(
    "block",
    [
        {"type": "document", "source": {"type": "text", "data": "d"}},
        {"type": "block_of_tomorrow", "b": 1, "a": {"cache_control": 1}},
        result([{"type": "search_result", "title": "a", "content": [text("x")]}]),
        result([{"type": "document", "x": 1}, text("y")]),
    ],
)
def test_kinds_that_are_not_read_here_count_whole_but_for_their_markers(block: Json) -> None:
    assert layout(said(block)).digests == layout(said(block | MARK)).digests
    assert layout(said(dict(reversed(block.items())))).digests == layout(said(block)).digests


def test_a_marker_inside_a_kind_that_is_not_read_here_is_no_part_of_the_prompt() -> None:
    plain = {"type": "search_result", "title": "a"}
    seen = layout(said(result([plain | HOUR])))
    assert seen.digests == layout(said(result([plain]))).digests
    assert seen.marks == ((0, "1h"),)


def test_who_says_it_counts() -> None:
    roles = [layout(said("x", role=role)).digests for role in ("user", "assistant", "system")]
    assert len(set(roles)) == 3
    assert layout(said("x", role="system")).digests != layout(system="x").digests


def test_what_a_message_sets_counts_from_there_on() -> None:
    effort = said(role="system", output_config={"effort": "low"})
    plain = layout(HELLO, said("x", role="assistant"), said("y"))
    assert shared(plain, layout(HELLO, effort, said("x", role="assistant"), said("y"))) == 1


def test_one_prompts_blocks_cannot_be_read_as_anothers() -> None:
    prompts = [
        layout(said(text("a"), text("b"))),
        layout(said("a"), said("b")),
        layout(said("atext"), said("b")),
        layout(said("a\x00b"), said("")),
        layout(said("a"), system="b"),
        layout(said("b"), system="a"),
        layout(said("b"), tools=[{"name": "a", "input_schema": {}}]),
    ]
    assert len({p.digests[-1] for p in prompts}) == len({p.digests for p in prompts})
    assert prompts[0].digests == prompts[1].digests, "messages of one role in a row are one"


def test_a_key_makes_the_digests_its_owners_own() -> None:
    assert not set(layout(HELLO, key=b"k" * 64).digests) & set(layout(HELLO, key=b"l").digests)
    assert {len(digest) for digest in layout(HELLO, **WHOLE).digests} == {8}


# --- properties -------------------------------------------------------------------------------------------------------


@given(raw_bodies)
def test_a_layout_holds_together(raw: bytes) -> None:
    found = decode_request(raw)
    seen = found.layout
    assert len(seen.digests) == len(seen.chars) == len(seen.positions)
    assert (seen.chars[-1] if seen.chars else 0) == found.chars
    assert list(seen.chars) == sorted(seen.chars)
    assert {b - a for a, b in zip(seen.positions, seen.positions[1:], strict=False)} <= {0, 1}
    assert [block for block, _ in seen.marks] == sorted({block for block, _ in seen.marks})
    assert all(0 <= block < len(seen.digests) for block, _ in seen.marks)
    assert seen.markers == found.cache_markers >= len(seen.marks)
    places = [seen.place(block) for block in range(len(seen.digests))]
    sizes = [len(m.parts) for m in found.messages]
    assert [p for p in places if p] == [(m, n) for m, size in enumerate(sizes) for n in range(size)]


def _without(value: Any, key: str) -> Any:
    if isinstance(value, dict):
        return {k: _without(v, key) for k, v in value.items() if k != key}
    return [_without(v, key) for v in value] if isinstance(value, list) else value


@given(bodies)
def test_no_marker_changes_a_digest(body: Json) -> None:
    plain = _without(body, "cache_control")
    assert decode_request(json.dumps(plain).encode()).layout.digests == (
        decode_request(json.dumps(body).encode()).layout.digests
    )


def _known_to_the_biller(body: Json) -> Json:
    """The request without what the biller's own walk knows nothing of, and in one spelling where it knows several."""
    system = body.get("system") or []
    blocks = [{"type": "text", "text": system}] if isinstance(system, str) else system
    tools = [tool for tool in body.get("tools", []) if not tool.get("defer_loading")]
    return {
        "model": "m",
        "tools": [{k: v for k, v in tool.items() if (k, v) != ("type", "custom")} for tool in tools],
        "system": [block for block in blocks if not block["text"].startswith("x-anthropic-billing-header")],
        "tool_choice": body.get("tool_choice"),
        "messages": [{"role": m["role"], "content": _plain(m["content"])} for m in body["messages"]],
    }


def _plain(content: Any) -> Any:
    if isinstance(content, str):
        return content
    blocks = [{k: v for k, v in block.items() if (k, v) != ("is_error", False)} for block in content]
    return [b | {"content": _without(b["content"], "cache_control")} if "content" in b else b for b in blocks]


@st.composite
def kin(draw: st.DrawFn) -> tuple[Json, Json]:
    """Two requests; the second is the first with something said after it, changed or taken away."""
    one, spare = _known_to_the_biller(draw(bodies)), _known_to_the_biller(draw(bodies))
    other: Json = json.loads(json.dumps(one))
    place = draw(st.integers(0, len(other["messages"]) - 1))
    match draw(
        st.sampled_from(["longer", "shorter", "message", "block", "word", "word", "system", "tools", "tool_choice"])
    ):
        case "longer":
            other["messages"] += spare["messages"]
        case "shorter":
            del other["messages"][place + 1 :]
        case "message":
            other["messages"][place] = spare["messages"][0]
        case "block":
            if isinstance(other["messages"][place]["content"], list):
                other["messages"][place]["content"].append({"type": "text", "text": "new"})
        case "word":
            blocks = [b for m in other["messages"] if isinstance(m["content"], list) for b in m["content"]]
            words = [(block, name) for block in blocks for name, value in block.items() if isinstance(value, str)]
            block, name = draw(st.sampled_from([pair for pair in words if pair[1] != "type"] or [({"": ""}, "")]))
            block[name] += "x"
        case field:
            other[field] = spare[field]
    return one, _without(other, "cache_control") if draw(st.booleans()) else other


@given(kin())
def test_prompts_share_what_they_share_by_an_independent_walk(two: tuple[Json, Json]) -> None:
    seen = [decode_request(json.dumps(body).encode()).layout for body in two]
    walks = [billed(body) for body in two]
    # The biller's walk has the tool choice as a block of its own behind the system text.
    choices = [len(body["tools"]) + len(body["system"]) for body in two]
    ends = [[n for n in range(1, len(walk[0]) + 1) if n - 1 != at] for walk, at in zip(walks, choices, strict=True)]
    for layout_, (_, marks, places), at in zip(seen, walks, choices, strict=True):
        assert layout_.positions == tuple(p - (n > at) for n, p in enumerate(places) if n != at)
        assert dict(layout_.marks) == {n - (n > at): lifetime for n, lifetime in marks.items()}
    if len({'"image"' in json.dumps(body) for body in two}) > 1:
        return  # of what a first image changes the biller knows nothing
    for digest, end in zip(seen[0].digests, ends[0], strict=True):
        for other, other_end in zip(seen[1].digests, ends[1], strict=True):
            assert (digest == other) == (walks[0][0][:end] == walks[1][0][:other_end])
