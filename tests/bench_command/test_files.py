"""Files in public formats, written for this test: each is recognised, and its checks are right."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from rlmc.bench.files import read
from rlmc.bench.task import Answer, Call
from rlmc.errors import UsageError

HUMAN_EVAL = {
    "task_id": "HumanEval/900",
    "prompt": 'from math import sqrt\n\n\ndef root(x: float) -> float:\n    """The root of x, rounded down."""\n',
    "entry_point": "root",
    "canonical_solution": "    return int(sqrt(x))\n",
    "test": "def check(candidate):\n    assert candidate(16) == 4\n    assert candidate(17) == 4\n",
}
GSM8K = {
    "question": "Ada has 3 boxes of 400 nails and buys 34 more. How many has she?",
    "answer": "Boxes hold 3 * 400 = <<3*400=1200>>1200.\nIn all 1234.\n#### 1,234",
}
FUNCTION = {
    "name": "geo.area",
    "description": "The area of a shape.",
    "parameters": {
        "type": "dict",
        "properties": {
            "base": {"type": "float", "description": "Its base."},
            "corners": {"type": "tuple", "items": {"type": "any"}},
            "unit": {"type": "string"},
        },
        "required": ["base"],
    },
}
BFCL = {"id": "simple_900", "question": [[{"role": "user", "content": "How large is it?"}]], "function": [FUNCTION]}
TRUTH = {"id": "simple_900", "ground_truth": [{"geo.area": {"base": [10, 10.5], "unit": ["cm", ""]}}]}


def lines(path: Path, *records: Any) -> Path:
    path.write_text("".join(f"{json.dumps(record)}\n" for record in records))
    return path


def test_human_eval(tmp_path: Path) -> None:
    (task,) = read([lines(tmp_path / "humaneval.jsonl", HUMAN_EVAL)])
    assert (task.id, task.kind) == ("HumanEval/900", "code")
    assert "rounded down" in task.prompt
    # The import stands in the prompt, and need not be said again.
    assert task.check(Answer("```python\ndef root(x):\n    return int(sqrt(x))\n```")).why == ""
    assert not task.check(Answer("```python\ndef root(x):\n    return sqrt(x)\n```")).passed


def test_gsm8k(tmp_path: Path) -> None:
    tasks = read([lines(tmp_path / "gsm8k.jsonl", GSM8K, {**GSM8K, "answer": "#### -7"})])
    assert [task.id for task in tasks] == ["gsm8k-1", "gsm8k-2"]
    assert tasks[0].kind == "maths"
    assert tasks[0].check(Answer("So.\nAnswer: 1234")).passed
    assert not tasks[0].check(Answer("Answer: 34")).passed
    assert tasks[1].check(Answer("Answer: -7")).passed


@pytest.mark.parametrize("together", [True, False], ids=["one file", "two files"])
def test_bfcl(tmp_path: Path, together: bool) -> None:
    if together:
        files = [lines(tmp_path / "bfcl.json", {**BFCL, "ground_truth": TRUTH["ground_truth"]})]
    else:
        files = [lines(tmp_path / "bfcl.json", BFCL), lines(tmp_path / "answers.json", TRUTH)]
    (task,) = read(files)
    assert (task.id, task.kind, task.prompt) == ("simple_900", "tools", "How large is it?")
    schema = task.tools[0]["input_schema"]
    assert task.tools[0]["name"] == "geo_area"
    assert schema["type"] == "object"
    assert schema["properties"]["base"]["type"] == "number"
    assert schema["properties"]["corners"] == {"type": "array", "items": {}}

    def passes(**arguments: Any) -> bool:
        return task.check(Answer("", (Call("geo_area", arguments),))).passed

    assert passes(base=10)
    assert passes(base=10.5, unit="CM")
    assert not passes(base=11)
    assert not passes(unit="cm")
    assert not task.check(Answer("100")).passed


def test_a_json_list_and_several_files(tmp_path: Path) -> None:
    (tmp_path / "list.json").write_text(json.dumps([GSM8K, HUMAN_EVAL], indent=1))
    tasks = read([tmp_path / "list.json", lines(tmp_path / "b.json", {**BFCL, "ground_truth": TRUTH["ground_truth"]})])
    assert [task.kind for task in tasks] == ["maths", "code", "tools"]


@pytest.mark.parametrize(
    ("records", "said"),
    [
        ([{"text": "x"}], "record 1: none of the known formats"),
        ([GSM8K, {**GSM8K, "answer": "7"}], "record 2: the answer does not end with ####"),
        ([{**HUMAN_EVAL, "entry_point": "a b"}], "no name of a function"),
        ([{**HUMAN_EVAL, "prompt": 7}], "a field that should be a text"),
        ([BFCL], "there is no possible answer for simple_900"),
        ([{**BFCL, "ground_truth": []}], "holds no call"),
        ([{**BFCL, "ground_truth": [{"f": {"a": 1}}]}], "no list of values"),
        ([{**BFCL, "ground_truth": [7]}], "of another type"),
        ([{**BFCL, "question": [[], []], **TRUTH}], "more than one turn"),
        ([HUMAN_EVAL, HUMAN_EVAL], "there is a task HumanEval/900 already"),
        ([7], "record 1: no JSON object"),
        ([], "holds no tasks"),
    ],
)
def test_what_cannot_be_read_is_said(tmp_path: Path, records: list[Any], said: str) -> None:
    file = lines(tmp_path / "x.jsonl", *records)
    with pytest.raises(UsageError) as problem:
        read([file])
    assert str(file) in problem.value.message
    assert said in problem.value.message
    assert "HumanEval" in (problem.value.hint or "")


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (b"{\n", "line 1 is no JSON"),
        (b"[1,", "no valid JSON list"),
        (b"\xff\xfe", "not a text in UTF-8"),
        (None, "No such"),
    ],
)
def test_files_that_are_none(tmp_path: Path, raw: bytes | None, said: str) -> None:
    if raw is not None:
        (tmp_path / "x").write_bytes(raw)
    with pytest.raises(UsageError, match=said):
        read([tmp_path / "x"])
