"""The patch format: read whole or not at all."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rlmc.cascade.patches import Added, Chunk, Removed, Updated, only_edits, read_patch


def patch(*lines: str) -> str:
    return "\n".join(["*** Begin Patch", *lines, "*** End Patch"])


def test_every_kind_of_change() -> None:
    found = read_patch(
        patch(
            *("*** Add File: new.py", "+a", "+", "+b"),
            *(
                "*** Update File: src/a.py",
                "@@ def f():",
                " x",
                "-old",
                "+new",
                "",
                " y",
                "@@",
                "-z",
                "*** End of File",
            ),
            *("*** Delete File: gone.py",),
            *("*** Update File: here.py", "*** Move to: there.py"),
            *("*** Update File: b.py", " no place", "+told"),
        )
        + "\n"
    )
    assert found == (
        Added("new.py", "a\n\nb\n"),
        Updated(
            "src/a.py",
            (Chunk(("x", "old", "", "y"), ("x", "new", "", "y"), "def f():"), Chunk(("z",), (), at_end=True)),
        ),
        Removed("gone.py"),
        Updated("here.py", (), "there.py"),
        Updated("b.py", (Chunk(("no place",), ("no place", "told")),)),
    )
    assert not only_edits(found)
    assert only_edits(found[:2])
    assert not only_edits(found[2:3])
    assert not only_edits(found[3:4])


@pytest.mark.parametrize(
    "text",
    [
        "",
        patch(),
        patch("*** Update File: a"),
        patch("*** Update File: a", "@@"),
        patch("*** Update File: a", "@@ class A", "@@ def f", "-x", "+y"),
        patch("*** Update File: a", "@@", "x"),
        patch("*** Update File: a", "@@  ", "-x", "+y"),
        patch("*** Update File: a", "*** Move to: ", "@@", "-x"),
        patch("*** Update File: a", "-x", "*** Move to: b"),
        patch("*** Update File: a", "-x", "*** End of File", "-y"),
        patch("*** Update File: ", "-x"),
        patch("*** Update File: a", "-x", "*** Update File: a", "-y"),
        patch("*** Add File: a", "-x"),
        patch("*** Add File: a"),
        patch("*** Delete File: a", "-x"),
        patch("*** Rename File: a"),
        patch("-x"),
        patch("*** Add File: a", "+x") + "\nrm -rf /",
        "<<'EOF'\n" + patch("*** Add File: a", "+x") + "\nEOF",
        patch("*** Add File: a", "+x").replace("\n", "\r\n"),
        " " + patch("*** Add File: a", "+x"),
    ],
)
def test_what_would_have_to_be_guessed_is_not_read(text: str) -> None:
    assert read_patch(text) is None


LINES = ["*** Begin Patch", "*** End Patch", "*** Update File: a", "*** Add File: b", "*** Move to: c", "@@", "@@ d"]


@given(st.lists(st.sampled_from([*LINES, "*** Delete File: e", "*** End of File", "+x", "-y", " z", "", "?"])))
def test_any_text_is_read_or_not(lines: list[str]) -> None:
    for text in ("\n".join(lines), patch(*lines)):
        found = read_patch(text)
        if found is not None:
            deleted = sum(isinstance(change, Removed) for change in found)
            assert deleted == sum(line.startswith("*** Delete") for line in lines)
            assert only_edits(found) == (not deleted and not any(line.startswith("*** Move") for line in lines))
