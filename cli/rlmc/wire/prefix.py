"""Takes a word off the front of a text that comes in pieces.

Rule: nothing is let out while it could still be the word; a text that turns out not to begin with it comes out whole.
"""

from __future__ import annotations


class PrefixFilter:
    """`decided` is true once text passes freely. Blanks before the word and right after it go with it."""

    def __init__(self, word: str) -> None:
        self._word = word
        self._held = ""
        self._dropped = not word
        self.decided = not word

    def feed(self, text: str) -> str:
        """What of the text so far may go out now."""
        if self.decided:
            return text
        self._held += text
        if not self._dropped:
            start = self._held.lstrip()
            if start.startswith(self._word):
                self._dropped = True
                self._held = start[len(self._word) :]
            elif self._word.startswith(start):
                return ""
            else:
                return self.rest()
        self._held = self._held.lstrip()
        return self.rest() if self._held else ""

    def skip_blank(self) -> bool:
        """Forgets a text that ended blank before anything of the word came; false when there is something to say."""
        if self.decided or self._dropped or self._held.strip():
            return False
        self._held = ""
        return True

    def rest(self) -> str:
        """At the end of the text: what was held back and is no part of the word."""
        self.decided = True
        held, self._held = self._held, ""
        return held
