"""Changing the user's configuration file: one writer at a time, all or nothing, and never over a file it cannot read.

Rule: a change that would make a valid configuration invalid is refused. One that leaves an already invalid file
invalid is let through, because that is how a file with two mistakes is mended.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import time
from collections.abc import Collection, Iterator
from decimal import Decimal
from pathlib import Path

from rlmc.config import document, edit, lookup, paths
from rlmc.config.load import load
from rlmc.domain.frozen import dataclass
from rlmc.errors import ConfigError

_LOCK_PATIENCE = 10.0


@dataclass(frozen=True, slots=True)
class Change:
    """What a write did. `problem` is what is still wrong with the file, None when it is valid."""

    path: Path
    changed: bool
    problem: ConfigError | None = None


def set_key(name: str, text: str, *, providers: Collection[str], path: Path | None = None) -> Change:
    """Give `name` the value `text` in the user's file."""
    source = "given on the command line"
    value = _toml_value(lookup.parse(name, text, source), text.strip())
    file = path or paths.config_file()
    with locked(file):
        old = document.read(file)
        return _store(old, edit.with_value(old.text, name, value, file), name, providers)


def unset_key(name: str, *, providers: Collection[str], path: Path | None = None) -> Change:
    """Take `name` out of the user's file. An unknown key is an error, unless the file has it: then it goes."""
    file = path or paths.config_file()
    with locked(file):
        old = document.read(file)
        if name not in old.values:
            lookup.find(name, "given on the command line")
            return Change(file, changed=False)
        return _store(old, edit.without(old.text, name, file), name, providers)


def replace_file(file: Path, text: str) -> None:
    """Put `text` in the place of `file` in one step, readable by its owner only. A symbolic link stays one."""
    target = file.resolve()
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as out:
                out.write(text.encode("utf-8"))
                out.flush()
                os.fsync(out.fileno())
            temporary.replace(target)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise _cannot_write(file, error) from error


@contextlib.contextmanager
def locked(file: Path) -> Iterator[None]:
    """Only one process at a time changes `file`; waits a little for the other one."""
    lock = file.with_name(f"{file.name}.lock")
    try:
        paths.ensure_dir(file.parent)
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise _cannot_write(file, error) from error
    try:
        deadline = time.monotonic() + _LOCK_PATIENCE
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError as error:
                if time.monotonic() > deadline:
                    raise ConfigError(
                        f"Another process has held {lock} for {_LOCK_PATIENCE:.0f} seconds; nothing was changed.",
                        "Look for another `rlmc config` that still runs, then try again.",
                    ) from error
                time.sleep(0.02)
        yield
    finally:
        os.close(descriptor)


def _store(old: document.Document, text: str, name: str, providers: Collection[str]) -> Change:
    if text == old.text:
        return Change(old.path, changed=False, problem=problem_with(old.path, old.text, providers))
    before = problem_with(old.path, old.text, providers)
    after = problem_with(old.path, text, providers)
    if after is not None and before is None:
        raise ConfigError(f"{name} was not changed, because then: {after.message}", after.hint)
    replace_file(old.path, text)
    return Change(old.path, changed=True, problem=after)


def problem_with(path: Path, text: str, providers: Collection[str]) -> ConfigError | None:
    """What is wrong with `text` as the file at `path`, None when nothing is."""
    try:
        load(path, env={}, providers=providers, text=text)
    except ConfigError as error:
        return error
    return None


def _toml_value(checked: object, text: str) -> edit.TomlValue:
    """How a value is kept in the file: natively where TOML has a type for it, else as the user wrote it."""
    if isinstance(checked, bool):
        return checked
    if isinstance(checked, int | float | Decimal):
        number = Decimal(str(checked)) if text.startswith("$") or text.replace(".", "").isdigit() else None
        if number is None:
            return text
        return int(number) if number == int(number) else number
    return str(checked)


def _cannot_write(file: Path, error: OSError) -> ConfigError:
    return ConfigError(
        f"The configuration file {file} cannot be written: {error.strerror or error}.",
        "Check the permissions of its folder, or set RLMC_CONFIG_DIR to another folder.",
    )
