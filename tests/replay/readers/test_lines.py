from __future__ import annotations

import tempfile
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rlmc.replay.readers import lines as module
from rlmc.replay.readers.lines import decoded, first_lines, lines
from rlmc.replay.recorded import ReadingFaults

ANYTHING = msgspec.json.Decoder(dict[str, object])


def read(path: Path) -> tuple[list[bytes], ReadingFaults, int]:
    faults, steps = ReadingFaults(), list[int]()
    found = list(lines(path, faults, steps.append))
    return found, faults, sum(steps)


@given(
    pieces=st.lists(st.binary(max_size=30).map(lambda b: b.replace(b"\n", b"")), max_size=12),
    chunk=st.integers(1, 40),
    ended=st.booleans(),
)
def test_lines_are_the_same_however_the_file_is_read(pieces: list[bytes], chunk: int, ended: bool) -> None:
    data = b"\n".join(pieces) + (b"\n" if ended else b"")
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_CHUNK", chunk)
        path = Path(folder) / "f.jsonl"
        path.write_bytes(data)
        found, faults, size = read(path)
    if data.startswith(b"\xef\xbb\xbf"[:chunk]):
        return  # a byte order mark is taken off where it comes whole
    assert found == [line for piece in pieces if (line := piece.strip())]
    assert (faults, size) == (ReadingFaults(), len(data))


@pytest.mark.parametrize("ending", [b"\n", b"\r\n"])
def test_marks_and_endings_of_other_systems(tmp_path: Path, ending: bytes) -> None:
    path = tmp_path / "f.jsonl"
    path.write_bytes(b"\xef\xbb\xbf" + ending.join([b'{"a":1}', b"", b'{"b":2}']))
    assert read(path)[0] == first_lines(path) == [b'{"a":1}', b'{"b":2}']


def test_a_line_beyond_all_measure_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_CHUNK", 16)
    monkeypatch.setattr(module, "LONGEST", 100)
    path = tmp_path / "f.jsonl"
    path.write_bytes(b"\n".join([b"a" * 100, b"b" * 101, b"c" * 1_000, b"d", b"e" * 500]))
    found, faults, size = read(path)
    assert found == [b"a" * 100, b"d"]
    assert (faults, size) == (ReadingFaults(broken=3), path.stat().st_size)


def test_a_file_that_is_gone_or_breaks_off_is_a_fault(tmp_path: Path) -> None:
    assert read(tmp_path / "none.jsonl") == ([], ReadingFaults(files=1), 0)
    assert read(tmp_path) == ([], ReadingFaults(files=1), 0)
    assert first_lines(tmp_path / "none.jsonl") == []


def test_the_first_lines_of_a_file_with_one_long_one(tmp_path: Path) -> None:
    path = tmp_path / "f.jsonl"
    path.write_bytes(b"x" * 200_000 + b"\ny")
    assert [len(line) for line in first_lines(path)] == [200_000, 1]
    assert [len(line) for line in first_lines(path, count=1)] == [200_000]


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        (b'{"a":"\\ud83c\\udf89"}', {"a": "\U0001f389"}),
        (b'{"a":"cut \\ud83c"}', {"a": "cut ?"}),
        (b'{"a":"\\udf89 cut"}', {"a": "? cut"}),
        (b'{"a":"\\\\ud83c \\ud83c"}', {"a": "\\ud83c ?"}),
        (b'{"a":"\xff"}', None),
        (b"{", None),
        (b"[]", None),
        (b'{"a":' + b"[" * 100_000, None),
    ],
)
def test_what_is_decoded_and_what_is_not(raw: bytes, value: dict[str, object] | None) -> None:
    assert decoded(ANYTHING, raw) == value
