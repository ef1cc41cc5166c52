from __future__ import annotations

from rlmc.wire.chain import DIGEST_BYTES, chain


def test_a_hasher_goes_on_from_where_another_stood() -> None:
    first = chain(b"k")
    first.update(b"one")
    second = first.copy()
    first.update(b"two")
    second.update(b"two")
    assert first.digest() == second.digest()
    second.update(b"three")
    assert first.digest() != second.digest()


def test_keys_make_digests_of_their_own_and_are_no_part_of_what_is_said() -> None:
    keys = (b"", b"k", b"kk", b"k" * 63, b"k" * 64)
    assert len({chain(key).digest()[:DIGEST_BYTES] for key in keys}) == len(keys)
    said = chain(b"k" * 63)
    said.update(b"k")
    assert said.digest() != chain(b"k" * 64).digest()
