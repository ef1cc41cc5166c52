"""What the tests of real agents share: a user with a home and a project, fakes as upstreams, and `rlmc run` alone."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

PROMPT = "Change the greeting in hello.txt to goodbye."
KEYS = {"OPENAI_API_KEY": "sk-openai-0000", "ANTHROPIC_API_KEY": "sk-ant-0000", "DEEPSEEK_API_KEY": "sk-deep-0000"}
_OTHERS = ("ANTHROPIC", "OPENAI", "CLAUDE", "CODEX", "AIDER", "OPENCODE", "QWEN", "LITELLM", "XDG_")


def program(variable: str, version: str) -> str:
    """The agent a variable names; without it, or in another version, the test is skipped."""
    found = os.environ.get(variable)
    if not found:
        pytest.skip(f"{variable} is not set; these tests are written for {version}")
    said = subprocess.run([found, "--version"], capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)
    if version not in said.stdout:
        pytest.skip(f"{found} is {said.stdout.strip()!r}, these tests are written for {version}")
    return found


@dataclass(frozen=True, slots=True)
class Rig:
    home: Path
    project: Path
    env: dict[str, str]

    def configure(self, draft: str, upstreams: Mapping[str, str], more: str = "") -> None:
        folder = Path(os.environ["RLMC_CONFIG_DIR"])
        folder.mkdir(parents=True, exist_ok=True)
        sections = "".join(f'[upstream.{name}]\nbase-url = "{url}"\n' for name, url in upstreams.items())
        (folder / "config.toml").write_text(f'draft-model = "{draft}"\n{more}{sections}')

    def run(self, program: str, *args: str, policy: str = "balanced") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "rlmc", "run", "--policy", policy, "--", program, *args],
            cwd=self.project,
            env=self.env,
            capture_output=True,
            text=True,
            timeout=150,
            stdin=subprocess.DEVNULL,
        )

    @property
    def greeting(self) -> str:
        return (self.project / "hello.txt").read_text().strip()


@contextmanager
def user(folder: Path) -> Iterator[Rig]:
    home, project = folder / "home", folder / "project"
    home.mkdir()
    project.mkdir()
    (project / "hello.txt").write_text("hello world\n")
    (project / "notes.txt").write_text("Greetings are in hello.txt.\n")
    env = {name: value for name, value in os.environ.items() if not name.startswith(_OTHERS)}
    env |= {"HOME": str(home), "PWD": str(project), "TERM": "xterm-256color", "RLMC_AUDITS": "off", **KEYS}
    try:
        yield Rig(home, project, env)
    finally:
        subprocess.run([sys.executable, "-m", "rlmc", "stop"], env=env, capture_output=True, timeout=60)
