"""A transcript as a tree: what stood before an answer is the way to it, as the model saw it, and nothing else."""

from __future__ import annotations

import json
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from rlmc.calibrate.transcript import Transcript
from rlmc.upstream.simulated.body import decode

Json = dict[str, Any]


class Lines:
    """Writes a session's lines; each stands after the one before it, unless told otherwise."""

    def __init__(self) -> None:
        self.lines: list[Json] = []
        self._last: str | None = None

    def add(self, kind: str, message: Json | None, *, after: str | None = "", **more: Any) -> str:
        uuid = f"u{len(self.lines)}"
        parent = self._last if after == "" else after
        line = {"type": kind, "uuid": uuid, "parentUuid": parent, "sessionId": "s", "cwd": "/p", "isSidechain": False}
        self.lines.append(line | ({"message": message} if message is not None else {}) | more)
        self._last = uuid
        return uuid

    def user(self, content: Any, **more: Any) -> str:
        return self.add("user", {"role": "user", "content": content}, **more)

    def result(self, call: str, content: Any = "ok", *, error: bool | None = None, **more: Any) -> str:
        block = {"type": "tool_result", "tool_use_id": call, "content": content}
        return self.user([block | ({} if error is None else {"is_error": error})], **more)

    def says(self, message: str, *blocks: Json, stop: str | None = None, **more: Any) -> str:
        body = {"id": message, "role": "assistant", "model": "claude-opus-5-5", "content": list(blocks)}
        return self.add("assistant", body | {"stop_reason": stop}, requestId=f"req_{message}", **more)

    def calls(self, message: str, call: str, name: str = "Read", **more: Any) -> str:
        return self.says(message, use(call, name), **more)

    def read(self) -> Transcript:
        transcript = Transcript()
        for line in self.lines:
            transcript.add(json.dumps(line).encode())
        return transcript


def use(call: str, name: str = "Read") -> Json:
    return {"type": "tool_use", "id": call, "name": name, "input": {"file_path": f"/{call}"}}


def text(said: str) -> Json:
    return {"type": "text", "text": said}


def messages(transcript: Transcript, key: str) -> Any:
    """As plain JSON, and known to be a conversation the API takes."""
    found = transcript.messages(transcript.answers[key])
    if found is None:
        return None
    raw = msgspec.json.encode({"model": "m", "max_tokens": 1, "messages": found})
    decode(raw)
    return json.loads(raw)["messages"]


def shape(found: Any) -> list[list[str]]:
    """Who says what, in short."""
    short = {"text": "text", "tool_use": "id", "tool_result": "tool_use_id"}
    return [[message["role"], *(block[short[block["type"]]] for block in message["content"])] for message in found]


def test_the_way_to_an_answer() -> None:
    t = Lines()
    t.user("Fix it.")
    t.says("m1", {"type": "thinking", "thinking": "Hm.", "signature": "AAAA"})
    t.says("m1", text("I look."))
    t.calls("m1", "c1")
    t.result("c1", "1\tx = 1", toolUseResult={"originalFile": "all of it"})
    t.calls("m2", "c2", "Edit", stop="tool_use")
    t.result("c2")
    t.says("m3", text("Done."))
    read = t.read()
    assert messages(read, "m3") == [
        {"role": "user", "content": [{"type": "text", "text": "Fix it."}]},
        {
            "role": "assistant",
            "content": [
                {"type": "text", "text": "I look."},
                {"type": "tool_use", "id": "c1", "name": "Read", "input": {"file_path": "/c1"}},
            ],
        },
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c1", "content": "1\tx = 1"}]},
        {
            "role": "assistant",
            "content": [{"type": "tool_use", "id": "c2", "name": "Edit", "input": {"file_path": "/c2"}}],
        },
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c2", "content": "ok"}]},
    ]
    assert read.tools == {"Read", "Edit"}
    assert read.directory == "/p"
    assert [read.complete(answer) for answer in read.answers.values()] == [True, True, True]
    before = read.before(read.answers["m3"])
    assert (before.results, before.errors, before.asked, before.media) == (1, 0, False, False)


def test_results_of_calls_made_at_once_lie_beside_the_way() -> None:
    t = Lines()
    t.user("Look at both.")
    first = t.calls("m1", "c1")
    second = t.calls("m1", "c2")
    t.result("c1", "one", after=first)
    t.result("c2", "two", after=second)
    t.says("m2", text("Seen."))
    assert shape(messages(t.read(), "m2")) == [
        ["user", "Look at both."],
        ["assistant", "c1", "c2"],
        ["user", "c1", "c2"],
    ]


def test_results_may_stand_between_an_answers_blocks() -> None:
    t = Lines()
    t.user("Look at both.")
    t.calls("m1", "c1")
    t.result("c1")
    t.calls("m1", "c2")
    t.result("c2")
    t.says("m2", text("Seen."))
    found = shape(messages(t.read(), "m2"))
    assert found == [["user", "Look at both."], ["assistant", "c1", "c2"], ["user", "c1", "c2"]]
    # What stood before the first of them knows nothing of its results.
    assert shape(messages(t.read(), "m1")) == [["user", "Look at both."]]


def test_a_way_that_was_left_is_not_part_of_the_other() -> None:
    t = Lines()
    t.user("Fix it.")
    fork = t.calls("m1", "c1")
    t.result("c1", "seen")
    t.says("m2", text("Wrong."))
    t.user("No.")
    t.says("m3", text("Sorry."))
    t.result("c1", "seen again", after=fork)
    t.says("m4", text("Right."))
    read = t.read()
    assert shape(messages(read, "m4")) == [["user", "Fix it."], ["assistant", "c1"], ["user", "c1"]]
    assert shape(messages(read, "m3"))[-1] == ["user", "No."]


def test_what_is_not_the_main_loops_is_passed_over() -> None:
    t = Lines()
    t.user("Fix it.")
    t.calls("m1", "c1", "Task")
    t.user("Sub-task.", isSidechain=True, after=None)
    t.says("side", text("Sub-answer."), isSidechain=True)
    t.says("agent", text("Another."), agentId="a1", after=None)
    t.result("c1", after="u1")
    t.add("assistant", {"id": "x", "model": "<synthetic>", "content": [text("API Error")]}, isApiErrorMessage=True)
    t.add("attachment", None)
    t.says("m2", text("Done."))
    read = t.read()
    assert list(read.answers) == ["m1", "m2"]
    assert shape(messages(read, "m2")) == [["user", "Fix it."], ["assistant", "c1"], ["user", "c1"]]


def test_a_growing_answer_counts_once() -> None:
    t = Lines()
    t.user("Fix it.")
    t.says("m1", text("I look."))
    t.says("m1", text("I look."), use("c1"))
    t.says("m1", text("I look."), use("c1"), use("c2"))
    t.result("c1")
    t.result("c2")
    t.says("m2", text("Done."))
    read = t.read()
    assert shape(messages(read, "m2"))[1] == ["assistant", "I look.", "c1", "c2"]
    assert [block["type"] for block in read.recorded(read.answers["m1"])] == ["text", "tool_use", "tool_use"]


def test_a_summary_is_where_it_begins() -> None:
    t = Lines()
    t.user("Fix it.")
    t.calls("m1", "c1")
    t.result("c1")
    t.add("system", None, subtype="compact_boundary", after=None)
    t.user("This session is continued: it was about a fix.", isCompactSummary=True)
    t.calls("m2", "c2")
    t.result("c2")
    t.says("m3", text("Done."))
    found = shape(messages(t.read(), "m3"))
    assert found == [
        ["user", "This session is continued: it was about a fix."],
        ["assistant", "c2"],
        ["user", "c2"],
    ]


def test_what_a_request_offered_is_told_by_the_answers_reference() -> None:
    t = Lines()
    t.user("Fix it.")
    more: list[Json] = []
    for hash, name in (("h1", "Read"), ("h2", "Edit")):
        shape = {"system": [text(name)], "tools": [{"name": name}]}
        more.append({"type": "api-request-shape", "shapeHash": hash, "shape": shape})
        more.append({"type": "api-request", "id": f"r-{hash}", "shapeHash": hash})
    more.append({"type": "api-request-shape", "shapeHash": "h3", "shape": {"system": []}})
    more.append({"type": "api-request", "id": "r-h3", "shapeHash": "h3"})
    for n, reference in enumerate(("r-h1", "r-h2", "r-h3", "r-h4", None)):
        t.says(f"m{n}", text("Done."), requestRef=reference, after="u0")
    t.lines += more
    read = t.read()
    offers = [read.offer(answer) for answer in read.answers.values()]
    assert [None if offer is None else json.loads(bytes(offer.tools)) for offer in offers] == [
        [{"name": "Read"}],
        [{"name": "Edit"}],
        None,
        None,
        None,
    ]


def test_complete_or_not() -> None:
    t = Lines()
    t.user("Fix it.")
    t.calls("m1", "c1")
    t.says("m2", text("Half a"), stop="max_tokens", after="u0")
    t.says("m3", text("Half a"), after="u0")
    t.user("[Request interrupted by user]")
    t.says("m4", text("Whole."), after="u0")
    t.user("Thanks.")
    t.says("m5", {"type": "thinking", "thinking": "Hm.", "signature": ""}, after="u0")
    t.says("m6", text("I will"), stop="tool_use", after="u0")
    read = t.read()
    complete = {key: read.complete(answer) for key, answer in read.answers.items()}
    assert complete == {"m1": False, "m2": False, "m3": False, "m4": True, "m5": False, "m6": False}


def test_what_cannot_be_shown_to_another_model_is_no_conversation() -> None:
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "AAAA"}}
    strange = {"type": "server_tool_use", "id": "s1", "name": "web_search", "input": {}}
    for content in ([text("See."), image], [{"type": "tool_result", "tool_use_id": 7}], [{"type": "unknown"}]):
        t = Lines()
        t.user(content)
        t.says("m1", text("Seen."))
        assert messages(t.read(), "m1") is None
    t = Lines()
    t.user("Search.")
    t.says("m1", strange)
    t.user("And?")
    t.says("m2", text("Found."))
    assert messages(t.read(), "m2") is None
    t = Lines()
    t.user("Show.")
    t.calls("m1", "c1")
    t.result("c1", [image])
    t.says("m2", text("Seen."))
    read = t.read()
    assert read.before(read.answers["m2"]).media is True
    t = Lines()
    t.user("Run it.")
    t.calls("m1", "c1")
    t.user("Never mind.")
    t.says("m2", text("Fine."))
    assert messages(t.read(), "m2") is None


def test_the_same_answer_has_the_same_name_wherever_it_stands() -> None:
    def digests(cwd: str) -> list[str]:
        t = Lines()
        t.user("Fix it.", cwd=cwd)
        t.calls("m1", "c1")
        t.result("c1")
        t.says("m2", text("Done."))
        return [answer.digest for answer in t.read().answers.values()]

    assert digests("/p") == digests("/q")
    assert len(set(digests("/p"))) == 2


def test_a_file_that_leads_in_a_circle_ends() -> None:
    t = Lines()
    t.add("user", {"role": "user", "content": "a"}, after="u1")
    t.add("user", {"role": "user", "content": "b"})
    t.says("m1", text("Done."))
    read = t.read()
    assert read.before(read.answers["m1"]).chars > 0
    assert messages(read, "m1") is not None


plain = st.none() | st.booleans() | st.integers() | st.text(max_size=5)
anything = st.recursive(plain, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner))
kinds = st.sampled_from(["user", "assistant", "system", "attachment", "api-request", "api-request-shape"])
names = st.sampled_from(["u0", "u1", "u2", None, "x"])
blocks = st.fixed_dictionaries(
    {"type": st.sampled_from(["text", "tool_use", "tool_result", "image", "thinking"])},
    optional={
        "text": plain,
        "id": names,
        "name": plain,
        "input": anything,
        "tool_use_id": names,
        "content": anything,
        "is_error": plain,
    },
)
lines = st.fixed_dictionaries(
    {
        "type": kinds,
        "uuid": names,
        "parentUuid": names,
    },
    optional={
        "requestRef": names,
        "id": names,
        "shapeHash": names,
        "shape": anything | st.fixed_dictionaries({"system": anything, "tools": anything}),
        "rendered": anything | st.lists(st.fixed_dictionaries({"content": plain})),
        "message": anything
        | st.fixed_dictionaries({"content": st.lists(blocks) | plain}, optional={"id": names, "model": plain}),
    },
)


@given(st.lists(lines, max_size=6))
def test_whatever_the_lines_it_is_read(written: list[Json]) -> None:
    transcript = Transcript()
    for line in written:
        transcript.add(json.dumps(line).encode())
    transcript.add(b"\xff{")
    for answer in transcript.answers.values():
        transcript.before(answer)
        transcript.complete(answer)
        transcript.offer(answer)
        found = transcript.messages(answer)
        assert found is None or found[0]["role"] == "user"
        assert answer.digest
