"""Recorded sessions of other programs: nothing in a file is fatal, and what is read can be reckoned with."""

from __future__ import annotations

import atexit
import shutil
import tempfile
import zlib
from pathlib import Path

from tests.fuzz.target import Target, cut

from rlmc.cascade.effects import effect_of
from rlmc.replay.readers import READERS, Reader, sniff
from rlmc.replay.readers.lines import first_lines
from rlmc.replay.readers.reader import Reading
from rlmc.replay.recorded import ReadingFaults, RecordedCall

_MOST = 10**13


def _target(reader: Reader, tokens: tuple[bytes, ...]) -> Target:
    def run(data: bytes) -> bool:
        path = _file(data)
        sniff(first_lines(path))
        assert reader.session_file(path) == path
        calls = _calls(reader, [path], ReadingFaults())
        for call in calls:
            _can_be_reckoned_with(call)
        if zlib.crc32(data) % 4 == 0:
            # A part of it, as a session that still goes on is read; and both, as one that goes on from another.
            part = _file(cut(data)[0] if data else b"", "part")
            _calls(reader, [part], ReadingFaults())
            _calls(reader, [part, path], ReadingFaults())
        return bool(calls)

    return Target(f"transcripts-{reader.name}", run, (*_COMMON, *tokens), 2_000)


_folders: list[Path] = []


def _file(data: bytes, name: str = "session") -> Path:
    """The bytes as a file, in a folder that goes with the process; a run under atheris ends without a word to Python,
    so there it goes with the folder for temporary files that the run is given."""
    if not _folders:
        _folders.append(Path(tempfile.mkdtemp()))
        atexit.register(shutil.rmtree, _folders[0], ignore_errors=True)
    path = _folders[0] / f"{name}.jsonl"
    path.write_bytes(data)
    return path


def _calls(reader: Reader, paths: list[Path], faults: ReadingFaults) -> list[RecordedCall]:
    return [call for calls in reader.sessions(paths, Reading(effect_of, faults, lambda _: None)) for call in calls]


def _can_be_reckoned_with(call: RecordedCall) -> None:
    counts = (call.input, call.cache_read, call.cache_write_5m, call.cache_write_1h, call.output)
    assert all(type(count) is int and 0 <= count <= _MOST for count in counts), counts
    assert min(call.calls, call.errors, call.text_chars, call.user_chars) >= 0
    assert call.latency_s is None or call.latency_s >= 0
    assert call.provider
    assert (call.effect is None) == (call.calls == 0)


_COMMON = (
    b'"timestamp":"2026-05-28T20:26:40.000Z"', b'"timestamp":"9999-12-31T23:59:59+00:01"', b'"timestamp":"0001-01-01"',
    b'"output_tokens":-1', b'"input_tokens":1000000000000', b'"cached_input_tokens":99', b"\n", b"\r\n", b"\xef\xbb\xbf",
    b'"model":"claude-opus-5-5"', b'"model":""', b'"model":"gpt-6"', b'"\\ud83d"', b'{"type":"text","text":"x"}',
)  # fmt: skip

_TOKENS: dict[str, tuple[bytes, ...]] = {
    "claude-code": (
        b'"isSidechain":true', b'"agentId":"a"', b'"isMeta":true', b'"isCompactSummary":true', b'"isApiErrorMessage":true',
        b'{"type":"tool_use","id":"t","name":"Read","input":{}}', b'{"type":"tool_result","tool_use_id":"t","is_error":true}',
        b'"subtype":"compact_boundary"', b'{"type":"thinking","thinking":"x"}', b'"<command-name>x"', b'"<synthetic>"',
        b'"requestId":"req_rlmc_1"', b'"cache_creation":{"ephemeral_1h_input_tokens":5}', b'"input":[1]', b'"input":"x"',
    ),
    "codex": (
        b'"type":"session_meta"', b'"type":"turn_context"', b'"type":"compacted"', b'"type":"token_usage_record"',
        b'"type":"token_count"', b'{"type":"function_call","call_id":"c","name":"shell","arguments":"{}"}',
        b'{"type":"custom_tool_call","call_id":"c","name":"apply_patch","input":"x"}', b'"ordinal":1', b'"forked_from_id":"f"',
        b'{"type":"function_call_output","call_id":"c","output":"Exit code: 1"}', b'"subagent_history_start_ordinal":"2"',
        b'{"type":"local_shell_call","action":{"command":["ls"]}}', b'{"type":"reasoning","summary":[]}',
        b'"total_token_usage":{"input_tokens":5}', b'"last_token_usage":{"input_tokens":5}', b'"<environment_context"',
    ),
}  # fmt: skip

TARGETS = tuple(_target(reader, _TOKENS[reader.name]) for reader in READERS if reader.name in _TOKENS)
