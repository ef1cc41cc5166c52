"""`rlmc replay` from the outside: what is read, what is asked, and how it is shown."""

from __future__ import annotations

import csv
import io
import json
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from tests.support.cli import Ran
from tests.support.cli import run as run_cli

from rlmc.cascade.policies import NAMES
from rlmc.commands.replay import register

OPUS = "claude-opus-5-5"
FORMS = (["--json"], ["--csv"], [])


def record(number: int, **changes: Any) -> dict[str, Any]:
    """A call that reads a file, 20 seconds after the one before; the cache is billed as it should be."""
    prompt = 20_000 + 1_000 * number
    known: dict[str, Any] = {
        "repo": "someone/something",
        "session": "s1",
        "model": OPUS,
        "ts": f"2026-11-20T12:{number // 3:02}:{number % 3 * 20:02}.000+00:00",
        "t": 20.0 * number,
        "in_total": prompt,
        "in_cached": prompt - 1_000 if number else 0,
        "in_cache_write": 1_000 if number else prompt,
        "in_fresh": 0,
        "cw_1h": 0,
        "cache_src": "usage",
        "out": 200,
        "out_src": "usage",
        "latency_s": 6.0,
        "reply": "tool_use",
        "text_chars": 40,
        "tools": [{"name": "Read", "cls": "read"}],
        "after": "tool_result" if number else "user",
        "after_errors": 0,
        "since_user": number,
    }
    return known | changes


def write(path: Path, *records: dict[str, Any], junk: str = "") -> Path:
    path.write_text("".join(json.dumps(one) + "\n" for one in records) + junk)
    return path


def sessions(path: Path, count: int, length: int = 6, **changes: Any) -> Path:
    return write(path, *(record(n, session=f"s{s}", **changes) for s in range(count) for n in range(length)))


def replay(*arguments: str | Path) -> Ran:
    return run_cli(register, "replay", *map(str, arguments))


def data(ran: Ran) -> Any:
    assert ran.code == 0, ran.err
    found = json.loads(ran.out)
    assert found["schema"] == "rlmc.replay/1"
    return found["data"]


def only(ran: Ran) -> Any:
    """The figures of the one policy with the one draft model."""
    (draft,) = data(ran)["drafts"]
    (policy,) = draft["policies"]
    return policy


# --- figures --------------------------------------------------------------------------------------------------------


def test_every_policy_is_replayed_with_the_cheapest_model_of_the_same_key(tmp_path: Path) -> None:
    found = data(replay(sessions(tmp_path / "t.jsonl", 3), "--json"))
    (draft,) = found["drafts"]
    assert draft["draft_model"] == "anthropic/claude-haiku-5-5"
    assert [policy["policy"] for policy in draft["policies"]] == list(NAMES)
    assert (found["records"]["sessions"], found["records"]["calls"], found["records"]["days"]) == (3, 18, 1)


def test_verify_only_saves_exactly_nothing(tmp_path: Path) -> None:
    found = only(replay(sessions(tmp_path / "t.jsonl", 6), "--policy", "verify-only", "--json"))
    assert found["saved"]["picodollars"] == 0 and found["saved"]["bound"] == "exact"
    assert (found["saved"]["share"], found["saved"]["share_low"], found["saved"]["share_high"]) == (0, 0, 0)
    assert found["paid"] == found["baseline"]


def test_policies_that_draft_reads_save(tmp_path: Path) -> None:
    path = sessions(tmp_path / "t.jsonl", 6)
    found = only(replay(path, "--policy", "balanced", "--draft-model", "deepseek/deepseek-flash", "--json"))
    assert found["outcomes"] == {"skipped": 30, "accepted": 0, "enhanced": 0, "direct": 6}
    assert found["saved"]["share_low"] <= found["saved"]["share"] <= found["saved"]["share_high"]
    assert 0.2 < found["saved"]["share"] < 0.6
    assert found["latency_s"]["estimate"]["p50"] < found["latency_s"]["recorded"]["p50"]


def test_the_best_choice_is_reckoned_where_it_is_asked_for(tmp_path: Path) -> None:
    path = sessions(tmp_path / "t.jsonl", 2)
    assert only(replay(path, "--policy", "balanced", "--json"))["optimum"] is None
    best = only(replay(path, "--policy", "balanced", "--optimum", "--json"))
    assert best["optimum"]["share"] >= best["saved"]["share"]
    assert only(replay(path, "--policy", "paper", "--optimum", "--json"))["optimum"] is None


def test_accuracy_says_what_is_not_tested(tmp_path: Path) -> None:
    path = sessions(tmp_path / "t.jsonl", 2)
    found = data(replay(path, "--accuracy", "--policy", "verify-only", "--json"))["accuracy"]
    assert (found["calls"], found["error"], found["median_session_error"]) == (12, 0, 0)
    assert found["kinds"]["first"] == {"calls": 2, "tested": False}
    text = replay(path, "--accuracy", "--policy", "verify-only").out
    assert "2 first calls of a conversation; fewer than 1,000: not tested" in text


def test_edits_left_to_the_verify_model_stand_beside_balanced(tmp_path: Path) -> None:
    path = write(
        tmp_path / "t.jsonl",
        *(record(n, tools=[{"name": "Edit", "cls": "edit" if n % 2 else "read"}]) for n in range(8)),
    )
    (draft,) = data(replay(path, "--policy", "balanced", "--json"))["drafts"]
    direct = only(replay(path, "--policy", "balanced", "--assume", "edits=direct", "--json"))
    assert draft["balanced_edits_direct"]["saved"] == direct["saved"]
    assert draft["policies"][0]["outcomes"]["skipped"] > direct["outcomes"]["skipped"]
    assert "edits=direct" in replay(path).out


def test_several_draft_models_are_replayed_at_once(tmp_path: Path) -> None:
    path = sessions(tmp_path / "t.jsonl", 1)
    models = ["deepseek/deepseek-flash", "anthropic/claude-haiku-5-5"]
    found = data(replay(path, *(part for one in models for part in ("--draft-model", one)), "--json"))
    assert [draft["draft_model"] for draft in found["drafts"]] == models


# --- groups and periods ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("by", "keys"),
    [
        ("session", ["s0", "s1"]),
        ("project", ["someone/something"]),
        ("model", [f"anthropic/{OPUS}"]),
        ("day", ["2026-11-20"]),
    ],
)
def test_groups_add_up(tmp_path: Path, by: str, keys: list[str]) -> None:
    path = sessions(tmp_path / "t.jsonl", 2)
    found = only(replay(path, "--policy", "balanced", "--by", by, "--json"))
    assert [group["key"] for group in found["groups"]] == keys
    assert sum(group["paid"]["picodollars"] for group in found["groups"]) == found["paid"]["picodollars"]
    text = replay(path, "--by", by).out
    assert all(key[-12:] in text for key in keys)  # the end of a long name is kept


def test_a_period_chooses_sessions_by_their_beginning(tmp_path: Path) -> None:
    late = [record(n, session="late", ts=f"2026-11-22T12:00:{n:02}.000+00:00") for n in range(3)]
    path = write(tmp_path / "t.jsonl", *(record(n) for n in range(3)), *late)
    for period, calls in (
        (["--since", "2026-11-22"], 3),
        (["--until", "2026-11-21"], 3),
        (["--since", "2026-11-01"], 6),
    ):
        assert data(replay(path, *period, "--json"))["records"]["calls"] == calls


def test_a_session_without_a_date_is_in_no_period(tmp_path: Path) -> None:
    path = write(tmp_path / "t.jsonl", *(record(n, ts=None) for n in range(3)))
    assert data(replay(path, "--json"))["records"]["sessions_without_clock"] == 1
    assert data(replay(path, "--since", "2026-11-01", "--json"))["records"]["sessions_without_date"] == 1


# --- what is said ---------------------------------------------------------------------------------------------------


def test_text_is_narrow_and_says_what_is_assumed(tmp_path: Path) -> None:
    path = sessions(tmp_path / "t.jsonl", 6)
    ran = replay(path, "--optimum", "--accuracy", "--by", "session", "--assume", "error-gate=off")
    assert max(map(len, ran.out.splitlines())) <= 80
    assert ran.out.startswith("rlmc replay: 6 sessions, 36 calls, 1 day")
    words = " ".join(ran.out.split())
    for said in ("as good as the recorded answers", "error-gate=off", "draft model alone", "2 times as fast"):
        assert said in words
    assert ran.err == ""


def test_what_the_records_do_not_tell_is_said(tmp_path: Path) -> None:
    unknown = [record(n, tools=None, reply="unknown", out_src="estimated_chars") for n in range(4)]
    words = " ".join(replay(write(tmp_path / "t.jsonl", *unknown)).out.split())
    assert "does not tell what 4 answers did; they count as unsafe" in words
    assert "4 of 4 outputs were estimated from content" in words


def test_broken_lines_are_counted(tmp_path: Path) -> None:
    path = write(tmp_path / "t.jsonl", *(record(n) for n in range(3)), junk='{"half": \nnot json\n')
    assert data(replay(path, "--json"))["records"]["broken_lines"] == 2
    assert "2 lines are broken and left out." in replay(path).out


def test_a_verify_model_without_a_price_is_left_out_and_named(tmp_path: Path) -> None:
    path = write(
        tmp_path / "t.jsonl",
        *(record(n) for n in range(3)),
        *(record(n, session="s2", model="claude-nobody-9") for n in range(3)),
    )
    found = data(replay(path, "--json"))["records"]
    assert (found["sessions"], found["sessions_without_price"]) == (1, 1)
    assert found["models_without_price"] == {"anthropic/claude-nobody-9": 1}
    words = " ".join(replay(path).out.split())
    assert "1 session left out of every figure" in words and "anthropic/claude-nobody-9" in words


def test_no_known_price_at_all_is_said_and_no_figure_is_made_up(tmp_path: Path) -> None:
    ran = replay(sessions(tmp_path / "t.jsonl", 2, model="claude-nobody-9"))
    assert ran.code == 0 and "2 sessions left out of every figure" in " ".join(ran.out.split())
    assert "$" not in ran.out and "%" not in ran.out


def test_a_draft_model_without_a_price_makes_bounds(tmp_path: Path) -> None:
    path = sessions(tmp_path / "t.jsonl", 2)
    model = "deepseek/nobody-9"
    found = only(replay(path, "--policy", "balanced", "--draft-model", model, "--json"))
    assert found["saved"]["bound"] == "at most" and found["saved"]["share"] is None
    text = " ".join(replay(path, "--policy", "balanced", "--draft-model", model).out.split())
    assert f"No price is known of {model}" in text and "≤ $" in text


def test_no_sessions_says_where_it_looked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    ran = replay()
    assert ran.code == 0
    assert "~/.claude/projects" in ran.out and "~/.codex/sessions" in ran.out
    empty = tmp_path / "empty"
    empty.mkdir()
    assert str(empty) in replay(empty).out
    assert data(replay("--json"))["records"]["sessions"] == 0
    assert len(replay("--csv").out.splitlines()) == 1 + len(NAMES)


def test_sessions_are_found_where_clients_keep_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    folder = tmp_path / ".claude" / "projects" / "x"
    folder.mkdir(parents=True)
    sessions(folder / "t.jsonl", 1)
    assert data(replay("--json"))["records"]["sessions"] == 1


# --- other forms ----------------------------------------------------------------------------------------------------


def test_csv_has_a_row_for_each_policy_and_group(tmp_path: Path) -> None:
    path = sessions(tmp_path / "t.jsonl", 6)
    rows = list(csv.DictReader(io.StringIO(replay(path, "--csv").out)))
    assert [row["policy"] for row in rows] == list(NAMES)
    assert {len(row) for row in rows} == {27} and all(None not in row for row in rows)
    assert float(rows[-1]["share"]) == 0.0
    grouped = list(csv.DictReader(io.StringIO(replay(path, "--csv", "--by", "session").out)))
    assert len(grouped) == 6 * len(NAMES) and {row["session"] for row in grouped} == {f"s{n}" for n in range(6)}


class Page(HTMLParser):
    """Checks that every element is closed in order; keeps tags, attributes and text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert not self._open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag != "meta":
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_page_needs_nothing_beside_itself(tmp_path: Path) -> None:
    path, page = sessions(tmp_path / "t.jsonl", 6), tmp_path / "page.html"
    ran = replay(path, "--html", page, "--optimum", "--accuracy", "--by", "session")
    assert ran.code == 0 and ran.out
    text = page.read_text(encoding="utf-8")
    found = Page(text)
    assert {"svg", "rect", "table"} <= set(found.tags) and not {"script", "link", "img", "iframe"} & set(found.tags)
    assert not [name for name, _ in found.attributes if name in ("src", "href") or name.startswith("on")]
    assert "http" not in text and "url(" not in text
    for said in ("balanced", "verify-only", "as good as the recorded answers", "6 sessions, 36 calls"):
        assert said in found.text


def test_names_from_records_are_only_ever_text(tmp_path: Path) -> None:
    name = "</td><script>alert(1)</script>\x1b[31m"
    path, page = sessions(tmp_path / "t.jsonl", 1, repo=name), tmp_path / "page.html"
    ran = replay(path, "--html", page, "--by", "project")
    assert "\x1b" not in ran.out
    assert "script" not in Page(page.read_text(encoding="utf-8")).tags
    assert data(replay(path, "--by", "project", "--json"))["drafts"][0]["policies"][0]["groups"][0]["key"] == name


def test_a_page_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    ran = replay(sessions(tmp_path / "t.jsonl", 1), "--html", tmp_path / "missing" / "page.html")
    assert ran.code == 2 and "page.html" in ran.err


def test_there_is_no_progress_bar_where_nobody_looks(tmp_path: Path) -> None:
    for form in FORMS:
        assert replay(sessions(tmp_path / "t.jsonl", 1), *form).err == ""


# --- what makes no sense --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "named", "known"),
    [
        (["--policy", "bold"], "bold", "balanced"),
        (["--draft-model", "haiku"], "haiku", "provider/model"),
        (["--draft-model", "nobody/haiku"], "nobody", "anthropic"),
        (["--verify-model", "nobody/opus"], "nobody", "anthropic"),
        (["--assume", "luck=1"], "luck=1", "brief-tokens"),
        (["--assume", "brief-accept=2"], "brief-accept=2", "0 to 1"),
        (["--json", "--csv"], "--csv", "choose one"),
        (["--csv", "--accuracy"], "--accuracy", "--json"),
        (["--session", "x", "--csv"], "--session", "other options"),
        (["--since", "yesterdayish"], "yesterdayish", "2026-11-23"),
    ],
)
def test_what_is_not_known_is_named_with_what_is(arguments: list[str], named: str, known: str) -> None:
    ran = replay(*arguments)
    assert ran.code == 2
    error, _, hint = ran.err.partition("hint:")
    assert named in error and known in hint


def test_a_path_that_does_not_exist_is_an_error(tmp_path: Path) -> None:
    ran = replay(tmp_path / "nowhere")
    assert ran.code == 2 and "nowhere" in ran.err


def test_the_settings_name_the_draft_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = sessions(tmp_path / "t.jsonl", 1)
    for value, expected in (
        ("deepseek/deepseek-flash", "deepseek/deepseek-flash"),
        ("none", "anthropic/claude-haiku-5-5"),
        ("auto", "anthropic/claude-haiku-5-5"),
    ):
        monkeypatch.setenv("RLMC_DRAFT_MODEL", value)
        assert data(replay(path, "--json"))["drafts"][0]["draft_model"] == expected
    monkeypatch.setenv("RLMC_DRAFT_MODEL", "deepseek/deepseek-flash")
    auto = data(replay(path, "--draft-model", "auto", "--verify-model", "as-requested", "--json"))
    assert auto["drafts"][0]["draft_model"] == "anthropic/claude-haiku-5-5" and auto["verify_model"] == "as-recorded"
    monkeypatch.delenv("RLMC_DRAFT_MODEL")
    assert data(replay(path, "--verify-model", "sim/verify", "--json"))["drafts"][0]["draft_model"] == "sim/draft"


def test_the_help_imports_nothing_of_it() -> None:
    code = (
        "import sys\nfrom rlmc.__main__ import run\nrun(['--help'])\n"
        "print(*sorted(name for name in sys.modules if name.startswith(('rlmc.replay', 'rlmc.cascade', 'rich'))))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert re.search(r"^\s*replay\s", done.stdout, re.MULTILINE)
    assert done.stdout.splitlines()[-1].split() in ([], ["rlmc.cascade", "rlmc.cascade.obedience"])
