"""Colours: readable on black and on white, apart for every kind of colour vision, and never the only sign."""

from __future__ import annotations

import io
from itertools import combinations

import pytest

from rlmc.ledger.report import Saving
from rlmc.ui.palette import CODES, of_outcome, of_saving, tint

LEVELS = (0, 95, 135, 175, 215, 255)
# What is left of red, green and blue where one kind of cone is missing (Machado, Oliveira and Fernandes 2009).
VISION = {
    "usual": ((1, 0, 0), (0, 1, 0), (0, 0, 1)),
    "protanopia": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deuteranopia": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
    "tritanopia": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900)),
}


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def linear(code: str) -> tuple[float, ...]:
    """The light of a colour of the cube of 216."""
    number = int(code.rpartition(";")[2]) - 16
    levels = (LEVELS[number // 36], LEVELS[number // 6 % 6], LEVELS[number % 6])
    return tuple((level / 255 + 0.055) ** 2.4 / 1.055**2.4 if level > 10 else level / 3294.6 for level in levels)


def luminance(light: tuple[float, ...]) -> float:
    red, green, blue = light
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def lab(light: tuple[float, ...]) -> tuple[float, float, float]:
    red, green, blue = light
    xyz = (
        (0.4124 * red + 0.3576 * green + 0.1805 * blue) / 0.9505,
        luminance(light),
        (0.0193 * red + 0.1192 * green + 0.9505 * blue) / 1.089,
    )
    x, y, z = (one ** (1 / 3) if one > 0.008856 else 7.787 * one + 16 / 116 for one in xyz)
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


@pytest.mark.parametrize("meaning", CODES)
def test_a_colour_can_be_read_on_black_and_on_white(meaning: str) -> None:
    light = luminance(linear(CODES[meaning][0]))  # type: ignore[index]
    assert (light + 0.05) / 0.05 > 4
    assert 1.05 / (light + 0.05) > 3.5


@pytest.mark.parametrize("vision", VISION)
@pytest.mark.parametrize("pair", [("gain", "loss"), *combinations(("skipped", "accepted", "enhanced"), 2)])
def test_colours_keep_apart_whatever_one_sees(vision: str, pair: tuple[str, str]) -> None:
    seen = []
    for meaning in pair:
        light = linear(CODES[meaning][0])  # type: ignore[index]
        mixed = (sum(share * one for share, one in zip(row, light, strict=True)) for row in VISION[vision])
        seen.append(lab(tuple(min(1.0, max(0.0, one)) for one in mixed)))
    distance = sum((one - other) ** 2 for one, other in zip(*seen, strict=True)) ** 0.5
    assert distance > (40 if "loss" in pair else 20), distance


def test_a_terminal_gets_the_palette_it_has(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR", "COLORTERM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    assert tint("x", "loss", Terminal()) == "\x1b[1;38;5;166mx\x1b[0m"
    monkeypatch.setenv("TERM", "linux")
    assert tint("x", "loss", Terminal()) == "\x1b[1;33mx\x1b[0m"
    monkeypatch.setenv("COLORTERM", "truecolor")
    assert tint("x", "gain", Terminal()) == "\x1b[38;5;30mx\x1b[0m"
    assert tint("x", None, Terminal()) == "x"
    assert tint("x", "gain", io.StringIO()) == "x"


def test_only_what_is_sure_has_a_colour() -> None:
    for bound, colours in (("exact", ["loss", None, "gain"]), ("at most", ["loss", None, None])):
        assert [of_saving(Saving(amount, bound)) for amount in (-1, 0, 1)] == colours  # type: ignore[arg-type]
    assert [of_saving(Saving(amount, "at least")) for amount in (-1, 0, 1)] == [None, None, "gain"]
    assert of_saving(Saving(None, "unknown")) is None
    outcomes = ("skipped", "accepted", "enhanced", "direct", "of a newer version")
    assert [of_outcome(one) for one in outcomes] == ["skipped", "accepted", "enhanced", None, None]
