"""Files of recorded sessions, written by hand, and what the readers make of them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from rlmc.domain.effect import Effect
from rlmc.replay.readers import find_files, read
from rlmc.replay.recorded import ReadingFaults, RecordedCall

Json = dict[str, Any]

EFFECTS = {"Read": Effect.READ, "Edit": Effect.EDIT, "apply_patch": Effect.EDIT, "update_plan": Effect.PLAN}


def effect_of(tool: str, arguments: str) -> Effect:
    """Enough of a classifier to see that readers hand over names and arguments."""
    json.loads(arguments)
    if tool in {"Bash", "exec_command", "shell"} and '"ls' in arguments:
        return Effect.SHELL_SAFE
    return EFFECTS.get(tool, Effect.UNSAFE)


def lines(records: Iterable[Json | str | bytes]) -> bytes:
    return b"".join(
        (r if isinstance(r, bytes) else r.encode() if isinstance(r, str) else json.dumps(r).encode()) + b"\n"
        for r in records
    )


def write(path: Path, *records: Json | str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(lines(records))
    return path


def sessions(*paths: Path) -> tuple[list[list[RecordedCall]], ReadingFaults]:
    """Every session in some files or folders, and what was passed over."""
    faults = ReadingFaults()
    found = find_files(paths, Path("/nonexistent"), faults)
    return list(read(found, effect_of, faults, lambda _: None)), faults


def calls(*paths: Path) -> list[RecordedCall]:
    return [call for session in sessions(*paths)[0] for call in session]
