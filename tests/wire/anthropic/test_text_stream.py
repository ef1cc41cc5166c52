"""A text answer written while it comes in is an answer like any other."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from rlmc.domain.chat import Text, Usage
from rlmc.wire.anthropic.codec import ANTHROPIC
from rlmc.wire.assemble import Assembler


@given(st.lists(st.text(), max_size=6), st.sampled_from(["end_turn", "max_tokens"]))
def test_what_was_said_is_what_is_read(texts: list[str], stop: str) -> None:
    writer = ANTHROPIC.text_stream(model="m", message_id="msg_1", usage=Usage(input=7, cache_read=3))
    raw = b"".join(writer.say(t) for t in texts) + writer.end(stop, 42)
    decoder, assembler = ANTHROPIC.stream_decoder(), Assembler()
    for delta in decoder.feed(raw) + decoder.close():
        assembler.feed(delta)
    found = assembler.result()
    assert found is not None
    assert found.text == "".join(texts)
    assert all(isinstance(p, Text) for p in found.parts)
    assert (found.model, found.id, found.stop_reason) == ("m", "msg_1", stop)
    assert found.usage == Usage(input=7, cache_read=3, output=42)
