"""`rlmc calibrate` as its user meets it: the real command and daemon, transcripts of a simulated agent, models that are
simulated or an API on a socket."""

from __future__ import annotations

import json
import re
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support.command_line import Rlmc
from tests.support.daemons import own_folders
from tests.support.fake_upstream import FakeUpstream, Reply
from tests.support.ledger_rows import turn_rows
from tests.support.past import changes, write_sessions

from rlmc.config.paths import data_dir, ledger_file
from rlmc.daemon import control
from rlmc.ledger.care import Calibration, kept_calibrations
from rlmc.ledger.queries import LedgerReader

OPUS = "claude-opus-5-5"
SIM = ("--draft-model", "sim/draft+latency=0", "--verify-model", "sim/verify+latency=0")
REAL = ("--draft-model", "anthropic/claude-haiku-5-5", "--verify-model", f"anthropic/{OPUS}")
# Half of all turns may be worse: then one label opens, and few sessions show what many would at 2 %.
LAX = {"RLMC_MAX_REGRESSION": "20"}
NEEDED = 5
SESSIONS = 6


@pytest.fixture(scope="session")
def past(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("past")
    write_sessions(folder, changes(SESSIONS))
    return folder


@pytest.fixture(scope="session")
def claude(past: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same by a model of Anthropic's."""
    folder = tmp_path_factory.mktemp("claude")
    for file in past.rglob("*.jsonl"):
        (folder / file.name).write_text(file.read_text().replace('"model": "sim/verify"', f'"model": "{OPUS}"'))
    return folder


@pytest.fixture
def rlmc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Rlmc]:
    (tmp_path / "home").mkdir()
    with own_folders(tmp_path, monkeypatch):
        user = Rlmc(tmp_path / "home", **LAX)
        yield user
        user.close()


def real(up: FakeUpstream) -> dict[str, str]:
    return {"RLMC_UPSTREAM_ANTHROPIC_BASE_URL": up.url, "ANTHROPIC_API_KEY": "sk-test"}


def data(ran: subprocess.CompletedProcess[str], schema: str = "rlmc.calibrate/1") -> Any:
    assert ran.returncode == 0, ran.stderr
    envelope = json.loads(ran.stdout)
    assert envelope["schema"] == schema
    return envelope["data"]


def verdicts(found: Any) -> dict[str, str]:
    return {one["bucket"]: one["verdict"] for one in found["buckets"]}


def kept() -> dict[tuple[str, str], list[Calibration]]:
    reader = LedgerReader.open(ledger_file())
    try:
        return kept_calibrations(reader)
    finally:
        reader.close()


def calibrate(rlmc: Rlmc, past: Path, *options: str, **env: str) -> subprocess.CompletedProcess[str]:
    return rlmc("calibrate", "--from", str(past), *options, "--json", env=env)


def test_a_good_draft_model_opens_every_kind(rlmc: Rlmc, past: Path) -> None:
    ran = calibrate(rlmc, past, *SIM)
    found = data(ran)
    assert verdicts(found) == dict.fromkeys(("plan", "read", "shell-safe", "text", "edit"), "open")
    assert (found["labels_needed"], found["limit"], found["simulated"]) == (NEEDED, 0.5, True)
    assert sum(one["labels"] for one in found["buckets"]) == len(turn_rows()) - SESSIONS  # each text was judged
    assert found["not_served"] == found["unanswered"] == {}
    rows = kept()["sim/draft+latency=0", "sim/verify+latency=0"]
    assert all(row.opened and row.labels >= NEEDED and row.loss == 0 for row in rows)
    # What it cost is in the books, in sessions of its own, and nothing was drafted or audited on the way.
    assert {row["session_id"] for row in turn_rows()} == set(found["sessions"])
    assert {(row["policy"], row["outcome"]) for row in turn_rows()} == {("verify-only", "direct")}
    assert found["paid_picodollars"] > 0
    assert found["unpriced_calls"] == 0
    assert (control.status() or {})["sessions"] == []
    # Once more: nothing is asked again, and the same is found.
    before = len(turn_rows())
    again = calibrate(rlmc, past, *SIM)
    assert data(again) | {"at": 0} == found | {"at": 0}
    assert "kept from before" in again.stderr
    assert len(turn_rows()) == before
    fresh = data(calibrate(rlmc, past, *SIM, "--rerun", "--sample", "5"))
    assert set(fresh["sessions"]).isdisjoint(found["sessions"])
    assert set(verdicts(fresh).values()) == {"few"}


@pytest.mark.parametrize(
    ("errors", "expected"),
    [
        ("100:read", {"plan": "open", "read": "shut", "shell-safe": "unreached", "text": "unreached"}),
        ("100:edit", {"plan": "open", "read": "open", "shell-safe": "open", "text": "open", "edit": "shut"}),
        ("100:plan", {"plan": "shut", "read": "unreached", "edit": "unreached"}),
    ],
)
def test_the_kind_that_fails_ends_it(rlmc: Rlmc, past: Path, errors: str, expected: dict[str, str]) -> None:
    models = ("--draft-model", f"sim/draft+latency=0+errors={errors}", *SIM[2:])
    found = verdicts(data(calibrate(rlmc, past, *models)))
    assert {bucket: found[bucket] for bucket in expected} == expected


def test_a_kind_with_too_few_labels_stays_shut(rlmc: Rlmc, past: Path, tmp_path: Path) -> None:
    """Four sessions do everything four times, and plan twice as often."""
    for file in sorted(past.rglob("*.jsonl"))[: NEEDED - 1]:
        (tmp_path / file.name).write_bytes(file.read_bytes())
    found = verdicts(data(calibrate(rlmc, tmp_path, *SIM)))
    assert found == {"plan": "open", "read": "few", "shell-safe": "few", "text": "few", "edit": "few"}
    opened = {row.bucket: row.opened for row in next(iter(kept().values()))}
    assert opened == {"plan": True, "read": False, "shell-safe": False, "text": False, "edit": False}


def test_it_is_stricter_where_the_target_is(rlmc: Rlmc, past: Path) -> None:
    careful = data(calibrate(rlmc, past, *SIM, RLMC_POLICY="careful"))
    assert careful["target"] == pytest.approx(0.1)
    at_2_percent = data(calibrate(rlmc, past, *SIM, RLMC_MAX_REGRESSION="2"))
    assert at_2_percent["labels_needed"] == 59
    assert set(verdicts(at_2_percent).values()) == {"few"}


def test_the_report_and_the_list_for_people(rlmc: Rlmc, past: Path) -> None:
    text = rlmc("calibrate", "--from", str(past), *SIM, "--sample", "30")
    assert text.returncode == 0, text.stderr
    said = " ".join(text.stdout.split())
    assert "Simulated models, simulated prices." in said
    assert "the chance that any opens wrongly is at most 5 %" in said
    assert re.search(r"^edit +\d+ +0 +0 +\d+ %  may be served$", text.stdout, re.MULTILINE)
    assert max(map(len, text.stdout.splitlines())) <= 80
    assert "nothing, they run on this machine" in text.stderr
    listed = rlmc("calibrate", "--list")
    assert "draft sim/draft+latency=0, verify sim/verify+latency=0" in listed.stdout
    assert listed.stdout.count("may be served") == 5
    (one,) = data(rlmc("calibrate", "--list", "--json"), "rlmc.calibrations/1")
    assert [bucket["opened"] for bucket in one["buckets"]] == [True] * 5
    assert rlmc("calibrate", "--forget", "--json").returncode == 2
    assert (
        rlmc("calibrate", "--forget", "--draft-model", "sim/other", "--yes").stdout == "There is nothing to forget.\n"
    )
    assert rlmc("calibrate", "--forget", "--yes").stdout == "Forgot 1 calibration.\n"
    assert rlmc("calibrate", "--list").stdout == "There is no calibration.\n"


class Models:
    """A draft model that says what it is told to, and a judge with one opinion. `slow`: the draft model hangs."""

    def __init__(self, verdict: str = "EQUAL") -> None:
        self.verdict = verdict
        self.slow_after: int | None = None

    def __call__(self, body: dict[str, Any], n: int) -> Reply:
        if "haiku" not in body["model"]:
            return Reply(self.verdict)
        return Reply("It is done.", delay=30 if self.slow_after is not None and n >= self.slow_after else 0)


def test_what_leaves_the_machine_and_to_whom(rlmc: Rlmc, claude: Path) -> None:
    with FakeUpstream(Models()) as up:
        refused = rlmc("calibrate", "--from", str(claude), *REAL, env=real(up))
        assert refused.returncode == 2
        assert "nobody to ask" in refused.stderr
        assert up.messages == []
        found = data(calibrate(rlmc, claude, *REAL, "--yes", "--sample", "20", **real(up)))
        drafts = [exchange for exchange in up.messages if "haiku" in exchange.json["model"]]
        judged = [exchange for exchange in up.messages if exchange.json["model"] == OPUS]
        assert len(drafts) == len(judged) == 20
        assert {exchange.header("x-api-key") for exchange in up.messages} == {"sk-test"}
    told = refused.stderr
    assert "claude-haiku-5-5 (Anthropic, 127.0.0.1" in told
    assert f"{OPUS} (Anthropic, 127.0.0.1" in told
    assert re.search(r"about \$[\d.]+, at most about \$[\d.]+", told)
    everything = b"".join(exchange.body for exchange in up.messages)
    assert b"never to be sent" not in everything
    assert b"thinking" not in everything.replace(b'"thinking":{"type":"disabled"}', b"")
    assert all("tools" not in exchange.json for exchange in judged)
    texts = next(one for one in found["buckets"] if one["bucket"] == "text")
    assert (texts["labels"], texts["worse"], texts["verdict"]) == (20, 0, "open")
    # Nothing of what was said is kept, neither beside the ledger nor in it.
    labels = b"".join(file.read_bytes() for file in (data_dir() / "calibrate").iterdir())
    with sqlite3.connect(ledger_file()) as db:
        dump = "\n".join(db.iterdump())
    db.close()
    for kept_bytes in (labels, dump.encode()):
        assert not any(word in kept_bytes for word in (b"parcel", b"round(amount", b"It is done", b"sk-test"))


def test_drafts_that_the_judge_finds_worse(rlmc: Rlmc, claude: Path) -> None:
    models = Models("FIRST-WORSE-MATERIAL")
    with FakeUpstream(models) as up:
        found = data(calibrate(rlmc, claude, *REAL, "--yes", "--sample", "20", **real(up)))
        judged = [exchange for exchange in up.messages if exchange.json["model"] == OPUS]
    texts = next(one for one in found["buckets"] if one["bucket"] == "text")
    # Whoever stands first is said to be worse: a draft that was first is asked about once more, and loses half.
    assert texts["loss"] == texts["worse"] / 2 == (len(judged) - 20) / 2
    assert 0 < texts["worse"] < 20


def test_a_calibration_that_was_broken_off_goes_on(rlmc: Rlmc, claude: Path) -> None:
    models = Models()
    models.slow_after = 8  # two requests each: four states are done then
    command = ("calibrate", "--from", str(claude), *REAL, "--yes", "--sample", "10", "--parallel", "1", "--json")
    with FakeUpstream(models) as up:
        process = rlmc.start(*command, env=real(up))
        up.wait(lambda: len(up.messages) == 9, 30)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
        assert (process.returncode, out) == (130, "")
        assert "goes on with the rest" in err
        assert kept() == {}
        models.slow_after = None
        again = rlmc(*command, env=real(up))
        found = data(again)
        assert len(up.messages) == 9 + 2 * 6
    assert "4 steps kept from before" in again.stderr
    assert sum(one["labels"] for one in found["buckets"]) == 10
    assert {row["session_id"] for row in turn_rows()} == set(found["sessions"])


def test_too_much_without_an_answer_decides_nothing(rlmc: Rlmc, claude: Path) -> None:
    with FakeUpstream(lambda _b, _n: Reply(status=400, error="invalid_request_error")) as up:
        ran = rlmc("calibrate", "--from", str(claude), *REAL, "--yes", "--sample", "5", env=real(up))
    assert ran.returncode == 1
    assert "5 steps were not answered (status 400: invalid_request_error 5)" in ran.stderr
    assert kept() == {}


def test_a_key_that_is_refused_ends_it(rlmc: Rlmc, claude: Path) -> None:
    with FakeUpstream(lambda _b, _n: Reply(status=401, error="authentication_error")) as up:
        ran = rlmc("calibrate", "--from", str(claude), *REAL, "--yes", env=real(up))
        assert len(up.messages) <= 8
    assert ran.returncode == 1
    assert "see whether the key is valid" in ran.stderr


def test_the_verify_model_is_by_default_the_one_that_was_used(rlmc: Rlmc, claude: Path) -> None:
    with FakeUpstream(Models()) as up:
        found = data(calibrate(rlmc, claude, "--yes", "--sample", "3", **real(up)))
    assert found["verify_model"] == f"anthropic/{OPUS}"
    assert found["draft_model"].startswith("anthropic/claude-haiku")


def test_claude_codes_own_folder_is_the_default(rlmc: Rlmc, past: Path) -> None:
    nothing = rlmc("calibrate", *SIM)
    assert nothing.returncode == 2
    assert "no transcripts of Claude Code where Claude Code keeps them" in nothing.stderr
    place = rlmc.home / ".claude" / "projects" / "p"
    place.mkdir(parents=True)
    for file in past.rglob("*.jsonl"):
        (place / file.name).write_bytes(file.read_bytes())
    assert data(rlmc("calibrate", *SIM, "--sample", "10", "--json"))["buckets"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--list", "--forget"), "cannot be combined"),
        (("--list", "--rerun"), "go with a calibration alone"),
        (("--draft-model", "none", "--verify-model", "sim/verify"), "there is no draft model"),
        (("--draft-model", "sim/verify", "--verify-model", "sim/verify"), "nothing to compare"),
        (("--draft-model", "deepseek/deepseek-flash", "--verify-model", "sim/verify"), "DEEPSEEK_API_KEY is not set"),
    ],
)
def test_what_cannot_be_done_is_said(rlmc: Rlmc, past: Path, options: tuple[str, ...], said: str) -> None:
    sources = () if "--list" in options else ("--from", str(past))
    ran = rlmc("calibrate", *sources, *options)
    assert ran.returncode == 2
    assert said in " ".join(ran.stderr.split())


def test_a_running_daemon_takes_it_up(rlmc: Rlmc, past: Path) -> None:
    """Drafts of a kind that did not open are not served any more, until that is forgotten."""

    def served() -> set[str]:
        """The kinds of drafts that answered a turn of an agent."""
        before = len(turn_rows())
        env = {"RLMC_AUDITS": "on", "RLMC_MAX_REGRESSION": "2", "ANTHROPIC_API_KEY": "demo"}
        ran = rlmc("run", *SIM, "--", sys.executable, "-m", "rlmc.demo.agent", env=env)
        assert ran.returncode == 0, ran.stderr
        turns = [row for row in turn_rows()[before:] if row["outcome"] == "skipped"]
        return {json.loads(row["decision"])["controller"]["bucket"] for row in turns}

    assert rlmc("start").returncode == 0
    pid = (control.probe() or {})["pid"]
    assert {"side", "read", "edit", "text"} <= served()
    data(calibrate(rlmc, past, *SIM, "--sample", "5"))
    assert served() == {"side"}
    assert rlmc("calibrate", "--forget", "--yes").returncode == 0
    assert {"side", "read", "edit", "text"} <= served()
    assert (control.probe() or {})["pid"] == pid
