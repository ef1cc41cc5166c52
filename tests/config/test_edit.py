from __future__ import annotations

import tomllib
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rlmc.config import document, edit
from rlmc.errors import ConfigError

FILE = Path("config.toml")


def put(text: str, key: str, value: edit.TomlValue) -> str:
    return edit.with_value(text, key, value, FILE)


def drop(text: str, key: str) -> str:
    return edit.without(text, key, FILE)


def test_a_value_changes_and_nothing_else() -> None:
    before = '# mine\n  policy   =  "paper"   # why: "#1"\nport = 1\n\n# end\n'
    assert put(before, "policy", "balanced") == ('# mine\n  policy   = "balanced"  # why: "#1"\nport = 1\n\n# end\n')


def test_a_new_top_level_key_goes_above_the_first_section_and_its_comment() -> None:
    assert put("# title\n\nport = 1\n\n# money\n[budget]\nsession = 1\n", "policy", "paper") == (
        '# title\n\nport = 1\npolicy = "paper"\n\n# money\n[budget]\nsession = 1\n'
    )
    assert put("# title\n\n# money\n[budget]\nsession = 1\n", "policy", "paper") == (
        '# title\n\npolicy = "paper"\n# money\n[budget]\nsession = 1\n'
    )


def test_a_new_key_joins_its_section() -> None:
    assert put("[budget]\nsession = 1\n\n[claude]\n", "budget.daily", 5) == (
        "[budget]\nsession = 1\ndaily = 5\n\n[claude]\n"
    )


def test_a_new_key_joins_its_dotted_sister() -> None:
    assert put("budget.session = 1 # a\nport = 1\n", "budget.daily", 5) == (
        "budget.session = 1 # a\nbudget.daily = 5\nport = 1\n"
    )


def test_a_new_section_goes_to_the_end() -> None:
    assert put("port = 1", "budget.daily", 5) == "port = 1\n\n[budget]\ndaily = 5\n"
    assert put("", "upstream.llama.cpp.base-url", "http://x") == '[upstream.llama.cpp]\nbase-url = "http://x"\n'


def test_a_quoted_section_is_found() -> None:
    before = '[upstream."llama.cpp"]\nbase-url = "http://x"\n'
    assert put(before, "upstream.llama.cpp.protocol", "anthropic") == before + 'protocol = "anthropic"\n'
    assert drop(before + "\n[claude]\n", "upstream.llama.cpp.base-url") == "[claude]\n"


def test_an_inline_table_becomes_lines() -> None:
    before = "budget = { session = 1, daily = 2.50 } # money\n"
    assert put(before, "budget.session", 3) == "budget.session = 3  # money\nbudget.daily = 2.50\n"
    assert put("budget = {}\n", "budget.session", 3) == "budget.session = 3\n"
    assert drop(before, "budget.daily") == "budget.session = 1  # money\n"
    inner = '[upstream]\nmine = { base-url = "http://x" }\n'
    assert put(inner, "upstream.mine.protocol", "anthropic") == (
        '[upstream]\nmine.base-url = "http://x"\nmine.protocol = "anthropic"\n'
    )


def test_line_ends_stay() -> None:
    assert put("port = 1\r\n", "policy", "paper") == 'port = 1\r\npolicy = "paper"\r\n'


def test_text_that_only_looks_like_the_key_is_left_alone() -> None:
    before = 'policy = """\nport = 1\n"""\n# port = 2\n'
    assert put(before, "port", 3) == 'policy = """\nport = 1\n"""\nport = 3\n# port = 2\n'


def test_removing_the_last_key_of_a_section_removes_the_header_but_never_a_comment() -> None:
    assert drop("port = 1\n\n[budget]\nsession = 1\n", "budget.session") == "port = 1\n\n"
    kept = "[budget]\n# five was too much\n"
    assert drop("[budget]\n# five was too much\nsession = 1\n", "budget.session") == kept


def test_removing_what_is_not_there_changes_nothing() -> None:
    assert drop("port = 1\n", "policy") == "port = 1\n"


def test_a_layout_that_cannot_be_edited_is_left_to_its_owner() -> None:
    with pytest.raises(ConfigError, match="without rewriting"):
        put("budget = 5\n", "budget.session", 1)


WORD = st.sampled_from(["policy", "port", "budget", "upstream", "a", "b"])
LEAF: st.SearchStrategy[object] = st.one_of(
    st.integers(-5, 5), st.booleans(), st.text(max_size=8), st.decimals("-9", "9", places=2), st.just([1, "x"])
)
TABLE = st.recursive(
    st.dictionaries(WORD, LEAF, max_size=3), lambda t: st.dictionaries(WORD, t | LEAF, max_size=3), max_leaves=6
)


@st.composite
def layouts(draw: st.DrawFn) -> str:
    """A valid file in a mixture of sections, dotted keys, inline tables and comments."""
    import tomli_w

    def assign(prefix: str, table: dict[str, object]) -> list[str]:
        lines: list[str] = []
        for name, value in table.items():
            if isinstance(value, dict) and draw(st.booleans()):
                lines += assign(f"{prefix}{name}.", value)
                continue
            shown = tomli_w.dumps({"x": [value]}).removeprefix("x = [").rstrip().removesuffix("]").strip().rstrip(",")
            if "[[" in shown or "\n" in shown:
                shown = "0"
            note = draw(st.sampled_from(["", "  # note", " # = [x] \"'"]))
            lines.append(f"{prefix}{name} = {shown}{note}")
            if draw(st.booleans()):
                lines.append(draw(st.sampled_from(["", "# remark", "  # port = 1"])))
        return lines

    root = draw(st.dictionaries(WORD, LEAF | TABLE, max_size=4))
    headed = {name for name, value in root.items() if isinstance(value, dict) and draw(st.booleans())}
    lines = assign("", {name: value for name, value in root.items() if name not in headed})
    for name in headed:
        value = root[name]
        assert isinstance(value, dict)
        lines += ["# about it", f"[{name}]", *assign("", value)]
    end = draw(st.sampled_from(["\n", "\r\n"]))
    return end.join(lines) + draw(st.sampled_from(["", end]))


def comments(text: str) -> list[str]:
    return sorted(line.strip() for line in text.splitlines() if line.strip().startswith("#"))


@given(layouts(), st.sampled_from(["policy", "port", "budget.daily", "upstream.a.b", "a", "a.b"]), LEAF)
def test_an_edit_changes_one_key_and_keeps_the_comments(text: str, key: str, value: edit.TomlValue) -> None:
    try:
        old = document.parse(text, FILE)
    except ConfigError:
        return
    try:
        new = put(text, key, value)
    except ConfigError:
        return  # left to its owner
    assert document.parse(new, FILE) == old | {key: value}
    assert comments(new) == comments(text)
    gone = drop(new, key)
    assert document.parse(gone, FILE) == {name: kept for name, kept in old.items() if name != key}
    assert [one for one in comments(text) if one not in comments(gone)] == []


@given(layouts())
def test_statements_find_every_value(text: str) -> None:
    try:
        values = document.parse(text, FILE)
    except ConfigError:
        return
    found: dict[str, object] = {}
    for one in document.statements(text):
        found |= one.leaves()
    assert found == values
    tomllib.loads(text)


def test_money_keeps_its_digits() -> None:
    assert put("", "budget.session", Decimal("2.10")) == "[budget]\nsession = 2.10\n"
