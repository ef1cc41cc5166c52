"""The little languages: what only prints, and what would do more."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rlmc.cascade.effects.programs import awk, jq, printf, sed
from rlmc.cascade.effects.programs import test as shell_test
from rlmc.cascade.effects.sed import only_prints
from rlmc.cascade.effects.words import UNKNOWN, Word


def line(*texts: str) -> list[Word]:
    return [Word(text) for text in texts]


@pytest.mark.parametrize(
    "script",
    [
        *("p", "10,20p", "$p", "1~2p", "/a/p", "/a/,/b/p", "/a/I,+3p", "$!d", "/^#/d;/^$/d", "s/a/b/", "s|a|b|gI"),
        *("s/[[:space:]]*$//", "s/\\//x/", "s#[^/]*$##", "y/abc/xyz/", "5q", "/a/{p;q}", "=", "n;d"),
        *("/a/{ s/a/b/; p }", "1!G;h;$!d", "s/w/e/", "s/a/w b/", "\n p \n", "0,/a/p"),
    ],
)
def test_scripts_of_sed_that_only_print(script: str) -> None:
    assert only_prints(script)
    assert sed(line("-n", script, "file"))


@pytest.mark.parametrize(
    "script",
    [
        *("w f", "1w f", "W f", "e", "1e ls", "e ls", "r f", "R f", "s/a/b/w f", "s/a/b/e", "s/a/b/gw f", "a\\", "i x"),
        *(
            "c x",
            "p;w f",
            "{w f",
            "/a/{w f}",
            ":a;b a",
            "t",
            "v",
            "F",
            "}",
            "{p",
            "s/a/b",
            "s/a",
            "y/a/b",
            "pp",
            "p w f",
        ),
        *("s/[/]/p;w f/", "s/[/]/p;s/w f/x/", "s/[[:space:]/]/p;s/w f/x/", "s/[\\]/]/x/;s/w f/x/", "#n", "sxaxbx"),
        *("s/a/b\nw f/", "1,w f", "!w f", "\\%a%w f", "s\\a\\b\\", "s/a/b/;w", "l 5 w f", "q w f", "1,2"),
    ],
)
def test_scripts_of_sed_that_do_more(script: str) -> None:
    assert not only_prints(script)
    assert not sed(line("-n", "-e", script, "file"))


@pytest.mark.parametrize(
    "texts",
    [
        *[("-i", "p"), ("-ni", "p"), ("-n", "-i.bak", "p"), ("--in-place", "p"), ("-f", "x"), ("w f", "-e", "p"), ()],
        *[("-n",), ("-e", "p", "-e", "w f"), ("--expression=w f",), ("-new f",), ("p", "-i"), ("--", "p"), ("-I", "p")],
    ],
)
def test_lines_of_sed_that_do_more(texts: tuple[str, ...]) -> None:
    assert not sed(line(*texts))


def test_a_script_that_is_not_known_is_none() -> None:
    assert not sed([Word(f"p{UNKNOWN}")])
    assert not sed([Word("p", loose=True)])
    assert sed([Word("-n"), Word("p"), Word(f"a{UNKNOWN}")])


@given(st.text(alphabet="pdsw/ae[]:;{}1,\\ xg", max_size=14))
@settings(max_examples=400)
def test_what_only_prints_writes_nothing(tmp_path_factory: pytest.TempPathFactory, script: str) -> None:
    if not only_prints(script):
        return
    folder = tmp_path_factory.mktemp("sed")
    (folder / "in").write_text("a\nx\n")
    subprocess.run(["sed", script, "in"], cwd=folder, capture_output=True, timeout=10)
    assert [f.name for f in Path(folder).iterdir()] == ["in"]


@pytest.mark.parametrize(
    "program",
    [
        *("{print $1}", "NR>=10 && NR<=20", "$3 > 5", "$3>5{print $1}", "/a|b/", "/a|b/{print}", "{if ($1 > 2) print}"),
        *('BEGIN{FS="|"}{print $2}', "{s+=$1} END{print s/NR}", 'NR>1 || /x/ {printf "%s|%s\\n", $1, $2}', "!/a|b/"),
        *("{print ($1 > 2)}", "{ n++ } END { print n }", '$0 ~ /x|y/ { print "a > b" }'),
    ],
)
def test_programs_of_awk_that_only_print(program: str) -> None:
    assert awk(line(program, "file"))
    assert awk(line("-F:", "-v", "x=1", program, "file"))


@pytest.mark.parametrize(
    "program",
    [
        *('{print > "f"}', '{print >> "f"}', '{print $1>"f"}', '{print | "sh"}', '{system("x")}', '"id" | getline x'),
        *('{printf "a" > "f"}', '{print(1) > "f"}', 'BEGIN{while(("ls"|getline l)>0) print l}', "{getline < f}"),
        *('{print ENVIRON["A"]}', "@load x", '{x="sys" "tem"; @x("y")}', '{print |& "x"}', "{close(x)}"),
        *('{a=1/2; print > "f"/3}', '{if (x) /"/; print > "f" #"/\n}', '{a = b / c | "x" / d}', "{print > $1 / 2}"),
        *(
            "/[/]|x/{print}",
            '{print "a\\" > "f"}',
            "# '> \n{print > x}",
            "{print\\\n > x}",
            '{print ")"} ) {print > "f"}',
        ),
    ],
)
def test_programs_of_awk_that_do_more(program: str) -> None:
    assert not awk(line(program, "file"))


@pytest.mark.parametrize("texts", [("-f", "x"), ("-i", "inplace", "1"), ("-l", "x", "1"), ("-o", "1"), (), ("-e", "1")])
def test_lines_of_awk_that_do_more(texts: tuple[str, ...]) -> None:
    assert not awk(line(*texts))
    assert not awk([Word(f"{{print}}{UNKNOWN}")])


@pytest.mark.parametrize(
    ("program", "fine"), [(".env", True), ("env", False), ("$ENV.A", False), (".a | env.B", False)]
)
def test_jq_shows_no_environment(program: str, fine: bool) -> None:
    assert jq(line(program)) is fine


@pytest.mark.parametrize(
    ("texts", "fine"),
    [
        (("%s\\n", "a"), True),
        (("100%%",), True),
        (("%-5s|%d\\n", "7", "8"), True),
        (("%d", "x"), False),
        (("%d", "a[$(x)]"), False),
        (("%n", "x"), False),
        (("-v", "x", "%s"), False),
        (("%*s", "x", "y"), False),
        (("%(%s)T",), False),
        ((), False),
        (("--", "%s", "-v"), True),
    ],
)
def test_printf_works_nothing_out(texts: tuple[str, ...], fine: bool) -> None:
    assert printf(line(*texts)) is fine


@pytest.mark.parametrize(
    ("words", "fine"),
    [
        (line("-f", "a"), True),
        (line("a", "=", "b"), True),
        (line("1", "-eq", "2"), True),
        (line("-t", "1"), True),
        ([Word(UNKNOWN)], True),
        ([Word("-n"), Word(UNKNOWN)], True),
        ([Word(UNKNOWN), Word("="), Word(UNKNOWN)], True),
        ([Word("-f"), Word("a"), Word("-a"), Word(UNKNOWN), Word("!="), Word("x")], True),
        ([Word(UNKNOWN), Word("x")], False),
        ([Word("!"), Word(UNKNOWN), Word("x")], False),
        ([Word(UNKNOWN), Word("-eq"), Word("1")], False),
        ([Word("1"), Word("-lt"), Word(UNKNOWN)], False),
        ([Word("-n"), Word(UNKNOWN, loose=True)], False),
        (line("-v", "x"), False),
        (line("-t", "x"), False),
        (line("x[$(y)]", "=", "z"), False),
        (line("a", "<", "b"), False),
    ],
)
def test_tests_work_nothing_out(words: list[Word], fine: bool) -> None:
    assert shell_test(words) is fine
