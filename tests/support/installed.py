"""The package as an installer leaves it: a copy in a folder of its own, of whatever version, over what is there."""

from __future__ import annotations

import shutil
from pathlib import Path

import rlmc

PACKAGE = Path(rlmc.__file__).parent


def install(folder: Path, version: str = rlmc.__version__) -> None:
    """For PYTHONPATH. At no time is half of it there: a daemon may be started meanwhile."""
    beside, target = folder / "new", folder / "rlmc"
    shutil.copytree(PACKAGE, beside, ignore=shutil.ignore_patterns("__pycache__"))
    init = beside / "__init__.py"
    init.write_text(init.read_text().replace(rlmc.__version__, version))
    if target.exists():
        target.rename(folder / "old")
    beside.rename(target)
    shutil.rmtree(folder / "old", ignore_errors=True)


def install_another(folder: Path) -> None:
    """A version of which no module goes together with what runs."""
    for file in (folder / "rlmc").rglob("*.py"):
        file.write_text('raise RuntimeError("this is another version")\n')
