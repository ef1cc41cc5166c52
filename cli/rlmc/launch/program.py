"""Finding the program behind the child's first word, with the exit codes every shell uses: 127 and 126."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from rlmc.errors import ChildNotExecutable, ChildNotFound


def find_program(word: str, environ: Mapping[str, str], directory: Path) -> str:
    """The file to execute. A word with a slash is a path, any other is looked for along PATH."""
    if "/" in word:
        path = directory / word
        try:
            path.stat()
        except PermissionError as error:
            raise ChildNotExecutable(f"{word}: {error.strerror}") from error
        except OSError as error:
            raise ChildNotFound(f"{word}: no such file") from error
        return str(_executable(path, word))
    found = None
    for folder in _folders(environ, directory):
        path = folder / word
        if os.path.isfile(path):  # noqa: PTH113 - false, not an error, where PATH names folders of others
            if os.access(path, os.X_OK):
                return str(path)
            found = found or path
    if found is not None:
        return str(_executable(found, word))
    raise ChildNotFound(f"{word}: command not found", _hint(word, environ, directory))


def _executable(path: Path, word: str) -> Path:
    if path.is_dir():
        raise ChildNotExecutable(f"{word}: is a directory")
    if not os.access(path, os.X_OK):
        raise ChildNotExecutable(f"{word}: {path} is not executable", f"chmod +x {path}")
    return path


def _folders(environ: Mapping[str, str], directory: Path) -> Iterator[Path]:
    for entry in environ.get("PATH", os.defpath).split(os.pathsep):
        yield directory / entry


def _hint(word: str, environ: Mapping[str, str], directory: Path) -> str:
    import difflib

    names: set[str] = set()
    for folder in _folders(environ, directory):
        try:
            names.update(entry.name for entry in folder.iterdir())
        except OSError:
            continue
    alike = difflib.get_close_matches(word, names, n=1, cutoff=0.7)
    aliases = f"if {word} is an alias or a function of your shell, give the path behind it"
    return f"did you mean {alike[0]}? Or {aliases}" if alike else aliases
