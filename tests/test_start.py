"""The command line starts light: what only the daemon needs is never imported in front of an agent."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = {
    "aiohttp",
    "genai_prices",
    "httptools",
    "httpx",
    "jsonschema_rs",
    "opentelemetry",
    "prometheus_client",
    "rich",
    "starlette",
    "uvicorn",
    "uvloop",
}
PROGRAM = """
import sys
from rlmc.__main__ import run

run(sys.argv[1:])
print("\\n" + " ".join(sys.modules), file=sys.stderr)
"""


@pytest.mark.parametrize(
    ("command", "allowed"),
    [
        (["run", "--", "true"], set()),
        (["env", "--shell", "unknown"], set()),
        (["config", "list"], set()),
        (["config", "set", "policy", "paper"], set()),
        (["stats", "--json"], set()),
        (["stats"], {"rich"}),
        (["sessions"], set()),
        (["turns"], set()),
        (["explain"], set()),
        (["quality"], set()),
        (["statusline"], set()),
        (["status"], set()),
        (["doctor"], set()),
        (["--help"], set()),
        (["--version"], set()),
    ],
    ids=" ".join,
)
def test_nothing_heavy_is_imported(command: list[str], allowed: set[str]) -> None:
    ran = subprocess.run([sys.executable, "-c", PROGRAM, *command], capture_output=True, text=True, timeout=60)
    loaded = {name.partition(".")[0] for name in ran.stderr.splitlines()[-1].split()}
    assert "rlmc" in loaded, ran.stderr
    assert loaded & HEAVY <= allowed
    if command[0] == "statusline":
        assert not loaded & {"typer", "click", "http", "email"}, "it is asked for while somebody types"
    if command[0] == "run":
        assert "pydantic" not in loaded, "what typer converts values with costs more than all the rest of a run"
        subprocess.run([sys.executable, "-m", "rlmc", "stop", "--force"], capture_output=True, timeout=60)
