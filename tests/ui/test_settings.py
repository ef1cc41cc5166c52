from __future__ import annotations

from pathlib import Path

import pytest

from rlmc.config.load import load
from rlmc.config.schema import KEYS
from rlmc.ui.settings import settings_table

PROVIDERS = ("deepseek",)


@pytest.mark.parametrize("width", [80, 100])
def test_every_key_with_value_source_and_meaning_within_the_width(tmp_path: Path, width: int) -> None:
    file = tmp_path / "config.toml"
    file.write_text('\ndraft-model = "deepseek/deepseek-flash"\nlog-content = true\n', encoding="utf-8")
    config = load(file, env={"RLMC_PORT": "4711"}, providers=PROVIDERS)
    lines = settings_table(config, width)
    assert all(len(line) <= width for line in lines if str(file) not in line)
    rows = {line.split()[0]: line.split() for line in lines if line and not line.startswith(" ")}
    assert set(rows) - {"file"} == {key.name for key in KEYS}
    assert rows["draft-model"][1:] == ["deepseek/deepseek-flash", "file,", "line", "2"]
    assert rows["port"][1:] == ["4711", "env", "RLMC_PORT"]
    assert rows["log-content"][1] == "true"
    assert rows["budget.daily"][1:] == ["unset", "default"]
    text = " ".join(" ".join(lines).split())
    assert all(key.meaning in text for key in KEYS)


def test_the_columns_are_aligned(tmp_path: Path) -> None:
    lines = settings_table(load(tmp_path / "none", env={}, providers=PROVIDERS), 80)
    ends = {line.index("default") for line in lines if line.endswith("default")}
    assert len(ends) == 1
