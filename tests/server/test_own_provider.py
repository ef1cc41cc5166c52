"""A provider of the user's own, as docs/providers.md shows it: one file, and its models draft."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from tests.support import tools
from tests.support.fake_upstream import FakeUpstream
from tests.support.ledger_rows import call_rows, turn_rows
from tests.support.live import Live
from tests.support.speaking import Saying, Speaker
from tests.support.wire_client import send

from rlmc.config.load import load
from rlmc.config.paths import providers_dir
from rlmc.domain.turn import Model
from rlmc.server.parts import build_parts
from rlmc.upstream.prices import load_prices
from rlmc.upstream.providers import find, names

PAGE = (Path(__file__).parents[2] / "docs" / "providers.md").read_text(encoding="utf-8")
READS = Saying(calls=(("Read", {"file_path": "b"}),))
AFTER_READ: dict[str, Any] = tools.request(
    "Fix it.",
    tools.use("t1", "Read", file_path="a.py"),
    tools.result("t1", "x"),
    model="claude-opus-5-5",
    max_tokens=64_000,
    top_p=0.9,
    tools=tools.ALL,
    stream=True,
)


def as_the_page_says() -> None:
    """Puts the page's example where the page says."""
    shown = re.search(r"`providers/(\S+)\.toml`, and complete:\n\n```toml\n(.*?)```", PAGE, re.DOTALL)
    assert shown is not None
    assert shown[1] == "acme"
    providers_dir().mkdir(parents=True)
    (providers_dir() / f"{shown[1]}.toml").write_text(shown[2], encoding="utf-8")


def test_the_example_is_a_provider() -> None:
    as_the_page_says()
    assert names()[-1] == "acme"
    settings = load(env={}, flags={"draft-model": "acme/acme-small"}, providers=names()).settings
    parts = build_parts(settings)
    assert parts.draft_model() == Model("acme", "acme-small")
    assert parts.who_sees()[1] == "draft model acme/acme-small: Acme Corp. (api.acme.example)"
    acme = find("acme")
    assert acme is not None
    small, large = (acme.endpoint("anthropic").shape_of(name) for name in ("acme-small", "acme-large-2"))
    assert (small.output_limit, small.max_output, small.reasoning_back) == ("max_completion_tokens", 32_000, "no")
    assert (large.output_limit, large.reasoning_back, large.reasoning_off) == ("max_completion_tokens", "always", {})
    assert (acme.context_of("acme-small"), acme.context_of("acme-large-2")) == (128_000, 1_000_000)
    assert load_prices().lookup(Model("acme", "acme-small"), 0, 10) is None, "unknown, never free"


def test_every_key_the_page_lists_is_one_and_every_one_is_listed() -> None:
    from dataclasses import fields

    from rlmc.domain.shape import Shape
    from rlmc.upstream import provider_file

    listed = set(re.findall(r"^\| `([a-z-]+)` \|", PAGE, re.MULTILINE))
    known = {field.name.replace("_", "-") for field in fields(Shape)}
    known |= {"operator", "key-env", "default-draft", "media-models", "effort-models", "context", "local"}
    known |= {"protocol", "url", "auth"}
    assert listed == known
    assert known >= (provider_file._PROVIDER_KEYS | provider_file._ENDPOINT_KEYS) - {"endpoint", "shape", "variant"}


def test_its_model_drafts(live: Live) -> None:
    as_the_page_says()
    with FakeUpstream() as verify, Speaker("chat", READS) as acme:
        session = live.open_session(
            overrides={
                "draft-model": "acme/acme-small",
                "upstream.acme.base-url": acme.url,
                "upstream.anthropic.base-url": verify.url,
            },
            keys={"ACME_API_KEY": "acme-secret"},
        )
        answer = send(session.base_url, AFTER_READ)
        session.end()
    assert [block["name"] for block in answer.message["content"] if block["type"] == "tool_use"] == ["Read"]
    assert verify.messages == []
    (body,) = acme.bodies
    assert (body["model"], body["max_completion_tokens"], body["thinking"]) == (
        "acme-small",
        32_000,
        {"type": "disabled"},
    )
    assert body.keys().isdisjoint({"top_p", "max_tokens", "reasoning_effort"})
    assert acme.headers[0]["authorization"] == "Bearer acme-secret"
    assert "x-api-key" not in acme.headers[0]
    (turn,) = turn_rows()
    assert (turn["outcome"], turn["served_model"], turn["cost"]) == ("skipped", "acme/acme-small", None)
    assert {(c["provider"], c["model"], c["cost"]) for c in call_rows()} == {("acme", "acme-small", None)}


def test_a_changed_file_is_taken_with_the_next_turns_and_a_broken_one_is_told(
    live: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rlmc.server.control._LOOK_AT_FILE_SECONDS", 0.0)
    as_the_page_says()
    file = providers_dir() / "acme.toml"
    text = file.read_text(encoding="utf-8")
    with FakeUpstream() as verify, Speaker("chat", READS) as acme:
        session = live.open_session(
            overrides={
                "draft-model": "acme/acme-small",
                "upstream.acme.base-url": acme.url,
                "upstream.anthropic.base-url": verify.url,
            },
            keys={"ACME_API_KEY": "k"},
        )
        send(session.base_url, AFTER_READ)
        file.write_text(text.replace("32_000", "16_000"), encoding="utf-8")
        send(session.base_url, AFTER_READ)
        file.write_text("max-output = 1", encoding="utf-8")
        send(session.base_url, AFTER_READ)
        status, told = live.control("GET", "/-/status")
        file.write_text(text, encoding="utf-8")
        send(session.base_url, AFTER_READ)
        mended = live.control("GET", "/-/status")[1]
        session.end()
    assert [body["max_completion_tokens"] for body in acme.bodies] == [32_000, 16_000, 16_000, 32_000]
    assert status == 200
    assert str(file) in told["config_error"]
    assert mended["config_error"] is None
