"""`dataclass` as the standard library has it, made in a quarter of the time.

There are some three hundred of them, and every start of the daemon and of a command makes those it meets: the standard
library compiles six functions for each, which was half of all that loading took. Rule: one function is compiled here,
`__init__`, and that with the first object; the others are shared. What is out of the ordinary is left to the standard
library, and what is made has its fields, so that `replace`, `fields` and `asdict` know it.
"""

from __future__ import annotations

import dataclasses
from operator import attrgetter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dataclasses import dataclass as dataclass
else:

    def dataclass(*, slots: bool = False, frozen: bool = False, **more: bool) -> Any:
        def made(cls: type) -> Any:
            if more or not slots or not _ordinary(cls):
                return dataclasses.dataclass(slots=slots, frozen=frozen, **more)(cls)
            return _made(cls, frozen)

        return made


_NO_FIELDS = ("ClassVar", "InitVar", "KW_ONLY")
_MADE_HERE = ("__init__", "__repr__", "__eq__", "__hash__", "__setattr__", "__delattr__")
_MISSING = dataclasses.MISSING
_FACTORY = object()


def _ordinary(cls: type) -> bool:
    """Whether its fields are all there is to it: none inherited, none that is no argument, and no method of its own in
    the place of one that is made here."""
    own = vars(cls)
    kinds = getattr(cls, "__annotations__", {}).values()
    return (
        cls.__bases__ == (object,)
        and not any(name in own for name in _MADE_HERE)
        and not any(word in str(kind) for kind in kinds for word in _NO_FIELDS)
        and all(one.init and one.kw_only is _MISSING for one in own.values() if isinstance(one, dataclasses.Field))
    )


def _made(cls: type, frozen: bool) -> Any:
    if cls.__doc__ is None:
        cls.__doc__ = cls.__name__  # the standard library would work out a signature
    made: Any = dataclasses.dataclass(init=False, repr=False, eq=False, slots=True)(cls)
    fields = dataclasses.fields(made)
    made.__init__ = _init_when_made(made, fields)
    made.__repr__ = _repr(tuple(one.name for one in fields if one.repr))
    made.__eq__, made.__hash__ = _equality(tuple(one.name for one in fields if one.compare), frozen)
    if frozen:
        made.__setattr__, made.__delattr__ = _no_assignment, _no_deletion
        made.__getstate__, made.__setstate__ = _state, _set_state
    return made


def _init_when_made(cls: Any, fields: tuple[dataclasses.Field[Any], ...]) -> Any:
    """Compiled with the first object: of most classes that a start loads it makes none."""

    def __init__(self: Any, *values: Any, **named: Any) -> None:
        cls.__init__ = _init(cls, fields)
        cls.__init__(self, *values, **named)

    return __init__


def _init(cls: Any, fields: tuple[dataclasses.Field[Any], ...]) -> Any:
    """Sets each field through its slot, which no rule against assignment stands before."""
    names: dict[str, Any] = {"_factory": _FACTORY}
    arguments, lines = [], []
    for one in fields:
        name = one.name
        names[f"_set_{name}"] = vars(cls)[name].__set__
        if one.default_factory is not _MISSING:
            names[f"_make_{name}"] = one.default_factory
            arguments.append(f"{name}=_factory")
            lines.append(f" _set_{name}(self, _make_{name}() if {name} is _factory else {name})")
            continue
        if one.default is not _MISSING:
            names[f"_default_{name}"] = one.default
        arguments.append(name if one.default is _MISSING else f"{name}=_default_{name}")
        lines.append(f" _set_{name}(self, {name})")
    if hasattr(cls, "__post_init__"):
        lines.append(" self.__post_init__()")
    exec("\n".join([f"def __init__(self, {', '.join(arguments)}):", *(lines or [" pass"])]), names)  # noqa: S102 - of names in our code
    init = names["__init__"]
    init.__module__, init.__qualname__ = cls.__module__, f"{cls.__qualname__}.__init__"
    return init


def _repr(names: tuple[str, ...]) -> Any:
    def __repr__(self: Any) -> str:
        return f"{type(self).__qualname__}({', '.join([f'{name}={getattr(self, name)!r}' for name in names])})"

    return __repr__


def _equality(names: tuple[str, ...], frozen: bool) -> tuple[Any, Any]:
    # One name gives the value itself: as good to compare, and to hash.
    values = attrgetter(*names) if names else _nothing

    def __eq__(self: Any, other: Any) -> Any:
        return values(self) == values(other) if other.__class__ is self.__class__ else NotImplemented

    def __hash__(self: Any) -> int:
        return hash(values(self))

    return __eq__, __hash__ if frozen else None


def _nothing(_self: object) -> tuple[()]:
    return ()


def _no_assignment(_self: object, name: str, _value: object) -> None:
    raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")


def _no_deletion(_self: object, name: str) -> None:
    raise dataclasses.FrozenInstanceError(f"cannot delete field {name!r}")


def _state(self: Any) -> list[Any]:
    """For copies, which may not assign either."""
    return [getattr(self, one.name) for one in dataclasses.fields(self)]


def _set_state(self: Any, state: list[Any]) -> None:
    for one, value in zip(dataclasses.fields(self), state, strict=True):
        object.__setattr__(self, one.name, value)
