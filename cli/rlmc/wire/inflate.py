"""Decompresses a copy of relayed bytes, as far as the books need them.

Rule: it never raises and never grows without bound: what cannot be read, or unpacks to too much, reads as nothing more.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator

_PIECE = 256 * 1024
_MOST = 256 * 1024 * 1024

# By then it is known whether there is a header: both kinds tell within their first bytes.
_TOLD = 16
_GZIP_OR_ZLIB = 47
_RAW_DEFLATE = -15


class Inflater:
    """gzip, zlib and raw deflate. `failed` is true once the rest cannot be read."""

    def __init__(self) -> None:
        self.failed = False
        self._bits = _GZIP_OR_ZLIB
        self._engine = zlib.decompressobj(self._bits)
        self._begun = b""  # kept until the format is known: raw deflate has no header to tell it by
        self._told = False
        self._made = 0

    def feed(self, data: bytes) -> Iterator[bytes]:
        """The iterator must be read to its end."""
        while data and not self.failed:
            try:
                piece = self._engine.decompress(data, _PIECE)
            except zlib.error:
                if self._bits != _GZIP_OR_ZLIB or self._told:
                    self.failed = True
                    return
                self._bits = _RAW_DEFLATE
                self._engine = zlib.decompressobj(self._bits)
                data = self._begun + data
                continue
            if not self._told:
                self._begun += data
                self._told = bool(piece) or len(self._begun) > _TOLD
                self._begun = b"" if self._told else self._begun
            self._made += len(piece)
            if self._made > _MOST:
                self.failed = True
                return
            yield piece
            data = self._engine.unconsumed_tail
            if self._engine.eof:  # a further member may follow
                data = self._engine.unused_data
                self._engine = zlib.decompressobj(self._bits)
