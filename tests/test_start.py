"""The command line starts light: what only the daemon needs is never imported in front of an agent."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys

import pytest
from tests.support.daemons import eventually

from rlmc.daemon import control
from rlmc.daemon.control import Registration

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
# The library of the command line, and whatever of Python's own takes longer to load than it saves to write.
AGENTS_WAIT_FOR = {"click", "email", "http", "msgspec", "shutil", "sqlite3", "ssl", "subprocess", "tomllib", "typer"}
# What a daemon needs only where it is asked for it, or has another process do.
NOT_IN_A_DAEMON = {
    *("aiohttp", "genai_prices", "httpx", "opentelemetry", "prometheus_client", "pydantic", "rich", "starlette"),
    *("typer", "urllib.request", "uvicorn", "rlmc.demo", "rlmc.replay", "rlmc.server.dashboard.facts"),
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
    if command[0] == "run":
        subprocess.run([sys.executable, "-m", "rlmc", "start"], capture_output=True, timeout=60)
    ran = subprocess.run([sys.executable, "-c", PROGRAM, *command], capture_output=True, text=True, timeout=60)
    modules = set(ran.stderr.splitlines()[-1].split())
    loaded = {name.partition(".")[0] for name in modules}
    assert "rlmc" in loaded, ran.stderr
    assert loaded & HEAVY <= allowed
    if command[0] == "statusline":
        assert not loaded & {"typer", "click", "http", "email"}, "it is asked for while somebody types"
    if command[0] != "sessions":  # the only one with values beside commands of its own
        assert "pydantic" not in loaded, "what typer converts values with costs more than all the rest"
    if command[0] == "run":
        assert not loaded & AGENTS_WAIT_FOR, "it stands in front of every start of an agent"
        assert not modules & {
            "rlmc.cascade.policies.table",
            "rlmc.launch.integrations.claude",
            "rlmc.upstream.provider",
        }
        subprocess.run([sys.executable, "-m", "rlmc", "stop", "--force"], capture_output=True, timeout=60)


DAEMON = """
import atexit
import sys

from rlmc.daemon.__main__ import main

atexit.register(lambda: print(*sys.modules))
sys.exit(main([]))
"""


def test_what_a_daemon_has_loaded_after_its_first_turn() -> None:
    with subprocess.Popen([sys.executable, "-c", DAEMON], stdout=subprocess.PIPE, text=True) as daemon:
        try:
            endpoint = eventually(control.find)
            models = {"verify-model": "sim/verify", "draft-model": "none"}
            token = "a-token-of-this-session"
            control.register_session(endpoint, Registration("s1", token, "claude", overrides=models))
            body = {"model": "claude-opus-5-5", "max_tokens": 99, "messages": [{"role": "user", "content": "Hello."}]}
            line = http.client.HTTPConnection("127.0.0.1", endpoint.port, timeout=30)
            line.request("POST", f"/s/{token}/v1/messages", json.dumps(body), {"content-type": "application/json"})
            answer = line.getresponse()
            assert answer.status == 200, answer.read()
            answer.read()
            line.close()
            assert control.end_session(endpoint, "s1")["turns"] == 1
            control.request_stop(endpoint)
            printed, _ = daemon.communicate(timeout=60)
        finally:
            daemon.kill()
    loaded = set(printed.split())
    assert "rlmc.server.turns" in loaded
    assert not loaded & NOT_IN_A_DAEMON
