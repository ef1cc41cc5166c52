"""Arguments of drafted calls against the JSON Schema of the request's own tool.

Schemas come from the client and from servers it talks to, so they are hostile until proven otherwise: references that
would have to be fetched are refused, patterns run on a linear-time engine, and any trouble with a schema is a finding.
"""

from __future__ import annotations

import functools
from typing import Any

import jsonschema_rs
import msgspec

from rlmc.domain.chat import ChatRequest, Completion
from rlmc.domain.turn import Finding


def check(request: ChatRequest, draft: Completion) -> tuple[Finding, ...]:
    schemas = {t.name: t.schema for t in request.tools}
    findings = []
    for call in draft.tool_calls:
        problem = problem_with(call.arguments, schemas.get(call.name, b""))
        if problem is not None:
            findings.append(Finding("schema", f"{call.name}: {problem}"))
    return tuple(findings)


def problem_with(arguments: str, schema: bytes) -> str | None:
    """Why these arguments do not fit; None when they do."""
    try:
        value = msgspec.json.decode(arguments.encode() or b"{}")
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return "arguments are no JSON"
    if not isinstance(value, dict):
        return "arguments are no object"
    if not schema:
        return "the tool has no schema to check against"
    if b'"encrypted"' in schema and _sealed(value, schema):
        return "an argument is one that only the verify model can write"
    if b"$" in schema and _deeper_than(value, _MAX_DEPTH):
        # Schemas that refer to themselves can take time exponential in the depth of what they are checked against.
        return "arguments are nested too deeply"
    validator = _validator(schema)
    if validator is None:
        return "the tool's schema cannot be used"
    try:
        error = next(iter(validator.iter_errors(value)), None)
    except (ValueError, RecursionError):
        return "the tool's schema cannot be used"
    if error is None:
        return None
    where = "/".join(str(step) for step in error.instance_path) or "arguments"
    # The error's own text may quote a value of the user's; its kind does not.
    return f"{where} does not satisfy {error.schema_path[-1] if error.schema_path else 'the schema'!r}"


def _sealed(value: dict[str, Any], schema: bytes) -> bool:
    """Whether an argument is given that the provider hides from everybody else: Codex marks them so."""
    try:
        given = msgspec.json.decode(schema)
    except (msgspec.DecodeError, RecursionError):
        return True
    told = given.get("properties") if isinstance(given, dict) else None
    if not isinstance(told, dict):
        return False
    return any(isinstance(one, dict) and one.get("encrypted") is True for name, one in told.items() if name in value)


_MAX_DEPTH = 8


def _deeper_than(value: Any, limit: int) -> bool:
    level = [value]
    for _ in range(limit):
        level = [
            inner for v in level for inner in (v.values() if isinstance(v, dict) else v if isinstance(v, list) else ())
        ]
        if not level:
            return False
    return True


def _refuse_reference(uri: str) -> Any:
    raise ValueError(f"references are not followed: {uri}")


@functools.lru_cache(maxsize=256)
def _validator(schema: bytes) -> Any:
    try:
        return jsonschema_rs.validator_for(
            msgspec.json.decode(schema),
            retriever=_refuse_reference,
            pattern_options=jsonschema_rs.RegexOptions(),
        )
    except (ValueError, msgspec.DecodeError, RecursionError):
        return None
