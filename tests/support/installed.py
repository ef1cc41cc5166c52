"""The package as an installer leaves it: a copy in a folder of its own, of whatever version, over what is there."""

from __future__ import annotations

import shutil
from pathlib import Path

import rlmc

PACKAGE = Path(rlmc.__file__).parent


def install(folder: Path, version: str = rlmc.__version__) -> None:
    """For PYTHONPATH."""
    shutil.rmtree(folder / "rlmc", ignore_errors=True)
    shutil.copytree(PACKAGE, folder / "rlmc", ignore=shutil.ignore_patterns("__pycache__"))
    init = folder / "rlmc" / "__init__.py"
    init.write_text(init.read_text().replace(rlmc.__version__, version))


def install_another(folder: Path) -> None:
    """A version of which no module goes together with what runs."""
    for file in (folder / "rlmc").rglob("*.py"):
        file.write_text('raise RuntimeError("this is another version")\n')
