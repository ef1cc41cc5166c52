"""`dataclass` of our own does what the standard library's does."""

from __future__ import annotations

import copy
import dataclasses
import inspect
import pickle
from dataclasses import FrozenInstanceError, asdict, field, fields, replace
from typing import Any, ClassVar

import pytest

from rlmc.domain import frozen


def pair(source: type, **options: bool) -> tuple[Any, Any]:
    """The class made by both, from two that are alike."""

    def alike() -> type:
        own = {k: v for k, v in vars(source).items() if k not in ("__dict__", "__weakref__")}
        return type(source.__name__, source.__bases__, own)

    return frozen.dataclass(**options)(alike()), dataclasses.dataclass(**options)(alike())


class Point:
    """Has fields of every kind that there is here."""

    x: int
    secret: str = field(repr=False)
    y: int = 7
    tags: list[str] = field(default_factory=list, compare=False)

    def moved(self) -> int:
        return self.x + 1


class Bare:
    a: int


class Nothing:
    """No fields."""


class Checked:
    a: int
    sum: int = 0

    def __post_init__(self) -> None:
        if self.a < 0:
            raise ValueError("negative")


class Odd:
    """With what is left to the standard library."""

    a: int
    count: ClassVar[int] = 3
    hidden: int = field(default=5, init=False)


class WithRepr:
    a: int

    def __repr__(self) -> str:
        return "mine"

    def __eq__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return 4


@pytest.mark.parametrize("is_frozen", [True, False])
@pytest.mark.parametrize(
    ("source", "values"),
    [
        (Point, (1, "s")),
        (Point, (1, "s", 3, ["t"])),
        (Bare, (1,)),
        (Nothing, ()),
        (Checked, (1, 2)),
        (Odd, (1,)),
        (WithRepr, (1,)),
    ],
)
def test_it_is_the_same(source: type, values: tuple[object, ...], is_frozen: bool) -> None:
    ours, theirs = pair(source, slots=True, frozen=is_frozen)
    one, other = ours(*values), theirs(*values)
    assert repr(one) == repr(other)
    assert asdict(one) == asdict(other)
    assert [(f.name, f.repr, f.compare, f.default) for f in fields(one)] == [
        (f.name, f.repr, f.compare, f.default) for f in fields(other)
    ]
    names = list(inspect.signature(theirs).parameters)
    assert list(inspect.signature(ours).parameters) == names
    assert ours.__match_args__ == theirs.__match_args__
    assert ours.__slots__ == theirs.__slots__
    assert ours.__doc__ or not source.__doc__
    assert one == ours(*values)
    assert (one == ours(*values)) is (other == theirs(*values))
    assert one != other or source is WithRepr, "another class is another value"
    assert (ours.__hash__ is None) is (theirs.__hash__ is None)
    if theirs.__hash__ is not None:
        assert hash(one) == hash(ours(*values))
    assert copy.deepcopy(one) == one
    if names:
        assert replace(one, **{names[0]: 9}) != one or source is WithRepr
        if is_frozen:
            for attempt in (lambda: setattr(one, names[0], 2), lambda: delattr(one, names[0])):
                with pytest.raises(FrozenInstanceError):
                    attempt()
        else:
            setattr(one, names[0], 2)
            assert getattr(one, names[0]) == 2
    with pytest.raises(TypeError):
        ours(*values, another=1)


def test_a_secret_is_not_shown() -> None:
    ours, _ = pair(Point, slots=True, frozen=True)
    assert "hush" not in repr(ours(1, "hush"))


def test_every_instance_has_a_list_of_its_own() -> None:
    ours, _ = pair(Point, slots=True, frozen=True)
    assert ours(1, "s").tags is not ours(1, "s").tags


def test_what_is_not_compared_is_not_hashed_either() -> None:
    ours, _ = pair(Point, slots=True, frozen=True)
    assert ours(1, "s", tags=["a"]) == ours(1, "s", tags=["b"])
    assert hash(ours(1, "s", tags=["a"])) == hash(ours(1, "s"))


def test_a_check_of_its_own_is_made() -> None:
    ours, _ = pair(Checked, slots=True, frozen=True)
    with pytest.raises(ValueError, match="negative"):
        ours(-1)


@frozen.dataclass(frozen=True, slots=True)
class Sent:
    a: int
    b: str = "b"


def test_it_can_be_sent_to_another_process() -> None:
    assert pickle.loads(pickle.dumps(Sent(1))) == Sent(1)  # noqa: S301


def test_it_compiles_one_function_for_a_class_and_that_with_the_first_object(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled: list[str] = []

    def compile_(text: str, names: dict[str, object]) -> None:
        compiled.append(text)
        exec(text, names)  # noqa: S102

    monkeypatch.setattr(dataclasses, "exec", lambda text, *names: compiled.append(text), raising=False)
    monkeypatch.setattr(frozen, "exec", compile_, raising=False)
    quick = frozen.dataclass(slots=True, frozen=True)(type("Quick", (), {"__annotations__": {"a": "int"}}))
    assert compiled == []
    assert [quick(1).a, quick(a=2).a] == [1, 2]
    assert len(compiled) == 1
