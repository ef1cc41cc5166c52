"""Signs of regret over real sockets: they land on the turn that caused them, and on what watches over its epoch."""

from __future__ import annotations

from typing import Any

from tests.support import tools
from tests.support.fake_upstream import FakeUpstream, Reply
from tests.support.ledger_rows import ledger_path, turn_rows
from tests.support.live import Live
from tests.support.mixed_session import PRICES
from tests.support.wire_client import send

from rlmc.ledger.queries import LedgerReader
from rlmc.ledger.regrets import regrets_of


def grown(*messages: dict[str, Any]) -> dict[str, Any]:
    start = {"role": "user", "content": "Look at the project."}
    return tools.request(start, *messages, model="claude-opus-5-5", tools=tools.ALL, stream=True)


def test_a_sign_is_charged_to_the_turn_whose_answer_it_is_about(live: Live) -> None:
    first = (tools.use("t1", "Read", file_path="a.py"), tools.result("t1", "print(1)"))
    second = (tools.use("t2", "Read", file_path="gone.py"), tools.result("t2", "no such file", is_error=True))
    third = (tools.use("t3", "Read", file_path="a.py"), tools.result("t3", "print(1)"))
    last = ({"role": "assistant", "content": "Done."}, {"role": "user", "content": "No, that is the wrong file."})
    with FakeUpstream(lambda _b, _n: Reply("fine"), prices=PRICES) as up:
        session = live.open_session(
            overrides={
                "upstream.anthropic.base-url": up.url,
                "policy": "draft-only",
                "draft-model": "anthropic/claude-haiku-5-5",
                "audits": "on",
            },
            keys={"ANTHROPIC_API_KEY": "k"},
        )
        history: tuple[dict[str, Any], ...] = ()
        for more in ((), first, second, third, last):
            history += more
            assert send(session.base_url, grown(*history), x_claude_code_session_id="s1").status == 200
        live.settle()
        (epoch,) = live.daemon.audits.epochs.known.values()
        session.end()
    reader = LedgerReader.open(ledger_path())
    found = [regrets_of(reader, row["id"]) for row in turn_rows()]
    reader.close()
    assert found == [(), ("tool-error",), ("repeated",), ("corrected",), ()]
    drafts, bad, own, _ = (round(count, 1) for count in epoch.care.signs["read"])
    assert (drafts, bad, own) == (3.0, 2.0, 0.0)


def test_an_odd_history_is_no_reason_to_fail_a_turn(live: Live, monkeypatch: Any) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("odd")

    monkeypatch.setattr("rlmc.server.regrets.follow", fail)
    with FakeUpstream(lambda _b, _n: Reply("fine")) as up:
        session = live.open_session(overrides={"upstream.anthropic.base-url": up.url, "policy": "verify-only"})
        assert send(session.base_url, grown()).status == 200
        session.end()
