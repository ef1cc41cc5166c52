"""Words as the shell reads them: against cases worked out by hand, and against a real shell."""

from __future__ import annotations

import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.shells import shell

from rlmc.cascade.effects.words import UNKNOWN, Bound, Refused, Word, is_secret, read_words


def words(text: str, bound: Bound | None = None, spent: frozenset[str] = frozenset()) -> list[Word]:
    source = text.encode()

    def nested(at: int) -> int:
        end = source.find(b"`", at + 1) if source[at : at + 1] == b"`" else source.find(b")", at)
        if end < 0:
            raise Refused
        return end + 1

    return read_words(source, 0, len(source), nested, bound or {}, spent)


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("a", "a"),
        ("'a b'", "a b"),
        ('"a b"', "a b"),
        ("a'b'\"c\"d", "abcd"),
        (".e''nv", ".env"),
        ("\\;", ";"),
        ("a\\ b", "a b"),
        ('"a\\"b\\$c\\d"', 'a"b$c\\d'),
        ("$'a\\tb\\n'", "a\tb\n"),
        ('"foo$"', "foo$"),
        ("foo$", "foo$"),
        ("a{b}c", "a{b}c"),
        ("HEAD@{1}", "HEAD@{1}"),
        ("{}", "{}"),
        (",{}", ",{}"),
        ("a,{b}c", "a,{b}c"),
        ("$?", "0"),
        ("é", "é"),
    ],
)
def test_words_without_unknown_parts(text: str, read: str) -> None:
    (word,) = words(text)
    assert word.text == read
    assert word.exact and word.single


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ('"$x"', Word(UNKNOWN)),
        ("$x", Word(UNKNOWN, loose=True)),
        ('"a${x}b"', Word(f"a{UNKNOWN}b")),
        ("a$(ls)b", Word(f"a{UNKNOWN}b", loose=True)),
        ('"`ls`"', Word(UNKNOWN)),
        ("<(ls)", Word("/dev/fd/0")),
        ("*.py", Word("*.py", glob=True)),
        ("a[b]", Word("a[b]", glob=True)),
        ("'*'", Word("*")),
        ("$HOME/a", Word(f"/{UNKNOWN}/a")),
        ('"$@"', Word(UNKNOWN, loose=True)),
        ("a{1..3}", Word("a*", glob=True)),
        ("{1..3}", Word("*", glob=True, loose=True)),
    ],
)
def test_words_with_unknown_parts(text: str, read: Word) -> None:
    assert words(text) == [read]


def test_braces_make_several_words() -> None:
    assert words("a{b,c,}d") == [Word("abd"), Word("acd"), Word("ad")]
    assert words("{-x,y}") == [Word("-x"), Word("y")]
    assert words("{a,b}*") == [Word("a*", glob=True), Word("b*", glob=True)]


@pytest.mark.parametrize(
    "text",
    [
        *("a b", "a\tb", "a\nb", "a\\\nb", "a;b", "a|b", "a&b", "a(b", "a>b", "'a", '"a', "a\\", "#a", "=ls"),
        *("{fd}", "{a,{b,c}}", "{a,'b'}", "{a,$x}", "${x:-y}", "${!x}", "$((1))x", "$[1]", "$~x", '"$~x"', '$"a"'),
        *("$x[1]", '"$x[1]"', "$x:h", "$'\\x41'", "$(ls", "$TOKEN", '"${API_KEY}"', "\\é", "\"$'a'\""),
    ],
)
def test_what_is_not_sure_to_be_one_word_is_refused(text: str) -> None:
    with pytest.raises(Refused):
        words(text)


def test_loop_variables_are_what_the_loop_says() -> None:
    assert words("a$f", {"f": "b"}) == [Word("ab")]
    assert words('"$f"', {"f": f"src/{UNKNOWN}"}) == [Word(f"src/{UNKNOWN}")]
    assert words("$f", {"f": f"src/{UNKNOWN}"})[0].loose
    assert words('"$f"', {"f": None}) == [Word(UNKNOWN)]
    with pytest.raises(Refused):
        words("$f", spent=frozenset({"f"}))


@pytest.mark.parametrize(
    ("name", "secret"), [("GH_PAT", True), ("db_password", True), ("PATH", False), ("HOME", False)]
)
def test_names_of_secrets(name: str, secret: bool) -> None:
    assert is_secret(name) is secret


@given(st.text(alphabet="ab -='\"\\$*?[]{},.~#!%@:/0é\n", min_size=1, max_size=12))
@settings(max_examples=300)
def test_exact_words_are_what_bash_makes_of_them(text: str) -> None:
    try:
        read = words(text)
    except Refused:
        return
    if not all(word.exact for word in read) or "~" in text:
        return
    ran = subprocess.run(
        [shell("bash"), "-fc", f"printf '%s\\0' {text}"], capture_output=True, env={"LC_ALL": "C.UTF-8"}
    )
    assert ran.stdout.decode().split("\0")[:-1] == [word.text for word in read]
