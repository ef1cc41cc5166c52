"""What is called safe, given to real shells: nothing but the programs of the lists runs, and nothing is written.

The only other programs on the path leave a trace when they are run, and the lines are put together to make them run.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from tests.support.shells import shell

from rlmc.cascade.effects.shell import classify_command
from rlmc.domain.effect import Effect

PIECES = (
    *(
        "TRAP",
        "trap2",
        "ls",
        "cat a",
        "echo ",
        "true",
        "sed -n p a",
        "grep -n a a",
        "test ",
        "printf %d ",
        " ",
        " ",
        "\n",
    ),
    *(
        ";",
        "&&",
        "||",
        "|",
        "&",
        "(",
        ")",
        "{",
        "}",
        "<",
        ">",
        "2>&1",
        ">/dev/null",
        "<<<",
        "<<E\n",
        "'",
        '"',
        "`",
        "$(",
    ),
    *("\\", "\\\n", "\\ ", "#", " # ", "!", "[ ", " ]", "[[ ", " ]]", " = ", " -eq ", "-v ", "if ", "; then ", "; fi"),
    *(
        "for f in ",
        "; do ",
        "; done",
        "$f",
        '"$f"',
        "a=b ",
        "CI=1 ",
        "*",
        "?",
        "~",
        "=",
        "{a,b}",
        "$'",
        "<(",
        ">(",
        "$~f",
    ),
    *(
        "'a[$(TRAP)]'",
        "a[$(TRAP)]",
        "$f[TRAP]",
        "(e:TRAP:)",
        ":s/a/TRAP/",
        "=TRAP",
        "{fd}>",
        "$((",
        "))",
        "é",
        "a",
        "-t ",
    ),
)
BEGINNINGS = (
    "",
    "ls",
    "echo a",
    "cat a | grep -n a",
    "for f in a b; do echo $f; done",
    "[ -f a ] && ls",
    'echo "$(ls)"',
)
lines = st.builds(
    lambda begin, pieces, cut: "".join([begin[:cut], *pieces, begin[cut:]]),
    st.sampled_from(BEGINNINGS),
    st.lists(st.sampled_from(PIECES), min_size=1, max_size=6),
    st.integers(0, 40),
)


@pytest.fixture(scope="module", params=["bash", "zsh"])
def stage(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    program = shell(request.param)
    folder = tmp_path_factory.mktemp("stage")
    (folder / "bin").mkdir()
    for name in ("ls", "cat", "sed", "grep"):
        (folder / "bin" / name).symlink_to(shutil.which(name) or name)
    for name in ("TRAP", "trap2", "fd", "b", "f", "E"):
        (folder / "bin" / name).write_text(f"#!/bin/sh\n: > {folder}/sprung\n")
        (folder / "bin" / name).chmod(0o755)
    (folder / "work").mkdir()
    (folder / "work" / "a").write_text("a\nb\n")
    return program, folder


@given(line=lines)
@settings(max_examples=120, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow], deadline=None)
def test_a_safe_line_runs_and_writes_nothing_else(stage: tuple[str, Path], line: str) -> None:
    assume(classify_command(line) is Effect.SHELL_SAFE)
    program, folder = stage
    subprocess.run(
        [program, "-fc" if program.endswith("zsh") else "-c", line],
        cwd=folder / "work",
        env={"PATH": str(folder / "bin"), "HOME": str(folder / "work"), "LC_ALL": "C.UTF-8"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=20,
    )
    assert not (folder / "sprung").exists()
    assert os.listdir(folder / "work") == ["a"]  # noqa: PTH208 - names are all that is asked


def test_the_trap_would_spring(stage: tuple[str, Path]) -> None:
    program, folder = stage
    subprocess.run([program, "-c", "TRAP"], env={"PATH": str(folder / "bin")}, check=True)
    assert (folder / "sprung").exists()
    (folder / "sprung").unlink()
