"""Which tools of a request run where.

Rule: what cannot be told to run at the client is taken to run at the provider, whose own model must then answer.
"""

from __future__ import annotations

# Typed tools the client runs itself.
_CLIENT = ("bash_", "text_editor_", "memory_", "computer_", "browser_")


def runs_at_provider(kind: str | None) -> bool:
    """`kind` is the tool's `type`: web searches, code execution and the like, or a kind too new to say."""
    return kind not in {None, "custom"} and not str(kind).startswith(_CLIENT)
