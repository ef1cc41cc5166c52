"""The dashboard in a real browser, driven by Playwright: the system's `chromium`, or what CHROMIUM_BIN names."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from tests.browser.watched import Watched
from tests.support.live import Live

# Without these the browser looks for updates and the like, which has no place in a test.
QUIET = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="needs the extra 'browser'")
    found = os.environ.get("CHROMIUM_BIN") or shutil.which("chromium") or shutil.which("google-chrome")
    if found is None:
        pytest.skip("no browser found: apt-get install chromium, or name one in CHROMIUM_BIN")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=found, args=QUIET)
        yield browser
        browser.close()


@pytest.fixture
def dashboard(chromium: Any, live: Live) -> Iterator[Callable[..., Watched]]:
    """Opens the page as `rlmc dashboard` would: `dashboard("#/period/all", width=390, scheme="dark")`."""
    with ExitStack() as pages:

        def opened(hash: str = "", *, width: int = 1280, scheme: str = "light", **context: Any) -> Watched:
            size = {"width": width, "height": 900}
            page = pages.enter_context(chromium.new_context(viewport=size, color_scheme=scheme, **context)).new_page()
            status, answer = live.control("POST", "/-/dashboard")
            assert status == 200, answer
            watched = Watched(page, f"http://127.0.0.1:{live.port}")
            watched.open(answer["url"], hash)
            return watched

        yield opened
