from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from tests.support.cli import Ran, run

from rlmc.commands import config as command
from rlmc.config.schema import KEYS
from rlmc.daemon import control


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in [name for name in os.environ if name.startswith("RLMC_")]:
        monkeypatch.delenv(name)
    for kind in ("CONFIG", "DATA", "STATE"):
        monkeypatch.setenv(f"RLMC_{kind}_DIR", str(tmp_path / kind.lower()))
    return tmp_path


@pytest.fixture
def file(folders: Path) -> Path:
    return folders / "config" / "config.toml"


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every time a running daemon is told of a change, a word."""
    calls: list[str] = []

    def notify() -> None:
        calls.append("told")

    monkeypatch.setattr(control, "notify_reload", notify)
    return calls


def rlmc(*args: str) -> Ran:
    return run(command.register, "config", *args)


def editor(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """An editor that does what `script`, Python over `path`, says."""
    program = folder / "editor.py"
    program.write_text(f"import sys\nfrom pathlib import Path\npath = Path(sys.argv[-1])\n{script}\n", encoding="utf-8")
    monkeypatch.setenv("VISUAL", f"{sys.executable} {program} --wait")
    monkeypatch.setenv("EDITOR", "false")


def test_set_get_list_unset(file: Path, told: list[str]) -> None:
    assert rlmc("set", "draft-model", "deepseek/deepseek-flash") == Ran(
        0, "draft-model = deepseek/deepseek-flash\n", ""
    )
    assert rlmc("get", "draft-model").out == "deepseek/deepseek-flash\n"
    line = next(line for line in rlmc("list").out.splitlines() if line.startswith("draft-model\t"))
    assert line.split("\t")[1:3] == ["deepseek/deepseek-flash", f"file {file}:1"]
    assert rlmc("unset", "draft-model") == Ran(0, "draft-model is unset\n", "")
    assert rlmc("get", "draft-model").out == "auto\n"
    assert told == ["told", "told"]


def test_an_unknown_key_fails_naming_the_nearest(file: Path, told: list[str]) -> None:
    for args in (("set", "draft-modle", "x"), ("get", "draft-modle"), ("unset", "draft-modle")):
        ran = rlmc(*args)
        assert ran.code == 2
        assert "draft-modle" in ran.err
        assert "Did you mean draft-model?" in ran.err
    assert not file.exists()
    assert told == []


@pytest.mark.parametrize(("key", "value"), [("port", "-1"), ("policy", "fast"), ("draft-model", "nowhere/x")])
def test_a_bad_value_fails_naming_key_and_value(file: Path, key: str, value: str) -> None:
    ran = rlmc("set", key, value)
    assert ran.code == 2
    assert f"{key}: '{value}'" in ran.err
    assert "hint:" in ran.err
    assert not file.exists()


def test_a_key_in_place_of_its_variable_is_never_printed(file: Path) -> None:
    ran = rlmc("set", "upstream.deepseek.api-key-env", "sk-abcdefghijklmnop")
    assert ran.code == 2
    assert "abcdefghijklmnop" not in ran.out + ran.err


def test_get_of_what_is_unset(told: list[str]) -> None:
    assert rlmc("get", "budget.daily") == Ran(1, "", "budget.daily is not set\n")
    assert rlmc("get", "upstream.deepseek.base-url").code == 1
    assert json.loads(rlmc("get", "budget.daily", "--json").out)["data"]["value"] is None


def test_get_of_true_is_spelled_as_in_the_file(told: list[str]) -> None:
    rlmc("set", "log-content", "yes")
    assert rlmc("get", "log-content").out == "true\n"


def test_list_as_json(file: Path, told: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    rlmc("set", "upstream.mine.base-url", "http://127.0.0.1:9")
    monkeypatch.setenv("RLMC_PORT", "4711")
    monkeypatch.setenv("RLMC_PROT", "1")
    ran = rlmc("list", "--json")
    found = json.loads(ran.out)
    assert found["schema"] == "rlmc.config/1"
    settings = {one["key"]: one for one in found["data"]["settings"]}
    assert set(settings) == {key.name for key in KEYS} | {"upstream.mine.base-url"}
    assert settings["port"] == {
        "key": "port",
        "value": 4711,
        "source": "env RLMC_PORT",
        "meaning": next(key.meaning for key in KEYS if key.name == "port"),
    }
    assert settings["budget.session"]["value"] is None
    assert "RLMC_PROT" in ran.err
    assert "RLMC_PROT" in found["data"]["warnings"][0]


def test_set_says_when_the_environment_wins(told: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RLMC_PORT", "5")
    ran = rlmc("set", "port", "6")
    assert ran.code == 0
    assert "environment" in ran.err


def test_a_daemon_that_refuses_the_change_is_quoted(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control, "notify_reload", lambda: "port 6 is taken")
    ran = rlmc("set", "port", "6")
    assert ran.code == 1
    assert "port 6 is taken" in ran.err
    assert file.read_text(encoding="utf-8") == "port = 6\n"


def test_without_a_daemon_nobody_is_told() -> None:
    assert rlmc("set", "port", "6").code == 0


def test_what_is_still_wrong_in_the_file_is_said(file: Path, told: list[str]) -> None:
    file.parent.mkdir()
    file.write_text("prot = 1\n", encoding="utf-8")
    ran = rlmc("set", "port", "6")
    assert ran.code == 0
    assert "still not valid" in ran.err
    assert "prot" in ran.err
    assert told == [], "a daemon would only refuse it"


def test_a_corrupt_file_is_named_and_kept(file: Path, told: list[str]) -> None:
    file.parent.mkdir()
    file.write_text("port = \n", encoding="utf-8")
    for args in (("list",), ("get", "port"), ("set", "port", "1"), ("unset", "port")):
        ran = rlmc(*args)
        assert ran.code == 2
        assert f"{file} is not valid TOML at line 1" in ran.err
    assert file.read_text(encoding="utf-8") == "port = \n"


def test_unset_of_what_is_not_set(told: list[str]) -> None:
    ran = rlmc("unset", "port")
    assert (ran.code, ran.out) == (0, "")
    assert "not set" in ran.err
    assert told == []


def test_path(file: Path) -> None:
    assert rlmc("path") == Ran(0, f"{file}\n", "")


def test_edit_starts_from_every_key_and_keeps_what_is_valid(
    file: Path, folders: Path, told: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    script = "text = path.read_text()\nassert '# port = 0' in text\npath.write_text(text + '\\nport = 4711\\n')"
    editor(folders, monkeypatch, script)
    assert rlmc("edit").code == 0
    assert rlmc("get", "port").out == "4711\n"
    assert told == ["told"]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert {path.name for path in file.parent.iterdir()} == {"config.toml", "config.toml.lock"}


def test_edit_keeps_broken_text_aside_and_the_settings_in_force(
    file: Path, folders: Path, told: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    rlmc("set", "port", "1")
    for number, bad in enumerate(["port = x", 'draft-modle = "a/b"', "caf\xe9"], start=1):
        editor(folders, monkeypatch, f"path.write_bytes({bad.encode('latin-1')!r})")
        ran = rlmc("edit")
        aside = file.with_name("config.toml.rejected" + (f"-{number}" if number > 1 else ""))
        assert ran.code == 2
        assert str(aside) in ran.err
        assert aside.read_bytes() == bad.encode("latin-1")
    assert file.read_text(encoding="utf-8") == "port = 1\n"
    assert told == ["told"]


def test_edit_mends_a_corrupt_file(file: Path, folders: Path, told: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    file.parent.mkdir()
    file.write_bytes(b"port = \xff\n")
    editor(folders, monkeypatch, "assert path.read_bytes() == b'port = \\xff\\n'\npath.write_text('port = 2\\n')")
    assert rlmc("edit").code == 0
    assert file.read_text(encoding="utf-8") == "port = 2\n"


def test_edit_without_a_change(file: Path, folders: Path, told: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    for script in ("pass", "path.unlink()"):
        editor(folders, monkeypatch, script)
        ran = rlmc("edit")
        assert ran.code == 0
        assert "not changed" in ran.err
    assert not file.exists()
    assert list(file.parent.iterdir()) == []
    assert told == []


def test_edit_does_not_overwrite_what_changed_meanwhile(
    file: Path, folders: Path, told: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    rlmc("set", "port", "1")
    editor(folders, monkeypatch, f"path.write_text('port = 2\\n')\nPath({str(file)!r}).write_text('port = 3\\n')")
    ran = rlmc("edit")
    assert ran.code == 2
    assert file.read_text(encoding="utf-8") == "port = 3\n"
    assert file.with_name("config.toml.rejected").read_text(encoding="utf-8") == "port = 2\n"


def test_edit_with_an_editor_that_fails_or_is_missing(
    file: Path, folders: Path, told: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    editor(folders, monkeypatch, "path.write_text('port = 2')\nsys.exit(3)")
    ran = rlmc("edit")
    assert ran.code == 1
    assert "code 3" in ran.err
    for broken in ("/nonexistent/editor", "vi 'x"):
        monkeypatch.setenv("VISUAL", broken)
        assert rlmc("edit").code == 1
    assert not file.exists()


def test_config_loads_nothing_heavy(folders: Path) -> None:
    code = (
        "import sys\nfrom tests.support.cli import run\nfrom rlmc.commands import config\n"
        "run(config.register, 'config', 'set', 'port', '0')\nran = run(config.register, 'config', 'list')\n"
        "assert ran.code == 0, ran\n"
        "heavy = {'httpx', 'aiohttp', 'uvicorn', 'uvloop', 'genai_prices', 'jsonschema_rs', 'rich', 'asyncio'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=Path(__file__).parents[2]
    )
    assert done.stdout.strip() == "[]", done.stderr
