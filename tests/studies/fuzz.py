"""Does any input at all make a codec raise something else than it may? Valid bytes of every protocol, damaged and read.

    python -m tests.studies.fuzz [--runs 100000] [--seed 1]

Requests may raise `WireError` and nothing else; decoders of streams and taps may raise nothing. Exit code 1, and the
bytes, where one does.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rlmc.domain.chat import Completion, Failure, Text, Thinking, ToolCall, Usage
from rlmc.domain.prompt import Attachment, OutputFormat, Prompt, PromptMessage, Result, ToolDefinition
from rlmc.domain.shape import Shape
from rlmc.errors import WireError
from rlmc.wire import PROTOCOLS, Codec

SHAPE = Shape(output_format=True, media=True, metadata=True, strict=True, cache_key=True, custom_tools=True)
USAGE = Usage(input=10, cache_read=90, cache_write_5m=5, output=42, thinking=7)
PROMPT = Prompt(
    "m",
    True,
    (
        PromptMessage("user", (Text("Fix it. é🦊"), Attachment("image", "image/png", data="AAAA"))),
        PromptMessage("assistant", (Text("Looking."), ToolCall("call_1", "Read", '{"path":"a\\n","n":[1.0,null]}'))),
        PromptMessage("user", (Result("call_1", (Text("one\ntwo"),), is_error=True), Text("and?"))),
        PromptMessage("assistant", (ToolCall("call_2", "exec", '{"input":"ls"}'),)),
        PromptMessage("user", (Result("call_2", (Text("ok"), Attachment("image", url="https://host/a.png"))),)),
    ),
    system=("You are.", "Be brief."),
    max_tokens=500,
    tools=(
        ToolDefinition("Read", "reads", b'{"type":"object","properties":{"path":{"type":"string"}}}', strict=True),
        ToolDefinition("exec", "runs", b'{"type":"object"}', custom=True, format=b'{"type":"text"}'),
    ),
    tool_choice="tool",
    forced_tool="Read",
    parallel_tools=False,
    output=OutputFormat(b'{"type":"object"}', strict=True),
    stop=("STOP",),
    temperature=b"0.5",
    cache_key="session",
    user="someone",
)
COMPLETION = Completion(
    "m",
    (
        Thinking(3),
        Text('Words, é🦊 \\ " and\nlines.'),
        ToolCall("c1", "Read", '{"path":"a"}'),
        ToolCall("c2", "Now", ""),
    ),
    "tool_use",
    USAGE,
    "id_1",
)

_FRAGMENTS = (
    b"null", b"true", b"-1", b"1e999", b"12345678901234567890123", b'""', b"[]", b"{}", b'"\\ud800"', b"[[[[", b"}]",
    b'{"type":', b'"type":"error",', b'"type":"response.output_item.done",', b'"index":-1,', b'"output_index":99,',
    b'"content":null,', b'"content":5,', b'"usage":{"input_tokens":-5},', b'"error":{"message":null},', b"data: [DONE]",
    b"\n\n", b"\r\n\r\n", b"\rdata: {}\r\r", b"data: ", b"event: ping\n", b"\xff\xfe", b"\xed\xa0\x80", b"\x00", b"NaN",
    b'"tools":[{"type":"namespace"}],', b'"role":"system",', b'"call_id":null,', b'"arguments":{"a":1},', b"[" * 3000,
)  # fmt: skip

_VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1.5, 10**30, "", "x", "é🦊", "auto", "user", "system", "text", "namespace",
    "function_call", "reasoning", "failed", "data:image/png;base64,", "{", '{"a":1}', "x" * 300, [], {}, [[]], [None],
    {"type": None}, [{"type": "text"}], {"type": "function"}, {"type": "input_image", "file_id": "f"},
    [{"type": "input_text"}],
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Reader:
    """What reads one kind of bytes, and whether it may refuse them."""

    name: str
    read: Callable[[bytes, random.Random], Any]
    may_refuse: bool
    seeds: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Fault:
    reader: str
    error: str
    data: bytes


def readers() -> list[Reader]:
    return [reader for codec in PROTOCOLS.values() for reader in _readers(codec)]


def _readers(codec: Codec) -> list[Reader]:
    requests = tuple(codec.write_prompt(PROMPT, "m", SHAPE, {}, stream=s, reason=True) for s in (True, False))
    answers = (codec.encode_completion(COMPLETION, USAGE),)
    streams = tuple(
        b"".join(codec.encode_completion_stream(one, USAGE))
        for one in (COMPLETION, Completion("m", (Text("Cut sho"),), "max_tokens", USAGE, "id_2"))
    )
    broken = (
        codec.encode_stream_error(529, "Overloaded"),
        streams[0][: streams[0].index(b"\n\n") + 2] + codec.encode_stream_error(500, "x"),
    )
    failures = (codec.encode_failure(429, Failure("rate_limit_error", "slow down")), codec.encode_error(400, "no"))

    def decode_stream(data: bytes, chance: random.Random) -> None:
        decoder = codec.stream_decoder()
        for piece in _cut(data, chance):
            decoder.feed(piece)
        decoder.close()

    def tap(data: bytes, chance: random.Random, *, stream: bool) -> None:
        watching = codec.usage_tap(stream=stream, encoding=None)
        for piece in _cut(data, chance):
            watching.feed(piece)
        watching.close()

    def name(what: str) -> str:
        return f"{codec.name} {what}"

    return [
        Reader(name("decode_request"), lambda data, _: codec.decode_request(data, b"key"), True, requests),
        Reader(name("read_prompt"), lambda data, _: _again(codec, data), True, requests),
        Reader(name("append_user_text"), lambda data, _: codec.append_user_text(data, "x"), True, requests),
        Reader(name("decode_completion"), lambda data, _: codec.decode_completion(data), True, answers),
        Reader(name("stream_decoder"), decode_stream, False, (*streams, *broken)),
        Reader(name("stream tap"), lambda data, chance: tap(data, chance, stream=True), False, (*streams, *broken)),
        Reader(name("body tap"), lambda data, chance: tap(data, chance, stream=False), False, answers),
        Reader(name("decode_failure"), lambda data, _: codec.decode_failure(500, data), False, failures),
    ]


def _again(codec: Codec, data: bytes) -> None:
    """What could be read can be written for every protocol."""
    prompt = codec.read_prompt(data)
    for other in PROTOCOLS.values():
        other.write_prompt(prompt, "m", SHAPE, {}, stream=True, reason=True)


def mutated(data: bytes, chance: random.Random) -> bytes:
    """Half of all are still JSON, of another shape; the others are bytes with one to four damages."""
    if chance.random() < 0.5:
        lines = data.split(b"\n")
        at = chance.choice([n for n, line in enumerate(lines) if b"{" in line])
        head, brace, rest = lines[at].partition(b"{")
        value = json.loads(brace + rest)
        for _ in range(chance.randint(1, 3)):
            _reshape(value, chance)
        lines[at] = head + json.dumps(value, ensure_ascii=chance.random() < 0.5).encode()
        return b"\n".join(lines)
    return _damaged(data, chance)


def _reshape(root: Any, chance: random.Random) -> None:
    """One value somewhere in the tree becomes another one, goes, or comes twice."""
    places: list[tuple[Any, Any]] = []
    todo = [root]
    while todo:
        node = todo.pop()
        found = list(node.items()) if isinstance(node, dict) else list(enumerate(node))
        places += [(node, key) for key, _ in found]
        todo += [child for _, child in found if isinstance(child, dict | list)]
    if not places:
        return
    node, key = chance.choice(places)
    match chance.randrange(4):
        case 0:
            del node[key]
        case 1 if isinstance(node, list):
            node.insert(key, node[key])
        case 2:
            other, name = chance.choice(places)
            # A copy: nothing may come to hold itself.
            node[key] = json.loads(json.dumps(other[name]))
        case _:
            node[key] = json.loads(json.dumps(chance.choice(_VALUES)))


def _damaged(data: bytes, chance: random.Random) -> bytes:
    new = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        at, size = chance.randrange(len(new) + 1), chance.randint(1, 60)
        match chance.randrange(6):
            case 0 if at < len(new):
                new[at] ^= 1 << chance.randrange(8)
            case 1 if chance.random() < 0.2:
                del new[at:]
            case 2:
                new[at:at] = new[at : at + size]
            case 3:
                del new[at : at + size]
            case 4:  # in the place of a value
                colon = new.find(b":", at)
                end = min((n for n in (new.find(b",", colon), new.find(b"}", colon)) if n >= 0), default=-1)
                if 0 <= colon < end:
                    new[colon + 1 : end] = chance.choice(_FRAGMENTS)
            case _:
                new[at:at] = chance.choice(_FRAGMENTS)
    return bytes(new)


def fuzz(runs: int, seed: int) -> tuple[Counter[str], list[Fault]]:
    """How often each reader read or refused, and what else came of it."""
    chance = random.Random(seed)  # the same bytes for the same seed
    known = readers()
    counts: Counter[str] = Counter()
    faults: list[Fault] = []
    for run in range(runs):
        reader = known[run % len(known)]
        data = mutated(chance.choice(reader.seeds), chance)
        try:
            reader.read(data, chance)
            counts[f"{reader.name}: read"] += 1
        except WireError as error:
            if reader.may_refuse:
                counts[f"{reader.name}: refused"] += 1
            else:
                faults.append(Fault(reader.name, repr(error), data))
        except Exception as error:  # whatever it is: that is what is looked for
            faults.append(Fault(reader.name, repr(error), data))
    return counts, faults


def _cut(data: bytes, chance: random.Random) -> list[bytes]:
    ends = sorted(chance.randrange(len(data) + 1) for _ in range(chance.randint(0, 5)))
    return [data[start:end] for start, end in zip([0, *ends], [*ends, len(data)], strict=True)]


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--runs", type=int, default=100_000)
    options.add_argument("--seed", type=int, default=1)
    asked = options.parse_args()
    began = time.perf_counter()
    counts, faults = fuzz(asked.runs, asked.seed)
    seconds = time.perf_counter() - began
    for name, count in sorted(counts.items()):
        print(f"{name:40} {count:>8,}")
    for fault in faults[:20]:
        print(f"{fault.reader}: {fault.error[:200]}\n  {fault.data[:2000]!r}")
    print(f"{asked.runs:,} inputs in {seconds:.0f} s ({asked.runs / seconds:,.0f} a second), {len(faults):,} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
