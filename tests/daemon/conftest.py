from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.daemons import own_folders


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    with own_folders(tmp_path, monkeypatch) as found:
        yield found
