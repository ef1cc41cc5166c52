"""Whether a tool failed, told by its result: by the client's mark, or by how the text begins.

Only one protocol has such a mark, and not every client sets it.
"""

from __future__ import annotations

import re

from rlmc.domain.chat import ToolResult

_BEGINNING = 40
_FAILURES = (
    *("<tool_use_error>", "error:", "failed to "),
    *("file not found", "apply_patch verification failed", "script failed", "script error"),
)
# How a command ended, as Codex heads its output.
_HEAD = 300
_EXIT = re.compile(r"(?:[A-Z][^\n]*\n){0,3}(?:Exit code: [1-9]|Process exited with code [1-9])")


def has_failed(result: ToolResult) -> bool:
    beginning = result.text[:_BEGINNING].lstrip().lower()
    return result.is_error or beginning.startswith(_FAILURES) or _EXIT.match(result.text[:_HEAD]) is not None
