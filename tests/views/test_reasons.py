"""Every reason has its sentence, and the documents name it."""

from __future__ import annotations

from pathlib import Path

import pytest

from rlmc.domain.outcome import Reason
from rlmc.views.reasons import SENTENCES, sentence

ROUTING = (Path(__file__).parents[2] / "docs" / "routing.md").read_text()


def test_every_reason_has_a_sentence_of_its_own() -> None:
    assert set(SENTENCES) == set(Reason)
    assert len(set(SENTENCES.values())) == len(Reason)
    assert all(sentence(reason.value) == SENTENCES[reason] for reason in Reason)


@pytest.mark.parametrize("reason", SENTENCES)
def test_a_sentence_goes_on_where_another_began(reason: Reason) -> None:
    text = SENTENCES[reason]
    assert text[0].islower()
    assert text[-1] not in ".;,"


@pytest.mark.parametrize("reason", SENTENCES)
def test_the_page_on_routing_names_every_reason(reason: Reason) -> None:
    assert f"`{reason.value}`" in ROUTING


def test_a_reason_of_another_version_is_not_guessed() -> None:
    assert "does not know" in sentence("from-the-future")
