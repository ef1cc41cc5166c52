"""Takes reasoning out of a text that some models begin with `<think>…</think>`.

Rule: only at the very beginning is the tag a tag, wherever the pieces are cut; later it is what the model says.
"""

from __future__ import annotations

_OPEN, _CLOSE = "<think>", "</think>"


class ThinkSplitter:
    """Pieces of the text to what of them is thought and what is said. Blanks before the first word are held back."""

    def __init__(self) -> None:
        self._held = ""
        self._inside = False
        self._past = False  # the beginning is over
        self._dropping = False  # blanks after the closing tag

    def feed(self, text: str) -> tuple[str, str]:
        if self._past:
            return "", text
        self._held += text
        if self._inside:
            return self._think()
        start = self._held.lstrip()
        if not self._dropping and start.startswith(_OPEN):
            self._inside = True
            self._held = start[len(_OPEN) :]
            return self._think()
        if not start or (not self._dropping and _OPEN.startswith(start)):
            return "", ""
        said = start if self._dropping else self._held
        self._past, self._held = True, ""
        return "", said

    def rest(self) -> tuple[str, str]:
        """At the end of the text: what was held back and says something."""
        held, self._held = self._held, ""
        if self._inside:
            return held, ""
        return "", held if held.strip() else ""

    def _think(self) -> tuple[str, str]:
        thought, closed, after = self._held.partition(_CLOSE)
        if closed:
            self._inside, self._dropping, self._held = False, True, ""
            return thought, self.feed(after)[1]
        kept = next((n for n in range(len(_CLOSE) - 1, 0, -1) if thought.endswith(_CLOSE[:n])), 0)
        self._held = thought[len(thought) - kept :]
        return thought[: len(thought) - kept], ""
