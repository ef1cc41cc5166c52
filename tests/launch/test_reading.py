"""How an agent's files and arguments are read."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rlmc.launch.integrations.dotenv import read_env
from rlmc.launch.integrations.jsonc import inner, read_object, text_at
from rlmc.launch.integrations.words import has_flag, last_value, values_of

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inside: st.lists(inside) | st.dictionaries(st.text(), inside),
    max_leaves=10,
)


@given(st.dictionaries(st.text(), JSON), st.sampled_from([None, 1]))
def test_what_is_json_is_read_as_json(values: dict[str, object], indent: int | None) -> None:
    assert read_object(json.dumps(values, indent=indent)) == values
    assert read_object(json.dumps(values, indent=indent, ensure_ascii=False)) == values


@given(st.text(alphabet='{}[]",:/*\\ \na1'))
def test_anything_else_gives_nothing_or_an_object(text: str) -> None:
    assert isinstance(read_object(text), dict | None)


def test_comments_and_last_commas() -> None:
    text = '{"a": "// no, }", /* b */ "c": [1, 2, /* , */ ], // end\n "d": {"e": "x",},}'
    assert read_object(text) == {"a": "// no, }", "c": [1, 2], "d": {"e": "x"}}
    assert read_object(None) is None


def test_objects_inside_of_others() -> None:
    values = {"a": {"b": {"c": "x", "d": ""}}, "e": 1}
    assert inner(values, "a", "b") == {"c": "x", "d": ""}
    assert inner(values, "e", "b") == {}
    assert text_at(values, "a", "b", "c") == "x"
    assert text_at(values, "a", "b", "d") is None
    assert text_at(values, "e") is None


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("A=b", "b"),
        ("  export A = b  # said", "b"),
        ("A='b # c'", "b # c"),
        ('A="b c"', "b c"),
        ("A=https://x.example/#y", "https://x.example/#y"),
        ("A=", ""),
        ("# A=b", None),
        ("A b", None),
    ],
)
def test_a_line_of_a_dotenv_file(line: str, value: str | None) -> None:
    assert read_env(f"B=1\n{line}\n").get("A") == value


def test_options() -> None:
    argv = ("x", "-c", "a=1", "--config=b=2", "-cc=3", "-c=d=4", "run", "--config", "e=5", "--", "-c", "f=6")
    assert values_of(argv, "--config", "-c") == ["a=1", "b=2", "c=3", "d=4", "e=5"]
    assert last_value(argv, "--config", "-c") == "e=5"
    assert last_value(argv, "--other") is None
    assert values_of(("x", "-c"), "-c") == []
    assert has_flag(argv, "run")
    assert not has_flag(argv, "f=6")
    assert not has_flag(("--oss",), "--oss")
