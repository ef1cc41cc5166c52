"""`rlmc config edit`: the user's editor on a copy of the file.

Rule: the file in force is replaced only by text that is valid, and nothing the user typed is ever thrown away.
"""

from __future__ import annotations

import os
import secrets
import shlex
import shutil
import signal
import subprocess
from collections.abc import Collection
from pathlib import Path

from rlmc.config import paths, template, write
from rlmc.errors import ConfigError, RlmcError


def edit_file(file: Path, providers: Collection[str]) -> bool:
    """Let the user edit `file`. False when they changed nothing."""
    command = _editor()
    before = _content(file)
    start = template.template().encode() if before is None else before
    copy = _copy(file, start)
    try:
        _run(command, copy)
        text = _content(copy)
        if text is None or text == start:
            return False
        problem = _problem(file, text, providers)
        if problem is not None:
            aside = _set_aside(copy, file)
            raise ConfigError(
                f"{problem.message} What you wrote is kept in {aside}; the settings in force are unchanged.",
                problem.hint,
            )
        with write.locked(file):
            if _content(file) != before:
                aside = _set_aside(copy, file)
                raise ConfigError(
                    f"{file} was changed by someone else while you edited it. What you wrote is kept in {aside}.",
                    "Run `rlmc config edit` again and bring the two together.",
                )
            write.replace_file(file, text.decode("utf-8"))
        return True
    finally:
        copy.unlink(missing_ok=True)


def _editor() -> list[str]:
    for variable in ("VISUAL", "EDITOR"):
        value = os.environ.get(variable, "").strip()
        if not value:
            continue
        try:
            return shlex.split(value)
        except ValueError as error:
            raise RlmcError(
                f"{variable} is {value!r}, which is no command: {error}.", f"Set {variable} anew."
            ) from error
    for name in ("nano", "vim", "vi"):
        if shutil.which(name):
            return [name]
    raise RlmcError("No editor was found.", "Set EDITOR to the command of your editor.")


def _run(command: list[str], copy: Path) -> None:
    # Ctrl-C belongs to the editor. A handler, not SIG_IGN, because the child would inherit that.
    before = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        code = subprocess.run([*command, str(copy)], check=False).returncode  # noqa: S603 - the user's own editor
    except OSError as error:
        raise RlmcError(
            f"The editor {command[0]} cannot be started: {error.strerror or error}.",
            "Set VISUAL or EDITOR to the command of your editor.",
        ) from error
    finally:
        signal.signal(signal.SIGINT, before)
    if code != 0:
        raise RlmcError(f"The editor {command[0]} ended with code {code}; nothing was changed.")


def _content(file: Path) -> bytes | None:
    try:
        return file.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ConfigError(f"{file} cannot be read: {error.strerror or error}.", "Check its permissions.") from error


def _copy(file: Path, content: bytes) -> Path:
    """A private copy beside the file, with an ending by which editors know the language."""
    copy = file.with_name(f".{file.stem}-{secrets.token_hex(4)}{file.suffix}")
    try:
        paths.ensure_dir(file.parent)
        with os.fdopen(os.open(copy, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
            out.write(content)
    except OSError as error:
        raise ConfigError(
            f"{file.parent} cannot be written: {error.strerror or error}.", "Check the permissions of this folder."
        ) from error
    return copy


def _problem(file: Path, content: bytes, providers: Collection[str]) -> ConfigError | None:
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        return ConfigError(f"The text is not UTF-8 (at byte {error.start}).", "Save it as UTF-8.")
    return write.problem_with(file, text, providers)


def _set_aside(copy: Path, file: Path) -> Path:
    aside = file.with_name(f"{file.name}.rejected")
    number = 1
    while aside.exists():
        number += 1
        aside = file.with_name(f"{file.name}.rejected-{number}")
    return copy.rename(aside)
