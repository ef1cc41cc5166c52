"""The scripts of rlmc's own commands, rendered anew."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support.shells import Home, home
from typer.main import get_group

from rlmc.completion import SHELLS
from rlmc.completion.known import known_values
from rlmc.completion.tree import Command, read
from rlmc.launch.integrations import NAMES


@pytest.fixture(scope="session")
def rlmc_tree() -> Command:
    from rlmc.app import app

    return read(get_group(app), known_values(NAMES))


@pytest.fixture(scope="session")
def scripts(rlmc_tree: Command, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A file for each shell, by the shell's name."""
    folder = tmp_path_factory.mktemp("scripts")
    for one in SHELLS:
        (folder / one.file).write_text(one.render(rlmc_tree), encoding="utf-8")
    return {one.name: folder / one.file for one in SHELLS}


@pytest.fixture
def own_home(tmp_path: Path) -> Home:
    return home(tmp_path / "home")
