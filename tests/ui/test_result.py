"""The envelope of every `--json`."""

from __future__ import annotations

import json

from rlmc.ui.result import envelope


def test_an_envelope_names_its_schema_and_keeps_the_data() -> None:
    text = envelope("rlmc.stats/1", {"naïve": [1, None, "é"]})
    assert json.loads(text) == {"schema": "rlmc.stats/1", "data": {"naïve": [1, None, "é"]}}
    assert "é" in text
