"""What axe has against a page. Its script goes in by the debugger, so that the page keeps its content policy."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest


def objections(page: Any) -> list[str]:
    """Those that axe calls serious or critical."""
    found = importlib.util.find_spec("axe_playwright_python")
    if found is None or found.origin is None:
        pytest.skip("needs the extra 'browser'")
    page.evaluate((Path(found.origin).parent / "axe.min.js").read_text())
    result = page.evaluate("axe.run(document, {resultTypes: ['violations', 'incomplete']})")
    assert len(result["passes"]) > 10, "axe has looked at nothing"
    return [
        f"{one['id']}: {node['html'][:200]} {node.get('failureSummary', '')}"
        for one in result["violations"]
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"]
    ]
