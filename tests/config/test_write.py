from __future__ import annotations

import multiprocessing
import os
import stat
from pathlib import Path

import pytest

from rlmc.config import write
from rlmc.config.load import load
from rlmc.errors import ConfigError

PROVIDERS = ("anthropic", "deepseek", "sim")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "rlmc" / "config.toml"


def put(file: Path, name: str, text: str) -> write.Change:
    return write.set_key(name, text, providers=PROVIDERS, path=file)


def drop(file: Path, name: str) -> write.Change:
    return write.unset_key(name, providers=PROVIDERS, path=file)


def holding(file: Path, text: str) -> Path:
    file.parent.mkdir(exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return file


@pytest.mark.parametrize(
    ("name", "text", "line"),
    [
        ("draft-model", "deepseek/deepseek-flash", 'draft-model = "deepseek/deepseek-flash"'),
        ("log-content", "on", "log-content = true"),
        ("port", "4711", "port = 4711"),
        ("draft-timeout", "2.5", "draft-timeout = 2.5"),
        ("idle-timeout", "0", "idle-timeout = 0"),
        ("body-limit", "64MiB", 'body-limit = "64MiB"'),
        ("budget.session", "$2.50", "session = 2.50"),
        ("budget.daily", "20", "daily = 20"),
        ("upstream.gw.base-url", "http://gw/", 'base-url = "http://gw"'),
        ("tools.mcp__db__query", "read", 'mcp__db__query = "read"'),
        ("tools.mcp__github__get_*", "READ", '"mcp__github__get_*" = "read"'),
    ],
)
def test_a_value_is_kept_in_its_natural_form_and_reads_back(file: Path, name: str, text: str, line: str) -> None:
    assert put(file, name, text).changed
    assert line in file.read_text(encoding="utf-8").splitlines()
    config = load(file, env={}, providers=PROVIDERS)
    typed = load(file.with_name("none"), env={}, flags={name: text}, providers=PROVIDERS)
    assert config.settings == typed.settings


def test_words_on_tools_stand_beside_each_other_and_go_again(file: Path) -> None:
    for name in ("mcp__a__*", "mcp__a__b", "some.tool"):
        put(file, f"tools.{name}", "read")
    assert set(load(file, env={}, providers=PROVIDERS).settings.tools) == {"mcp__a__*", "mcp__a__b", "some.tool"}
    assert drop(file, "tools.mcp__a__*").changed
    assert set(load(file, env={}, providers=PROVIDERS).settings.tools) == {"mcp__a__b", "some.tool"}


def test_a_new_file_and_its_folder_are_private(file: Path) -> None:
    before = os.umask(0)
    try:
        put(file, "port", "1")
    finally:
        os.umask(before)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert sorted(path.name for path in file.parent.iterdir()) == ["config.toml", "config.toml.lock"]


def test_comments_survive(file: Path) -> None:
    holding(file, "# mine\nport = 1 # chosen by dice\n")
    put(file, "port", "2")
    put(file, "policy", "paper")
    assert file.read_text(encoding="utf-8") == '# mine\nport = 2  # chosen by dice\npolicy = "paper"\n'


def test_setting_the_same_value_writes_nothing(file: Path) -> None:
    put(file, "port", "1")
    inode = file.stat().st_ino
    assert not put(file, "port", "1").changed
    assert file.stat().st_ino == inode


@pytest.mark.parametrize(
    ("name", "text"),
    [("draft-modle", "x"), ("policy", "fast"), ("draft-model", "nowhere/x"), ("upstream.x.api-key-env", "sk-123")],
)
def test_what_is_not_allowed_is_refused_and_nothing_is_written(file: Path, name: str, text: str) -> None:
    holding(file, "port = 1\n")
    with pytest.raises(ConfigError):
        put(file, name, text)
    assert file.read_text(encoding="utf-8") == "port = 1\n"


def test_unset_that_would_break_another_setting_is_refused(file: Path) -> None:
    put(file, "upstream.mine.base-url", "http://127.0.0.1:9")
    put(file, "draft-model", "mine/x")
    with pytest.raises(ConfigError, match="was not changed"):
        drop(file, "upstream.mine.base-url")
    assert load(file, env={}, providers=PROVIDERS).settings.upstreams["mine"].base_url == "http://127.0.0.1:9"


def test_a_file_with_two_mistakes_is_mended_one_by_one(file: Path) -> None:
    holding(file, 'draft-modle = "a/b"\nport = "x"\n')
    first = put(file, "port", "5")
    assert first.changed
    assert first.problem is not None
    assert "draft-modle" in first.problem.message
    second = drop(file, "draft-modle")
    assert (second.changed, second.problem) == (True, None)
    assert file.read_text(encoding="utf-8") == "port = 5\n"


def test_unset(file: Path) -> None:
    holding(file, "port = 1\npolicy = 'paper'\n")
    assert drop(file, "port").changed
    assert not drop(file, "port").changed
    assert file.read_text(encoding="utf-8") == "policy = 'paper'\n"
    with pytest.raises(ConfigError, match="draft-modle"):
        drop(file, "draft-modle")


@pytest.mark.parametrize("content", [b"port = ", b"\xff\xfe", b"[a]\n[a]\n"])
def test_a_corrupt_file_is_never_overwritten(file: Path, content: bytes) -> None:
    holding(file, "").write_bytes(content)
    for change in (lambda: put(file, "port", "1"), lambda: drop(file, "port")):
        with pytest.raises(ConfigError):
            change()
    assert file.read_bytes() == content


def test_a_symbolic_link_stays_one(file: Path, tmp_path: Path) -> None:
    real = holding(tmp_path / "dotfiles" / "config.toml", "port = 1\n")
    file.parent.mkdir()
    file.symlink_to(real)
    put(file, "port", "2")
    assert file.is_symlink()
    assert real.read_text(encoding="utf-8") == "port = 2\n"


def test_a_folder_that_cannot_be_made_is_a_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(ConfigError, match="cannot be written"):
        put(tmp_path / "file" / "config.toml", "port", "1")


def test_a_failed_write_leaves_the_old_file_and_no_rubbish(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(file, "port", "1")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ConfigError, match="No space left"):
        put(file, "port", "2")
    assert file.read_text(encoding="utf-8") == "port = 1\n"
    assert sorted(path.name for path in file.parent.iterdir()) == ["config.toml", "config.toml.lock"]


def test_a_lock_that_is_never_released_is_said(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(write, "_LOCK_PATIENCE", 0.05)
    with write.locked(file), pytest.raises(ConfigError, match="Another process"):
        put(file, "port", "1")
    put(file, "port", "1")


def set_one(file: Path, name: str) -> None:
    write.set_key(f"upstream.{name}.base-url", "http://127.0.0.1:1", providers=(), path=file)


def test_two_writers_lose_nothing(file: Path) -> None:
    names = [f"up{number}" for number in range(6)]
    context = multiprocessing.get_context("fork")
    writers = [context.Process(target=set_one, args=(file, name)) for name in names]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(30)
        assert writer.exitcode == 0
    assert set(load(file, env={}, providers=()).settings.upstreams) == set(names)
