"""A page of the dashboard with everything noted that must not happen on it."""

from __future__ import annotations

import time
from typing import Any

_VIOLATIONS = """
    window.violations = [];
    addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI }) => {
        window.violations.push(`${violatedDirective} ${blockedURI}`);
    });
"""


class Watched:
    """`troubles` are warnings and errors of the console and of scripts, `strays` requests to others than the daemon."""

    def __init__(self, page: Any, origin: str) -> None:
        self.page = page
        self.troubles: list[str] = []
        self.strays: list[str] = []
        page.set_default_timeout(15_000)
        page.add_init_script(_VIOLATIONS)
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.troubles.append(f"script: {error}"))
        page.on("request", lambda sent: None if sent.url.startswith(f"{origin}/") else self.strays.append(sent.url))

    def _console(self, message: Any) -> None:
        if message.type in ("warning", "error"):
            self.troubles.append(f"{message.type}: {message.text}")

    def open(self, url: str, hash: str) -> None:
        self.page.goto(url)
        if hash:
            self.page.evaluate("hash => { location.hash = hash }", hash)
        self.page.wait_for_selector('#connection[data-state="live"]')

    def text(self, selector: str) -> str:
        found: str = self.page.locator(selector).first.inner_text()
        return found

    def turns(self, count: int) -> None:
        """Waits until the overview has so many."""
        self.page.wait_for_selector(f'#overview .grid[data-turns="{count}"]', state="attached")

    def until(self, expression: str, seconds: float = 15) -> None:
        """Playwright's own waiting evaluates strings in the page, which the page's content policy forbids."""
        deadline = time.monotonic() + seconds
        while not self.page.evaluate(expression):
            assert time.monotonic() < deadline, f"waited in vain for {expression}"
            self.page.wait_for_timeout(50)

    def line(self, name: str) -> str:
        """An amount of the account: `baseline`, `paid`, `saved`, `lost`, `draft-only`."""
        return self.text(f".bill .{name} .sum")

    @property
    def overflow(self) -> int:
        """How many pixels the page is wider than the window."""
        return int(self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))

    @property
    def focused(self) -> str:
        return str(self.page.evaluate("document.activeElement.textContent || document.activeElement.id"))

    def check(self) -> None:
        assert self.troubles == []
        assert self.strays == []
        assert self.page.evaluate("window.violations") == []
