"""Tasks from files in public formats: HumanEval, GSM8K, and the simple and multiple categories of BFCL.

A file is JSON lines or one JSON list; what a record is, its fields tell. BFCL keeps its answers in a file of their own:
given as well, they are joined by their ids.

Rule: what cannot be read is an error that names the file and the record. Nothing is left out in silence.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from rlmc.bench import number, program
from rlmc.bench.calls import LEFT_OUT, Accepted, Calls, Wanted
from rlmc.bench.number import Number, number_in
from rlmc.bench.program import Program
from rlmc.bench.task import Task, Tool
from rlmc.domain.frozen import dataclass
from rlmc.errors import UsageError

_FORMATS = "rlmc reads HumanEval, GSM8K, and BFCL's simple and multiple categories, as JSON lines or a JSON list"
_TYPES = {"dict": "object", "float": "number", "double": "number", "tuple": "array", "any": None}
_BAD_NAME = re.compile(r"[^a-zA-Z0-9_-]")
_MOST_NAME = 64


class _Unfit(Exception):
    """A record that is none of these; the text says why."""


@dataclass(frozen=True, slots=True)
class _Record:
    file: Path
    at: int
    fields: Mapping[str, Any]

    def error(self, why: str) -> UsageError:
        return UsageError(f"--tasks {self.file}: record {self.at}: {why}", _FORMATS)


def read(files: Sequence[Path]) -> tuple[Task, ...]:
    """The tasks of all files, in order."""
    records = [record for file in files for record in _records(file)]
    answers = {str(r.fields["id"]): r.fields["ground_truth"] for r in records if _is_answer(r.fields)}
    found: dict[str, Task] = {}
    for record in records:
        if _is_answer(record.fields):
            continue
        try:
            task = _task(record, answers)
        except _Unfit as problem:
            raise record.error(str(problem)) from None
        except (KeyError, TypeError, ValueError, AttributeError, IndexError, RecursionError) as problem:
            raise record.error(f"a field is missing or of another type ({type(problem).__name__})") from None
        if task.id in found:
            raise record.error(f"there is a task {task.id} already")
        found[task.id] = task
    return tuple(found.values())


def _records(file: Path) -> Iterator[_Record]:
    try:
        text = file.read_text(encoding="utf-8")
    except OSError as problem:
        raise UsageError(f"--tasks {file}: {problem.strerror or problem}", "name a file that can be read") from None
    except UnicodeDecodeError:
        raise UsageError(f"--tasks {file}: not a text in UTF-8", _FORMATS) from None
    found = 0
    for at, value in _values(file, text):
        if not isinstance(value, dict):
            raise UsageError(f"--tasks {file}: record {at}: no JSON object", _FORMATS)
        yield _Record(file, at, value)
        found += 1
    if not found:
        raise UsageError(f"--tasks {file}: holds no tasks", _FORMATS)


def _values(file: Path, text: str) -> Iterator[tuple[int, Any]]:
    """Each with its number, counted from 1; of JSON lines the line's."""
    whole = text.lstrip().startswith("[")
    try:
        if whole:
            yield from enumerate(json.loads(text), 1)
            return
    except (ValueError, RecursionError):
        raise UsageError(f"--tasks {file}: no valid JSON list", _FORMATS) from None
    for at, line in enumerate(text.split("\n"), 1):
        if line.strip():
            try:
                value = json.loads(line)
            except (ValueError, RecursionError):
                raise UsageError(f"--tasks {file}: line {at} is no JSON", _FORMATS) from None
            yield at, value


def _is_answer(fields: Mapping[str, Any]) -> bool:
    return "ground_truth" in fields and "id" in fields and "question" not in fields


def _task(record: _Record, answers: Mapping[str, Any]) -> Task:
    fields = record.fields
    if {"task_id", "prompt", "entry_point", "test"} <= fields.keys():
        return _human_eval(fields)
    if {"question", "function"} <= fields.keys():
        return _bfcl(fields, answers)
    if {"question", "answer"} <= fields.keys():
        return _gsm8k(record)
    raise _Unfit("none of the known formats")


# --- HumanEval ------------------------------------------------------------------------------------------------------


def _human_eval(fields: Mapping[str, Any]) -> Task:
    function, given = _text(fields["entry_point"]), _text(fields["prompt"])
    if not function.isidentifier():
        raise _Unfit("entry_point is no name of a function")
    prompt = f"Complete this Python function.\n\n```python\n{given.strip()}\n```\n\n{program.ASK}"
    # What stands in front of the function, such as imports and helpers, holds for the answer too.
    tests = f"{_text(fields['test'])}\ncheck({function})"
    return Task(_text(fields["task_id"]), "code", prompt, Program(function, tests, before=given))


# --- GSM8K ----------------------------------------------------------------------------------------------------------


def _gsm8k(record: _Record) -> Task:
    _, mark, last = _text(record.fields["answer"]).rpartition("####")
    right = number_in(f"Answer: {last.strip()}") if mark else None
    if right is None:
        raise _Unfit("the answer does not end with #### and a number")
    id = f"{record.file.stem}-{record.at}"
    return Task(id, "maths", f"{_text(record.fields['question'])}\n\n{number.ASK}", Number(right))


# --- BFCL -----------------------------------------------------------------------------------------------------------


def _bfcl(fields: Mapping[str, Any], answers: Mapping[str, Any]) -> Task:
    id = str(fields["id"])
    truth = fields.get("ground_truth", fields.get("possible_answer", answers.get(id)))
    if truth is None:
        raise _Unfit(f"there is no possible answer for {id}; give BFCL's file of possible answers as well")
    functions = fields["function"] if isinstance(fields["function"], list) else [fields["function"]]
    wanted = tuple(
        Wanted(_name(name), {key: _accepted(values) for key, values in arguments.items()})
        for call in truth
        for name, arguments in call.items()
    )
    if not wanted:
        raise _Unfit(f"the possible answer for {id} holds no call")
    return Task(id, "tools", _question(fields["question"]), Calls(wanted), tuple(map(_tool, functions)))


def _question(question: Any) -> str:
    """A text, or the messages of one turn."""
    if isinstance(question, str):
        return question
    turns = question if isinstance(question[0], list) else [question]
    if len(turns) != 1 or any(message["role"] not in ("user", "system") for message in turns[0]):
        raise _Unfit("more than one turn")
    return "\n\n".join(_text(message["content"]) for message in turns[0])


def _tool(function: Mapping[str, Any]) -> Tool:
    return {
        "name": _name(_text(function["name"])),
        "description": _text(function.get("description", "")),
        "input_schema": _schema(function["parameters"]),
    }


def _name(name: str) -> str:
    """BFCL has dots in names; an API does not take them."""
    return _BAD_NAME.sub("_", name)[:_MOST_NAME]


def _schema(schema: Mapping[str, Any]) -> dict[str, Any]:
    """BFCL's types are Python's; JSON Schema has names of its own."""
    found = {key: value for key, value in schema.items() if key not in ("type", "properties", "items", "optional")}
    kind = _TYPES.get(schema.get("type", "any"), schema.get("type"))
    if kind is not None:
        found["type"] = kind
    if "properties" in schema:
        found["properties"] = {name: _schema(inner) for name, inner in schema["properties"].items()}
    if "items" in schema:
        found["items"] = _schema(schema["items"])
    return found


def _accepted(values: Any) -> Accepted:
    """Of a list of values, an empty text says that the argument may be left out."""
    if not isinstance(values, list):
        raise _Unfit("a possible answer that is no list of values")
    return tuple(LEFT_OUT if value == "" else _value(value) for value in values)


def _value(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _accepted(inner) for key, inner in value.items()}
    return [_value(inner) for inner in value] if isinstance(value, list) else value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise _Unfit("a field that should be a text is none")
    return value
