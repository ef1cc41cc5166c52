"""What is kept of a calibration that was broken off, and what is told before one begins."""

from __future__ import annotations

import stat
from pathlib import Path

from rlmc.calibrate.compare import Label
from rlmc.calibrate.estimate import estimate
from rlmc.calibrate.labels import Labels
from rlmc.calibrate.report import TESTED, decide, not_served, rows
from rlmc.calibrate.states import Models, State
from rlmc.domain.turn import Model
from rlmc.pricing.catalog import PriceTable
from rlmc.upstream.prices import load_prices

SAME = Label("aa", "same", "read", 0.0)
WORSE = Label("bb", "judged", "edit", 0.25)
REFUSED = Label("cc", "gate", "edit", None)


def test_labels_are_there_again(tmp_path: Path) -> None:
    path = tmp_path / "data" / "labels.jsonl"
    labels = Labels.open(path, fresh=False)
    labels.begin("draft", "s1")
    for label in (SAME, WORSE, REFUSED):
        labels.add(label)
    path.write_bytes(path.read_bytes() + b'{"state": "dd", "how": "same", "buck')  # the end of a run that was killed
    again = Labels.open(path, fresh=False)
    assert [again.get(state) for state in ("aa", "bb", "cc", "dd")] == [SAME, WORSE, REFUSED, None]
    assert again.sessions == {"draft": "s1"}
    again.add(Label("ee", "same", "plan", 0.0))
    assert Labels.open(path, fresh=False).get("ee") is not None
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    fresh = Labels.open(path, fresh=True)
    assert (fresh.get("aa"), fresh.sessions, path.exists()) == (None, {}, False)


def test_lines_of_another_hand_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "labels.jsonl"
    path.write_text('{"state": "aa", "how": "guessed", "bucket": "read", "loss": 0}\n[]\n{"state": 1}\n')
    assert Labels.open(path, fresh=False).get("aa") is None


def test_labels_are_counted_by_the_drafts_kind() -> None:
    assert TESTED == ("plan", "read", "shell-safe", "text", "edit")
    labels = [SAME, WORSE, REFUSED, Label("dd", "no-verdict", "edit", 1.0), Label("ee", "effect", "unsafe", None)]
    found = decide(labels, 0.02, 0.95)
    counted = {one.labels.bucket: (one.labels.count, one.labels.worse, one.labels.loss) for one in found}
    assert counted == {
        "plan": (0, 0, 0),
        "read": (1, 0, 0.0),
        "shell-safe": (0, 0, 0),
        "text": (0, 0, 0),
        "edit": (2, 2, 1.25),
    }
    assert not_served(labels) == {"effect": 1, "gate": 1}
    assert [(row.bucket, row.labels, row.loss, row.opened) for row in rows(found, 7)][-1] == ("edit", 2, 1.25, False)


def state(chars: int) -> State:
    return State(Path("f"), "k", "d", "read", "m", chars)


def test_an_estimate_grows_with_what_is_sent() -> None:
    models = Models(Model("anthropic", "claude-haiku-5-5"), Model("anthropic", "claude-opus-5-5"))
    at = 1_790_000_000_000_000
    prices = load_prices()
    small, large = (estimate([state(chars)] * 10, models, prices, at) for chars in (1_000, 200_000))
    assert small.about is not None and small.most is not None
    assert large.about is not None and large.most is not None
    assert small.about < large.about < large.most
    # 10 prompts of 200,000 characters, about 54,000 tokens each, at $0.10 a million.
    assert abs(large.about - small.about - 10 * 199_000 / 3.7 * 0.1e6) < 1e9
    assert estimate([], models, prices, at).most == 0


def test_an_unknown_price_is_no_price() -> None:
    models = Models(Model("anthropic", "claude-haiku-5-5"), Model("nobody", "knows"))
    told = estimate([state(1_000)], models, load_prices(), 0)
    assert (told.about, told.most) == (None, None)
    assert estimate([state(1)], models, PriceTable(()), 0).about is None
