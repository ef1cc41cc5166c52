"""The metrics a collector sees: equal to the ledger, behind a token, in a form that promtool and Prometheus accept."""

from __future__ import annotations

import http.client
import json
import os
import re
import shutil
import socket
import stat
import subprocess
import sys
import time
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from prometheus_client.parser import text_string_to_metric_families
from tests.support.daemons import eventually, own_folders
from tests.support.fake_upstream import FakeUpstream, Reply
from tests.support.ledger_rows import call_rows, turn_rows
from tests.support.live import Live, live_daemon
from tests.support.mixed_session import PRICES, conversation, script
from tests.support.scripts import always_text
from tests.support.wire_client import raw_request, send

from rlmc.server import labels
from rlmc.server.metrics_token import metrics_token

PICO = 10**12
ROOT = Path(__file__).parents[2]
Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def fetch(
    live: Live, *, method: str = "GET", path: str = "/metrics", token: str | None = None, **headers: str
) -> tuple[http.client.HTTPResponse, str]:
    connection = http.client.HTTPConnection("127.0.0.1", live.port, timeout=20)
    if token != "":
        headers["authorization"] = f"Bearer {token or metrics_token(live.control_token)}"
    try:
        connection.request(method, path, headers={k.replace("_", "-"): v for k, v in headers.items()})
        response = connection.getresponse()
        return response, response.read().decode()
    finally:
        connection.close()


def scrape(live: Live) -> Samples:
    response, text = fetch(live)
    assert response.status == 200, text
    return {
        (one.name, frozenset(one.labels.items())): one.value
        for family in text_string_to_metric_families(text)
        for one in family.samples
    }


def total(samples: Samples, name: str, by: str, **only: str) -> dict[str, float]:
    """The sums of a metric's series that have these labels, by one label."""
    found: dict[str, float] = defaultdict(float)
    for (series, pairs), value in samples.items():
        named = dict(pairs)
        if series == name and only.items() <= named.items():
            found[named[by]] += value
    return dict(found)


@pytest.fixture
def mixed(live: Live) -> Live:
    """After a session in which everything happens."""
    with FakeUpstream(script, prices=PRICES) as up:
        session = live.open_session(overrides={"upstream.anthropic.base-url": up.url}, client="claude")
        for turn in range(42):
            assert send(session.base_url, conversation(turn), x_claude_code_session_id="s1").status == 200
        session.end()
    return live


def test_all_verdicts_are_there_from_the_start(live: Live) -> None:
    samples = scrape(live)
    assert total(samples, "rlmc_requests_total", "verdict") == dict.fromkeys(
        ("SKIPPED", "ACCEPTED", "ENHANCED", "DIRECT"), 0
    )
    assert samples["rlmc_saved_dollars", frozenset({("simulated", "false")})] == 0


def test_the_metrics_equal_the_ledger(mixed: Live) -> None:
    samples, turns, calls = scrape(mixed), turn_rows(), call_rows()
    outcomes = Counter(t["outcome"] for t in turns)
    assert total(samples, "rlmc_requests_total", "verdict") == {k.upper(): n for k, n in outcomes.items()}
    assert total(samples, "rlmc_turns_total", "reason") == Counter(t["reason"] for t in turns)
    assert total(samples, "rlmc_turns_total", "client") == {"claude": 42}
    assert total(samples, "rlmc_calls_total", "role") == Counter(c["role"] for c in calls)
    assert total(samples, "rlmc_calls_total", "status") == Counter(f"{c['status'] // 100}xx" for c in calls)
    assert total(samples, "rlmc_call_errors_total", "kind")["status"] == sum(c["status"] == 529 for c in calls) > 0
    assert total(samples, "rlmc_calls_total", "model") == Counter(c["model"] for c in calls)
    for name in ("input", "cache_read", "output"):
        assert total(samples, "rlmc_tokens_total", "class")[name] == sum(c[name] for c in calls)
    written = sum(c["cache_write_5m"] + c["cache_write_1h"] for c in calls)
    assert total(samples, "rlmc_tokens_total", "class")["cache_write"] == written > 0
    finished = Counter(t["outcome"].upper() for t in turns if t["ending"] == "complete")
    assert total(samples, "rlmc_turn_duration_seconds_count", "verdict") == finished
    assert total(samples, "rlmc_turn_duration_seconds_bucket", "verdict", le="+Inf") == finished
    assert set(total(samples, "rlmc_gate_findings_total", "check")) == {
        f.partition(":")[0] for t in turns for f in json.loads(t["findings"])
    }
    wasted = [c for c in calls if c["role"] == "draft" and not c["served"]]
    assert total(samples, "rlmc_wasted_drafts_total", "simulated") == {"false": len(wasted)}
    assert total(samples, "rlmc_wasted_dollars_total", "simulated")["false"] == pytest.approx(
        sum(c["cost"] for c in wasted) / PICO
    )


def test_the_money_equals_the_ledger(mixed: Live) -> None:
    samples, turns, calls = scrape(mixed), turn_rows(), call_rows()
    paid, baseline = sum(c["cost"] for c in calls), sum(t["baseline"] for t in turns)
    assert sum(total(samples, "rlmc_paid_dollars_total", "role").values()) == pytest.approx(paid / PICO)
    for role in {c["role"] for c in calls}:
        of_role = sum(c["cost"] for c in calls if c["role"] == role)
        assert total(samples, "rlmc_paid_dollars_total", "role")[role] == pytest.approx(of_role / PICO)
    assert total(samples, "rlmc_baseline_dollars_total", "simulated")["false"] == pytest.approx(baseline / PICO)
    assert total(samples, "rlmc_saved_dollars", "simulated")["false"] == pytest.approx((baseline - paid) / PICO)
    assert total(samples, "rlmc_unknown_baselines_total", "simulated") == {"false": 0}
    assert total(samples, "rlmc_unknown_costs_total", "cause") == {}


def test_unknown_money_is_counted_and_never_zero(live: Live) -> None:
    with FakeUpstream(always_text("Fine.")) as up:
        session = live.open_session(
            overrides={
                "upstream.anthropic.base-url": up.url,
                "upstream.mine.base-url": up.url,
                "verify-model": "mine/some-model",
            }
        )
        send(session.base_url, conversation(0))
        session.end()
    samples = scrape(live)
    assert total(samples, "rlmc_unknown_costs_total", "cause") == {"no-price": 1}
    assert total(samples, "rlmc_unknown_baselines_total", "simulated") == {"false": 1}
    saved = total(samples, "rlmc_saved_dollars", "simulated")["false"]
    assert saved != saved, "NaN: neither side is known"
    assert total(samples, "rlmc_paid_dollars_total", "role") == {}
    assert total(samples, "rlmc_calls_total", "provider") == {"other": 1}


def test_simulated_money_is_apart(live: Live) -> None:
    session = live.open_session(overrides={"draft-model": "sim/draft", "verify-model": "sim/verify"})
    send(session.base_url, conversation(0))
    session.end()
    samples = scrape(live)
    assert set(total(samples, "rlmc_paid_dollars_total", "simulated")) == {"true"}
    assert total(samples, "rlmc_baseline_dollars_total", "simulated")["false"] == 0
    assert total(samples, "rlmc_baseline_dollars_total", "simulated")["true"] > 0


def test_money_keeps_its_kind_in_a_turn_that_ends_after_its_session(live: Live) -> None:
    """The draft model is simulated and not asked; the session is gone already when its last turn is booked."""
    with FakeUpstream(lambda _b, _n: Reply("Fine.", delay=0.5), prices=PRICES) as up:
        session = live.open_session(
            overrides={"upstream.anthropic.base-url": up.url, "draft-model": "sim/draft", "policy": "verify-only"}
        )
        client = raw_request(session.base_url, conversation(0))
        up.wait(lambda: len(up.messages) == 1)
        session.end()
        client.close()
    samples = scrape(live)
    assert set(total(samples, "rlmc_paid_dollars_total", "simulated")) == {"true"}
    assert total(samples, "rlmc_baseline_dollars_total", "simulated")["false"] == 0


def test_labels_are_a_closed_set_whatever_a_client_asks_for(live: Live) -> None:
    with FakeUpstream(always_text("Fine.")) as up:
        session = live.open_session(overrides={"upstream.anthropic.base-url": up.url}, client="/home/me/secret-agent")
        for n in range(3):
            body = conversation(0) | {"model": f"made-up-{n}"}
            send(session.base_url, body, x_claude_code_session_id="s1")
        session.end()
    samples = scrape(live)
    assert total(samples, "rlmc_calls_total", "model") == {"other": 3}
    assert total(samples, "rlmc_turns_total", "client") == {"other": 3}
    _, text = fetch(live)
    assert session.id not in text and "secret" not in text and "made-up" not in text


def test_priced_spellings_do_not_grow_without_bound(live: Live) -> None:
    models = labels.Models()
    rows = [labels.CallRecord("direct", "anthropic", f"m{n}", 0, None, 1.0, 200, None, None, False, 1, "table",
                              None, True) for n in range(200)]  # fmt: skip
    assert len({models.label(row, None) for row in rows}) == labels._MOST_MODELS + 1
    assert models.label(rows[0], None) == "m0"


def test_the_closed_sets_name_what_there_is() -> None:
    from rlmc.launch import integrations

    assert {name for name in integrations.NAMES if name != "generic"} == labels.CLIENTS
    source = "\n".join(path.read_text() for path in (ROOT / "cli/rlmc/cascade").rglob("*.py"))
    assert set(re.findall(r'Finding\("([a-z-]+)"', source)) <= labels.CHECKS


@pytest.mark.parametrize(("error", "kind"), [
    ("unreachable: refused", "refused"), ("status: 529", "status"), ("reset", "reset"),
    ("timeout: no answer", "timeout"), ("unreachable: credential", "credential"), ("/home/me", "other"),
])  # fmt: skip
def test_an_error_is_shown_by_its_kind(error: str, kind: str) -> None:
    assert labels.error_label(error) == kind


def test_what_is_under_way_is_seen(live: Live) -> None:
    def slow(body: dict[str, Any], n: int) -> Reply:
        seen.append(scrape(live)["rlmc_requests_active", frozenset()])
        return Reply("Fine.")

    seen: list[float] = []
    with FakeUpstream(slow) as up:
        session = live.open_session(overrides={"upstream.anthropic.base-url": up.url, "policy": "verify-only"})
        send(session.base_url, conversation(0))
        session.end()
    assert seen == [1.0]
    assert scrape(live)["rlmc_requests_active", frozenset()] == 0


def test_a_ledger_and_a_configuration_that_fail_are_seen(live: Live) -> None:
    assert (scrape(live)["rlmc_ledger_ok", frozenset()], scrape(live)["rlmc_config_ok", frozenset()]) == (1, 1)
    live.daemon.books.ledger._lose(2)
    config = Path(os.environ["RLMC_CONFIG_DIR"])
    config.mkdir(parents=True, exist_ok=True)
    (config / "config.toml").write_text("policy = 'none-such'\n")
    live.control("POST", "/-/reload")
    samples = scrape(live)
    assert samples["rlmc_ledger_lost_records_total", frozenset()] == 2
    assert (samples["rlmc_ledger_ok", frozenset()], samples["rlmc_config_ok", frozenset()]) == (0, 0)


# --- who may look -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/metrics", "/metrics/prometheus"])
def test_a_token_is_needed(live: Live, path: str) -> None:
    for token in ("", "wrong"):
        response, text = fetch(live, path=path, token=token)
        assert (response.status, response.headers["www-authenticate"]) == (401, 'Bearer realm="rlmc metrics"')
        assert "rlmc_" not in text
    assert fetch(live, path=path, token=live.control_token)[0].status == 200
    assert fetch(live, path=path)[0].status == 200


def test_the_metrics_token_opens_nothing_else(live: Live) -> None:
    status, _ = live.control("GET", "/-/status", token=metrics_token(live.control_token))
    assert status == 401


def test_only_reading(live: Live) -> None:
    response, text = fetch(live, method="HEAD")
    assert (response.status, text) == (200, "")
    assert fetch(live, method="POST")[0].status == 405


@pytest.mark.parametrize("header", [{"host": "evil.example"}, {"origin": "http://evil.example"}])
def test_web_pages_and_other_hosts_are_refused(live: Live, header: dict[str, str]) -> None:
    assert fetch(live, **header)[0].status == 403


def test_openmetrics_for_who_asks(live: Live) -> None:
    response, text = fetch(live, accept="application/openmetrics-text;version=1.0.0")
    assert response.headers["content-type"].startswith("application/openmetrics-text")
    assert text.endswith("# EOF\n")
    response, _ = fetch(live)
    assert response.headers["content-type"].startswith("text/plain; version=0.0.4")


# --- documents and other people's tools -------------------------------------------------------------------------------


def listed() -> dict[str, tuple[str, frozenset[str]]]:
    """docs/metrics.md: name -> type, labels."""
    text = (ROOT / "docs" / "metrics.md").read_text().partition("## OpenTelemetry")[0]
    rows = re.findall(r"^\| `((?:rlmc|process)_\w+)` \| (\w+) \| (.*?) \|", text, re.MULTILINE)
    return {name: (kind, frozenset(re.findall(r"`(\w+)`", named))) for name, kind, named in rows}


def exposed(live: Live) -> dict[str, tuple[str, frozenset[str]]]:
    _, text = fetch(live)
    found = {}
    for family in text_string_to_metric_families(text):
        ending = "_total" if family.type == "counter" and not family.name.startswith("process_") else ""
        if family.name == "process_cpu_seconds":
            ending = "_total"
        named = {label for one in family.samples for label in one.labels} - {"le"}
        found[family.name.removesuffix("_total") + ending] = (family.type, frozenset(named))
    return found


def test_the_document_lists_what_is_exposed(mixed: Live) -> None:
    documented, seen = listed(), exposed(mixed)
    if sys.platform != "linux":
        documented = {name: what for name, what in documented.items() if not name.startswith("process_")}
    assert documented.keys() == seen.keys()
    for name, (kind, named) in seen.items():
        assert documented[name][0] == kind, name
        assert named <= documented[name][1], name
        if named:
            assert named == documented[name][1], name


def test_the_grafana_dashboard_asks_for_what_is_exposed() -> None:
    board = json.loads((ROOT / "docs" / "grafana-dashboard.json").read_text())
    assert board["schemaVersion"] >= 39
    assert board["templating"]["list"][0]["type"] == "datasource"
    names = set(listed())
    histograms = {name for name, (kind, _) in listed().items() if kind == "histogram"}
    names |= {f"{name}_{part}" for name in histograms for part in ("bucket", "sum", "count")}
    expressions = [target["expr"] for panel in board["panels"] for target in panel.get("targets", [])]
    assert len(expressions) > 10
    for expression in expressions:
        asked = set(re.findall(r"\b(?:rlmc|process)_\w+", expression))
        assert asked and asked <= names, expression
        assert set(re.findall(r"by \(([\w, ]+)\)", expression)) <= _label_lists(asked), expression
    ids = [panel["id"] for panel in board["panels"]]
    assert len(ids) == len(set(ids))
    for panel in board["panels"]:
        if panel["type"] != "row":
            assert panel["datasource"]["uid"] == "${datasource}"


def _label_lists(names: set[str]) -> set[str]:
    found: set[str] = set()
    for name in names:
        for base, (_, named) in listed().items():
            if name.startswith(base):
                found |= named | {f"le, {one}" for one in named} | {"le"}
                found |= {f"{a}, {b}" for a in named for b in named}
    return found


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed")
def test_promtool_has_nothing_to_say(mixed: Live) -> None:
    _, text = fetch(mixed)
    checked = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True, timeout=60)
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, "", "")


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed")
def test_the_grafana_expressions_are_valid(tmp_path: Path) -> None:
    board = json.loads((ROOT / "docs" / "grafana-dashboard.json").read_text())
    expressions = [target["expr"] for panel in board["panels"] for target in panel.get("targets", [])]
    rules = [
        {"record": f"one:{n}", "expr": expression.replace("$__rate_interval", "5m").replace("$__range", "1h")}
        for n, expression in enumerate(expressions)
    ]
    file = tmp_path / "rules.json"  # JSON is YAML, too
    file.write_text(json.dumps({"groups": [{"name": "all", "rules": rules}]}))
    checked = subprocess.run(["promtool", "check", "rules", str(file)], capture_output=True, text=True, timeout=60)
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.skipif(shutil.which("prometheus") is None, reason="Prometheus is not installed")
def test_a_real_prometheus_scrapes_across_a_restart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The example of the document, with the token's file as a real daemon process keeps it."""
    rlmc, port, own = [sys.executable, "-m", "rlmc"], _free_port(), _free_port()
    with own_folders(tmp_path, monkeypatch):
        token = tmp_path / "state" / "metrics-token"
        (tmp_path / "config").mkdir()
        (tmp_path / "config" / "config.toml").write_text(f"port = {port}\n")
        subprocess.run([*rlmc, "start"], check=True, capture_output=True, timeout=60)
        first = token.read_text()
        assert stat.S_IMODE(token.stat().st_mode) == 0o600
        example = re.search(r"```yaml\n(.*?)```", (ROOT / "docs/metrics.md").read_text(), re.DOTALL)
        assert example is not None
        config = example.group(1).replace("127.0.0.1:8787", f"127.0.0.1:{port}")
        config = re.sub(r"credentials_file: .*", f"credentials_file: {token}", config)
        (tmp_path / "prometheus.yml").write_text("global:\n  scrape_interval: 1s\n" + config)
        command = ["prometheus", f"--config.file={tmp_path}/prometheus.yml", f"--storage.tsdb.path={tmp_path}/tsdb",
                   f"--web.listen-address=127.0.0.1:{own}"]  # fmt: skip
        with (tmp_path / "prometheus.log").open("wb") as out:
            server = subprocess.Popen(command, stdout=out, stderr=out)
        try:
            assert eventually(lambda: _query(own, "sum(rlmc_requests_total)"), 30) == ["0"]
            subprocess.run([*rlmc, "restart"], check=True, capture_output=True, timeout=60)
            assert token.read_text() != first
            began = time.time()
            eventually(lambda: [v for v in _query(own, f"timestamp(up == 1) > {began + 1}") if v], 30)
        finally:
            server.terminate()
            server.wait(20)
            subprocess.run([*rlmc, "stop"], check=True, capture_output=True, timeout=60)
        assert not token.exists(), "gone with the daemon"


def _query(port: int, expression: str) -> list[str]:
    from urllib.parse import quote

    try:
        with urlopen(f"http://127.0.0.1:{port}/api/v1/query?query={quote(expression)}", timeout=5) as answer:
            return [one["value"][1] for one in json.loads(answer.read())["data"]["result"]]
    except OSError:
        return []


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


def test_counting_begins_with_the_daemon_and_loads_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = "import sys, rlmc.assembly; print('prometheus_client' in sys.modules, 'opentelemetry' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert ran.stdout.split() == ["False", "False"]
    with live_daemon(tmp_path, monkeypatch) as live:
        assert sum(total(scrape(live), "rlmc_requests_total", "verdict").values()) == 0
