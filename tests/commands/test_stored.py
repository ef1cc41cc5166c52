"""Keys by the keyring: for whom they are looked up, who pays with them, and that nobody sees them."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.command_line import Rlmc
from tests.support.daemons import kill_daemon, own_folders
from tests.support.fake_upstream import FakeUpstream

from rlmc.commands import stored
from rlmc.config.load import load
from rlmc.config.schema import Settings
from rlmc.launch.key_store import Stored
from rlmc.upstream.providers import names

SECRET = "canary-key-out-of-the-keyring"
BACKEND = f"""
import keyring.backend, keyring.errors
class Keyring(keyring.backend.KeyringBackend):
    priority = 9
    def get_password(self, service, username):
        open({{log!r}}, "a").write(username + chr(10))
        return {SECRET!r} if (service, username) == ("rlmc", "CHEAP_KEY") else None
    def set_password(self, *_): raise keyring.errors.PasswordSetError("only read here")
    def delete_password(self, *_): raise keyring.errors.PasswordDeleteError("only read here")
"""
AGENT = """
import json, os, sys, urllib.request
assert not any("canary-key" in value for value in os.environ.values())
body = {"model": "claude-opus-5-5", "max_tokens": 9, "tools": [{"name": "Read", "input_schema": {"type": "object"}}],
        "messages": [{"role": "user", "content": "a"},
                     {"role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": "Read", "input": {}}]},
                     {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": "x"}]}]}
headers = {"content-type": "application/json", "x-api-key": "of-the-agent"}
for _ in range(2):
    urllib.request.urlopen(urllib.request.Request(
        os.environ["ANTHROPIC_BASE_URL"] + "/v1/messages", json.dumps(body).encode(), headers)).read()
"""


def settings(**given: str) -> Settings:
    flags = {name.replace("__", ".").replace("_", "-"): value for name, value in given.items()}
    return load(Path("/nowhere/config.toml"), env={}, flags=flags, providers=names()).settings


def test_only_keys_of_models_in_use_are_looked_up() -> None:
    assert stored.names_in_use(settings()) == {"ANTHROPIC_API_KEY", "OPENAI_API_KEY"}
    assert "DEEPSEEK_API_KEY" in stored.names_in_use(settings(draft_model="deepseek/deepseek-flash"))
    assert stored.names_in_use(settings(draft_model="ollama/qwen3")) == stored.names_in_use(settings())


def test_nobody_is_asked_where_it_is_off_or_the_environment_has_them(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[set[str]] = []

    def ask(wanted: Iterator[str]) -> Stored:
        asked.append(set(wanted))
        return Stored({"OPENAI_API_KEY": SECRET})

    monkeypatch.setattr(stored, "stored_keys", ask)
    assert stored.from_keyring(settings(), {}).keys == {}
    assert asked == []
    assert stored.with_keyring(settings(keyring="true"), {"ANTHROPIC_API_KEY": "a"}) == {
        "ANTHROPIC_API_KEY": "a",
        "OPENAI_API_KEY": SECRET,
    }
    assert asked == [{"OPENAI_API_KEY"}]


@pytest.fixture
def user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Rlmc]:
    with own_folders(tmp_path, monkeypatch):
        (tmp_path / "home").mkdir()
        backend = tmp_path / "lib" / "canary_backend.py"
        backend.parent.mkdir()
        backend.write_text(BACKEND.format(log=str(tmp_path / "asked")))
        rlmc = Rlmc(tmp_path / "home", RLMC_POLICY="draft-only")
        rlmc.env |= {"PYTHONPATH": f"{backend.parent}:{rlmc.env.get('PYTHONPATH', '')}".rstrip(":")}
        rlmc.env |= {"PYTHON_KEYRING_BACKEND": "canary_backend.Keyring"}
        yield rlmc
        rlmc("stop", "--force")
        rlmc.close()
        kill_daemon()


def configure(folder: Path, verify: FakeUpstream, cheap: FakeUpstream, **more: str) -> None:
    folder.mkdir(mode=0o700, exist_ok=True)
    lines = [f"{name} = {value}" for name, value in more.items()]
    lines += ['draft-model = "cheap/claude-haiku-5-5"', "[upstream.anthropic]", f'base-url = "{verify.url}"']
    lines += ["[upstream.cheap]", f'base-url = "{cheap.url}"', 'api-key-env = "CHEAP_KEY"']
    (folder / "config.toml").write_text("\n".join(lines))
    (folder / "config.toml").chmod(0o600)


def test_a_session_pays_its_drafts_with_a_key_of_the_keyring(user: Rlmc, tmp_path: Path) -> None:
    with FakeUpstream() as verify, FakeUpstream() as cheap:
        configure(tmp_path / "config", verify, cheap, keyring="true")
        ran = user("run", "--", sys.executable, "-c", AGENT)
        assert ran.returncode == 0, ran.stderr
        assert [one.header("x-api-key") for one in cheap.messages] == [SECRET, SECRET]
        assert not any(SECRET in str(one.headers) for one in verify.exchanges)
        doctor = user("doctor")
        shown = [ran.stdout, ran.stderr, doctor.stdout, user("doctor", "--json").stdout]
        shown += [user("config", "list", "--json").stdout, user("status", "--json").stdout, user("logs").stdout]
    assert "CHEAP_KEY from the keyring" in doctor.stdout
    assert "ANTHROPIC_API_KEY from nowhere" in doctor.stdout
    assert "CHEAP_KEY is in the keyring" in doctor.stdout
    assert not any(SECRET in text for text in shown)
    kept = [path for name in ("config", "data", "state") for path in (tmp_path / name).rglob("*") if path.is_file()]
    assert not any(SECRET.encode() in path.read_bytes() for path in kept)


def test_a_session_without_it_asks_no_keyring(user: Rlmc, tmp_path: Path) -> None:
    with FakeUpstream() as verify, FakeUpstream() as cheap:
        configure(tmp_path / "config", verify, cheap)
        ran = user("run", "--", sys.executable, "-c", AGENT)
        assert ran.returncode == 0, ran.stderr
        assert not cheap.messages
    assert not (tmp_path / "asked").exists()


def test_a_variable_comes_before_the_keyring(user: Rlmc, tmp_path: Path) -> None:
    with FakeUpstream() as verify, FakeUpstream() as cheap:
        configure(tmp_path / "config", verify, cheap, keyring="true")
        ran = user("run", "--", sys.executable, "-c", AGENT, env={"CHEAP_KEY": "of-the-environment"})
        assert ran.returncode == 0, ran.stderr
        assert {one.header("x-api-key") for one in cheap.messages} == {"of-the-environment"}
    assert "CHEAP_KEY" not in (tmp_path / "asked").read_text()


def test_a_keyring_that_fails_is_said_and_the_agent_works(user: Rlmc, tmp_path: Path) -> None:
    with FakeUpstream() as verify, FakeUpstream() as cheap:
        configure(tmp_path / "config", verify, cheap, keyring="true")
        broken = {"PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring"}
        ran = user("run", "--", sys.executable, "-c", AGENT, env=broken)
        doctor = json.loads(user("doctor", "--json", env=broken).stdout)
    assert ran.returncode == 0
    assert "there is no keyring on this machine" in ran.stderr
    assert len(verify.messages) == 2
    [keys] = [one for one in doctor["data"]["checks"] if one["name"] == "keys"]
    assert (keys["status"], "keyring" in keys["fix"]) == ("warn", True)
