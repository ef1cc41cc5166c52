"""The page's own files: a closed list, read once, so that no path leads anywhere else."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from rlmc.domain.frozen import dataclass

_FOLDER = Path(__file__).with_name("static")
_TYPES = {".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
INDEX = "index.html"


@dataclass(frozen=True, slots=True)
class StaticFile:
    content: bytes
    type: bytes
    etag: bytes


@cache
def static_files() -> Mapping[str, StaticFile]:
    """By their path below `static/`."""
    found = {}
    for path in sorted(_FOLDER.rglob("*")):
        kind = _TYPES.get(path.suffix)
        if kind is not None:
            content = path.read_bytes()
            etag = f'"{hashlib.blake2b(content, digest_size=12).hexdigest()}"'
            found[path.relative_to(_FOLDER).as_posix()] = StaticFile(
                content, f"{kind}; charset=utf-8".encode(), etag.encode()
            )
    return found
