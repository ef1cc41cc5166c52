"""What the bench sends and what it takes for a complete answer."""

from __future__ import annotations

import subprocess
import sys

import msgspec
import pytest
from tests.bench import answers, requests
from tests.bench.process import ROOT


class TestRequests:
    def test_are_as_large_as_they_say(self) -> None:
        assert len(requests.body_of("agent")) == len(requests.body_of("agent-mid-task")) == 100_000
        assert len(requests.body_of("small")) == len(requests.body_of("small-whole")) == 1_000

    def test_look_like_an_agents(self) -> None:
        request = msgspec.json.decode(requests.body_of("agent"))
        assert len(request["tools"]) == 17
        assert len(request["messages"]) == requests.MESSAGES
        roles = [message["role"] for message in request["messages"]]
        assert roles == ["user", "assistant"] * 10 + ["user"]
        assert [block["cache_control"]["type"] for block in request["system"]] == ["ephemeral"] * 2

    def test_a_task_begins_with_words_and_goes_on_with_the_result_of_a_read(self) -> None:
        *_, last = msgspec.json.decode(requests.body_of("agent"))["messages"]
        assert last["content"][0]["type"] == "text"
        *_, call, result = msgspec.json.decode(requests.body_of("agent-mid-task"))["messages"]
        assert call["content"][1]["name"] == "Read"
        assert result["content"][0]["tool_use_id"] == call["content"][1]["id"]

    def test_are_the_same_in_every_process(self) -> None:
        script = "import sys; from tests.bench.requests import body_of; sys.stdout.buffer.write(body_of('agent'))"
        again = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, check=True).stdout
        assert again == requests.body_of("agent")

    def test_tell_the_upstream_how_long_to_pause(self) -> None:
        user_id = msgspec.json.decode(requests.body_of("small", 50))["metadata"]["user_id"]
        assert requests.pause_of(user_id) == 50


class TestAnswers:
    @pytest.mark.parametrize("kind", ["text", "call"])
    def test_the_upstreams_own_are_complete(self, kind: answers.Kind) -> None:
        stream = b"".join(answers.events_of(kind))
        assert answers.problem(stream, kind, stream=True, exact=True) is None
        assert answers.problem(answers.whole(kind), kind, stream=False, exact=True) is None

    def test_the_stream_has_the_deltas_it_is_said_to_have(self) -> None:
        events = answers.events_of("text")
        assert len(events) == answers.EVENTS
        assert sum(b"text_delta" in event for event in events) == answers.DELTAS

    @pytest.mark.parametrize("kind", ["text", "call"])
    def test_the_same_cut_otherwise_is_complete_unless_every_byte_counts(self, kind: answers.Kind) -> None:
        stream = b": hello\n\n" + b"".join(answers.events_of(kind))
        assert answers.problem(stream, kind, stream=True, exact=False) is None
        assert answers.problem(stream, kind, stream=True, exact=True) is not None

    @pytest.mark.parametrize("kind", ["text", "call"])
    def test_without_any_one_of_its_events_that_matter_it_is_bad(self, kind: answers.Kind) -> None:
        events = answers.events_of(kind)
        matters = (b"text_delta", b"input_json_delta", b"message_delta", b"message_stop", b'"tool_use","id"')
        for index, event in enumerate(events):
            if any(word in event for word in matters):
                cut = b"".join(events[:index] + events[index + 1 :])
                assert answers.problem(cut, kind, stream=True, exact=False) is not None, event

    def test_an_error_inside_the_stream_is_bad(self) -> None:
        error = b'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"full"}}\n\n'
        stream = b"".join(answers.events_of("text")) + error
        problem = answers.problem(stream, "text", stream=True, exact=False)
        assert problem is not None
        assert "full" in problem

    @pytest.mark.parametrize("body", [b"", b"<html>", b"{}", b"null", b'{"content":[]}'])
    def test_anything_else_is_bad(self, body: bytes) -> None:
        assert answers.problem(body, "text", stream=False, exact=False) is not None
        assert answers.problem(body, "text", stream=True, exact=False) is not None
