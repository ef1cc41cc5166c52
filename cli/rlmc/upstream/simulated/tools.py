"""The request's own tools, and calls that fit them: names from the request, arguments by each tool's schema."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import field
from typing import Any

import msgspec

from rlmc.domain.frozen import dataclass
from rlmc.upstream.simulated.body import Block, Body
from rlmc.upstream.simulated.kinds import NAMES, Kind
from rlmc.upstream.simulated.schema import fill

_PATH_KEYS = ("file_path", "filePath", "absolute_path", "path")
_OLD_KEYS = ("old_string", "oldString", "old_str")
_NEW_KEYS = ("new_string", "newString", "new_str")
_PATTERN_KEYS = ("pattern", "query", "regex")
_COMMAND_KEYS = ("command", "cmd")
_SPECIAL = re.compile(r"[.^$*+?{}\[\]\\|()]")


@dataclass(frozen=True, slots=True)
class Call:
    """A tool call; `arguments` is its JSON text."""

    name: str
    arguments: str

    @property
    def input(self) -> Any:
        return msgspec.json.decode(self.arguments)


def call(name: str, arguments: dict[str, Any]) -> Call:
    return Call(name, msgspec.json.encode(arguments).decode())


@dataclass(frozen=True, slots=True)
class Toolbox:
    """Tools of one request that a model may call right now, by lower-case name."""

    tools: dict[str, Block] = field(default_factory=dict)

    @staticmethod
    def of(body: Body) -> Toolbox:
        if (body.tool_choice or {}).get("type") == "none":
            return Toolbox()
        usable = (t for t in body.tools if isinstance(t.get("input_schema"), dict) and not t.get("defer_loading"))
        return Toolbox({str(t.get("name")).lower(): t for t in usable})

    def __bool__(self) -> bool:
        return bool(self.tools)

    def find(self, kind: Kind) -> Block | None:
        names = (n.lower() for n in NAMES[kind])
        return next((self.tools[n] for n in names if n in self.tools), None)

    def read(self, path: str) -> Call | None:
        return self._call(Kind.READ, {_PATH_KEYS: path})

    def edit(self, path: str, old: str, new: str) -> Call | None:
        return self._call(Kind.EDIT, {_PATH_KEYS: path, _OLD_KEYS: old, _NEW_KEYS: new})

    def shell(self, command: str, description: str) -> Call | None:
        tool = self.find(Kind.SHELL)
        if tool is None:
            return None
        properties = _properties(tool)
        key = _first(_COMMAND_KEYS, properties)
        value: Any = ["bash", "-lc", command] if properties.get(key, {}).get("type") == "array" else command
        wanted: dict[tuple[str, ...], Any] = {_COMMAND_KEYS: value}
        if "description" in properties:
            wanted["description",] = description
        return self._call(Kind.SHELL, wanted)

    def search(self, word: str) -> Call | None:
        """A text search if there is one, else a listing."""
        tool = self.find(Kind.SEARCH)
        if tool is None:
            return None
        listing = str(tool.get("name")).lower() in ("glob", "ls", "list")
        # Text searches take patterns; the word is meant as it stands.
        pattern = "**/*" if listing else _SPECIAL.sub(r"\\\g<0>", word)
        wanted: dict[tuple[str, ...], Any] = {_PATTERN_KEYS: pattern}
        if not any(k in _properties(tool) for k in _PATTERN_KEYS):
            wanted = {("path",): "."}
        return self._call(Kind.SEARCH, wanted)

    def plan(self, items: Sequence[tuple[str, str]]) -> Call | None:
        """Items are (text, status)."""
        tool = self.find(Kind.PLAN)
        if tool is None:
            return None
        key = next((k for k, v in _properties(tool).items() if v.get("type") == "array"), None)
        if key is None:
            return None
        element = _properties(tool)[key].get("items", {})
        words = [{"content": t, "activeForm": t, "status": s, "priority": "medium", "id": t} for t, s in items]
        return call(str(tool["name"]), {**_arguments(tool, {}), key: [fill(element, w) for w in words]})

    def forced(self, name: object) -> Call | None:
        """A call of the named tool, or of the first one, with the least its schema asks for."""
        tool = self.tools.get(str(name).lower()) if name else next(iter(self.tools.values()), None)
        return call(str(tool["name"]), _arguments(tool, {})) if tool else None

    def _call(self, kind: Kind, wanted: dict[tuple[str, ...], Any]) -> Call | None:
        """`wanted` values go to the first of their keys the schema has; a tool with none of them is of no use."""
        tool = self.find(kind)
        if tool is None:
            return None
        properties = _properties(tool)
        known: dict[str, Any] = {}
        for keys, value in wanted.items():
            key = _first(keys, properties)
            if key not in properties:
                return None
            known[key] = value
        return call(str(tool["name"]), _arguments(tool, known))


def _arguments(tool: Block, known: dict[str, Any]) -> dict[str, Any]:
    filled = fill(tool["input_schema"], {"path": ".", **known})
    required = filled if isinstance(filled, dict) else {}
    return {**required, **known}


def _properties(tool: Block) -> dict[str, dict[str, Any]]:
    """A tool's arguments with their schemas; what is no schema is left out."""
    properties = tool["input_schema"].get("properties")
    found = properties if isinstance(properties, dict) else {}
    return {name: schema for name, schema in found.items() if isinstance(schema, dict)}


def _first(keys: Sequence[str], properties: dict[str, dict[str, Any]]) -> str:
    return next((k for k in keys if k in properties), keys[0])
