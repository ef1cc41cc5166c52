"""The tools a request declares, namespaces resolved: what runs at the client, under a name that is legal everywhere.

Rule: the same declarations give the same names, whatever comes after them. Tools that run at the provider are not among
them: a draft cannot use them, and the verify model has them in its own request.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from rlmc.wire.arguments import CUSTOM_SCHEMA
from rlmc.wire.openai.names import digested, legal_name
from rlmc.wire.responses.request_shape import Tool

NO_SCHEMA = b'{"type":"object","properties":{}}'
"""Of a function that says nothing of its arguments: it takes none."""

# The namespace whose tools are called by their own names.
_PLAIN = "functions"
_CLIENT = frozenset({"function", "custom"})
# Tools of the provider's making that the client runs; their calls are items of a kind of their own.
OWN_ITEMS = frozenset({"local_shell", "shell", "apply_patch", "computer_use_preview", "computer"})


class Declared(NamedTuple):
    """A tool and what it goes by. `namespace` is empty where its calls name none."""

    name: str
    namespace: str
    own_name: str
    tool: Tool

    @property
    def custom(self) -> bool:
        return self.tool.type == "custom"

    @property
    def schema(self) -> bytes:
        if self.custom:
            return CUSTOM_SCHEMA
        schema = bytes(self.tool.parameters)
        return schema if schema not in (b"", b"null") else NO_SCHEMA


class Names:
    """Gives every tool its name, and finds it again by what a call says."""

    def __init__(self) -> None:
        self._by_own: dict[tuple[str, str], str] = {}
        self._taken: set[str] = set()

    def copy(self) -> Names:
        found = Names()
        found._by_own, found._taken = dict(self._by_own), set(self._taken)
        return found

    def declare(self, tools: Iterable[Tool]) -> Iterator[Declared]:
        for tool in tools:
            if tool.type == "namespace":
                space = "" if tool.name == _PLAIN else tool.name
                for inner in tool.tools or []:
                    if inner.type in _CLIENT:
                        yield self._declared(space, inner)
            elif tool.type in _CLIENT:
                yield self._declared("", tool)

    def of_call(self, namespace: str | None, name: str | None) -> str:
        """The name of the tool a call is of; one that was never declared goes by a name made alike."""
        space = "" if namespace in (None, _PLAIN) else str(namespace)
        return self._by_own.get((space, name or "")) or _joined(space, name or "")

    def _declared(self, space: str, tool: Tool) -> Declared:
        own = (space, tool.name)
        name = self._by_own.get(own) or _joined(space, tool.name)
        if own not in self._by_own and name in self._taken:
            name = digested(f"{space}\0{tool.name}", name)
        self._by_own[own] = name
        self._taken.add(name)
        return Declared(name, space, tool.name, tool)


def _joined(space: str, name: str) -> str:
    return legal_name(f"{space}__{name}" if space else name)
