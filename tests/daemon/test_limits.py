"""The daemon may open more files than the shell that started it."""

from __future__ import annotations

import subprocess
import sys

_SAYS = """
import resource
resource.setrlimit(resource.RLIMIT_NOFILE, ({soft}, {hard}))
from rlmc.daemon.limits import allow_many_files
allow_many_files()
print(*resource.getrlimit(resource.RLIMIT_NOFILE))
"""


def limits_after(soft: int, hard: int) -> list[int]:
    code = _SAYS.format(soft=soft, hard=hard)
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    return [int(number) for number in said.split()]


def test_as_many_as_the_user_may_have() -> None:
    assert limits_after(256, 1000) == [1000, 1000]


def test_where_there_are_no_more_nothing_changes() -> None:
    assert limits_after(256, 256) == [256, 256]
