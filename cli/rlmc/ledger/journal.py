"""What is recorded and not yet in the database, in a file of its own: a daemon that is killed loses no finished row.

Rule: a record is in the file before `append` returns, and goes only once the database has it: all at once when it has
all that the file holds, or, where a busy daemon never comes to that, when much of it is no longer needed. It is written
to be read once, by the next start; a last frame that is only half there was never told to anybody.

A frame is the length of its payload and a CRC-32 of it (two big-endian 32-bit numbers), then the payload: a letter for
the kind of record, and the record in MessagePack. Older versions left turns that are no rows yet; they are read, too.
A process that lives holds a lock on its file, so that two daemons over one ledger keep apart.
"""

from __future__ import annotations

import fcntl
import os
import struct
import time
import zlib
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from rlmc.domain.record import SessionRecord, TurnRecord
from rlmc.ledger.rows import TurnRows, turn_rows

Record = TurnRows | SessionRecord

SUFFIX = ".pending"
_KINDS: dict[bytes, type[Record | TurnRecord]] = {b"r": TurnRows, b"s": SessionRecord, b"t": TurnRecord}
_PACK = msgspec.msgpack.Encoder().encode
_PRIVATE = os.O_CLOEXEC | os.O_NOFOLLOW
_HEAD = struct.Struct(">II")
_MOST_FILES = 16
_MOST_DONE = 4 * 1024 * 1024


class Journal:
    """An open file that nobody else writes. `left` are the records an earlier daemon left in it, the oldest first;
    `unreadable` counts those that are damaged or of another version."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path = path
        self._descriptor = descriptor
        self.left: list[Record] = []
        self.unreadable = 0
        # Of the records the database has not taken, in their order, and of those it has.
        self._lengths: deque[int] = deque()
        self._done = 0
        self._size = self._take_in()

    @classmethod
    def open(cls, ledger: Path) -> Journal:
        """The journal beside a ledger; where a living daemon has one, another beside it. What dead ones left is taken
        over. Raises OSError."""
        ledger.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        for path in _paths(ledger):
            descriptor = _opened(path)
            if _locked(descriptor) and not _named(descriptor):  # whoever had it took its name away meanwhile
                os.close(descriptor)
                descriptor = _opened(path)
            try:
                if _locked(descriptor):
                    journal = cls(path, descriptor)
                    journal._inherit(ledger)
                    return journal
            except BaseException:
                os.close(descriptor)  # and the lock with it
                raise
            os.close(descriptor)
        raise OSError(f"{_MOST_FILES} daemons use {ledger}")

    @property
    def held(self) -> int:
        """How many records wait for the database."""
        return len(self._lengths)

    @property
    def exists(self) -> bool:
        """False once somebody has deleted the file under us."""
        return _named(self._descriptor)

    def append(self, record: Record) -> None:
        """Raises OSError; the file then holds what it held before."""
        frame = _frame(record)
        try:
            written = os.write(self._descriptor, frame)
            if written < len(frame):
                raise OSError(f"{self.path} took {written} of {len(frame)} bytes")
        except OSError:
            with suppress(OSError):
                os.ftruncate(self._descriptor, self._size)
            raise
        self._size += len(frame)
        self._lengths.append(len(frame))

    def release(self, count: int) -> None:
        """So many of its records, the oldest ones, are in the database. With the last one of them the file is empty."""
        for _ in range(count):
            self._done += self._lengths.popleft()
        if not self._lengths and self._size:
            with suppress(OSError):
                os.ftruncate(self._descriptor, 0)
                self._size = self._done = 0
        elif self._done > _MOST_DONE:
            with suppress(OSError):
                self._begin_anew()

    def close(self) -> None:
        """An empty one goes, as it tells nobody anything."""
        if not self._size and self.exists:
            with suppress(OSError):
                self.path.unlink()
        os.close(self._descriptor)

    def _begin_anew(self) -> None:
        """Another file in the place of this one, with what is still to be written. A record that a kill leaves in both
        is written twice, which is the same as once."""
        rest = os.pread(self._descriptor, self._size - self._done, self._done)
        beside = self.path.with_name(f"{self.path.name}.new")
        descriptor = os.open(beside, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND | _PRIVATE, 0o600)
        try:
            if not _locked(descriptor) or os.write(descriptor, rest) < len(rest):
                raise OSError(f"{beside} cannot be written")
            beside.rename(self.path)
        except BaseException:
            os.close(descriptor)
            raise
        os.close(self._descriptor)
        self._descriptor, self._size, self._done = descriptor, len(rest), 0

    def _take_in(self) -> int:
        """Reads what is there and cuts off what cannot be read; returns how much is left."""
        raw = _read(self._descriptor)
        good = begin = 0
        for record, end in _records(raw):
            good = end
            if record is None:
                self.unreadable += 1
            else:
                self.left.append(record)
                self._lengths.append(end - begin)
                begin = end
        if self.unreadable:
            _set_aside(self.path, raw)
            good = good if self.left else 0  # else nothing that is written later would ever clear it
        if good < len(raw):
            os.ftruncate(self._descriptor, good)
        return good

    def _inherit(self, ledger: Path) -> None:
        """The records of daemons that died beside another one."""
        for path in _paths(ledger):
            if path == self.path or not path.exists():
                continue
            descriptor = os.open(path, os.O_RDWR | _PRIVATE)
            try:
                if _locked(descriptor):
                    raw = _read(descriptor)
                    found = [record for record, _ in _records(raw)]
                    if None in found:
                        self.unreadable += found.count(None)
                        _set_aside(path, raw)
                    for record in found:
                        if record is not None:
                            self.append(record)
                            self.left.append(record)
                    path.unlink(missing_ok=True)
            finally:
                os.close(descriptor)


def _paths(ledger: Path) -> Iterator[Path]:
    yield ledger.with_suffix(SUFFIX)
    for number in range(2, _MOST_FILES + 1):
        yield ledger.with_suffix(f"{SUFFIX}-{number}")


def _opened(path: Path) -> int:
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | _PRIVATE, 0o600)


def _named(descriptor: int) -> bool:
    return os.fstat(descriptor).st_nlink > 0


def _locked(descriptor: int) -> bool:
    """Whether the lock is ours now. Where the file system knows no locks, nobody can hold one."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True


def _read(descriptor: int) -> bytes:
    size = os.fstat(descriptor).st_size
    return os.pread(descriptor, size, 0) if size else b""


def _set_aside(path: Path, raw: bytes) -> None:
    """What cannot be read is kept beside it, for a version, or somebody, that can."""
    beside = path.with_name(f"{path.name}.unread-{time.time_ns():x}")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "wb") as out:
        out.write(raw)


def _frame(record: Record) -> bytes:
    kind = b"r" if isinstance(record, TurnRows) else b"s"
    try:
        payload = kind + _PACK(record)
    except UnicodeEncodeError:
        # A file's name may hold bytes that are no text.
        payload = kind + _PACK(_as_text(msgspec.to_builtins(record, builtin_types=(bytes,))))
    return _HEAD.pack(len(payload), zlib.crc32(payload)) + payload


def _as_text(value: Any) -> Any:
    match value:
        case str():
            return value.encode("utf-8", "replace").decode()
        case dict():
            return {_as_text(key): _as_text(item) for key, item in value.items()}
        case list() | tuple():
            return [_as_text(item) for item in value]
    return value


def _records(raw: bytes) -> Iterator[tuple[Record | None, int]]:
    """Each whole frame's record, None where it is damaged or of another version, and where the frame ends."""
    at = 0
    while at + _HEAD.size <= len(raw):
        length, check = _HEAD.unpack_from(raw, at)
        begin, end = at + _HEAD.size, at + _HEAD.size + length
        payload = raw[begin:end]
        if end > len(raw) or not payload:
            return
        kind = _KINDS.get(payload[:1])
        record = None
        if kind is not None and zlib.crc32(payload) == check:
            with suppress(msgspec.DecodeError):
                found = msgspec.msgpack.decode(payload[1:], type=kind)
                record = turn_rows(found) if isinstance(found, TurnRecord) else found
        yield record, end
        at = end
