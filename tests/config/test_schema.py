from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from rlmc.config.load import load
from rlmc.config.schema import KEYS, TOOL_KEYS, UPSTREAM_KEYS, Key, Settings, UpstreamSettings
from rlmc.config.template import template

ROOT = Path(__file__).parents[2]
ALL = (*KEYS, *UPSTREAM_KEYS, *TOOL_KEYS)


@pytest.mark.parametrize("key", ALL, ids=lambda key: key.name)
def test_every_key_is_documented(key: Key) -> None:
    page = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    row = next((line for line in page.splitlines() if line.startswith(f"| `{key.name}` |")), "")
    assert row, f"{key.name} has no row in docs/configuration.md"
    # A tool's name does not survive in the name of a variable, so there is none.
    assert (f"`{key.env}`" in row) is (key not in TOOL_KEYS)
    if key.default is not None:
        shown = str(key.default).lower() if isinstance(key.default, bool) else str(key.default)
        assert f"`{shown}`" in row


def test_the_page_documents_nothing_else() -> None:
    page = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    documented = [line.split("`")[1] for line in page.splitlines() if line.startswith("| `") and "`RLMC_" in line]
    known = {key.name for key in ALL} | {"RLMC_CONFIG_DIR", "RLMC_DATA_DIR", "RLMC_STATE_DIR"}
    assert set(documented) <= known


@pytest.mark.parametrize("key", ALL, ids=lambda key: key.name)
def test_every_example_is_valid(key: Key) -> None:
    key.parse(key.example)


def test_environment_names_differ() -> None:
    assert len({key.env for key in ALL}) == len(ALL)


def test_every_key_has_its_field(tmp_path: Path) -> None:
    fields = {field.name for field in dataclasses.fields(Settings)} - {"draft_off", "upstreams", "tools"}
    assert fields == {key.name.replace(".", "_").replace("-", "_") for key in KEYS}
    upstream = {field.name for field in dataclasses.fields(UpstreamSettings)}
    assert upstream == {key.name.rpartition(".")[2].replace("-", "_") for key in UPSTREAM_KEYS}


def test_the_template_sets_nothing(tmp_path: Path) -> None:
    config = load(tmp_path / "config.toml", env={}, providers=(), text=template())
    assert not config.assigned


def test_the_template_with_every_key_set_is_valid(tmp_path: Path) -> None:
    names = tuple(key.name.replace("<name>", "my-provider") for key in ALL)
    lines = [
        line.removeprefix("# ") if line.startswith(tuple(f"# {name} = " for name in names)) else line
        for line in template().splitlines()
    ]
    config = load(tmp_path / "config.toml", env={}, providers=(), text="\n".join(lines))
    assert set(config.assigned) == set(names)
