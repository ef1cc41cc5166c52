"""The own tool tasks: the right calls pass, others do not, and every schema is one an API takes."""

from __future__ import annotations

import re
from typing import Any

import jsonschema_rs
import pytest

from rlmc.bench.calls import LEFT_OUT, Calls, Wanted
from rlmc.bench.task import Answer, Call
from rlmc.bench.tasks.tools import TASKS

Given = tuple[tuple[str, dict[str, Any]], ...]
RIGHT: tuple[Given, ...] = (
    (("weather_forecast", {"town": "Oslo", "days": 3}),),
    (("weather_history", {"town": "Lyon", "date": "2025-05-02"}),),
    (("convert_currency", {"amount": 250, "source": "CHF", "target": "JPY"}),),
    (("convert_unit", {"value": 26.2, "source": "mile", "target": "km"}),),
    (
        (
            "train_connections",
            {
                "origin": "Ghent",
                "destination": "Cologne",
                "date": "2027-03-14",
                "after": "09:00",
                "direct_only": "yes",
            },
        ),
    ),
    (("hotel_search", {"town": "Porto", "arrival": "2027-06-08", "nights": 4, "guests": 2, "most_per_night": 90}),),
    (("send_mail", {"to": ["ben@example.com", "ana@example.com"], "subject": "Lunch", "body": "At noon?"}),),
    (("search_mail", {"sender": "billing@example.org", "unread_only": True}),),
    (("add_event", {"title": "Dentist", "date": "2027-01-05", "start": "14:30", "minutes": 45}),),
    (("list_events", {"date": "2026-12-24"}),),
    (("set_timer", {"minutes": 90, "label": "Bread"}),),
    (("share_price", {"symbol": "NVO"}),),
    (("find_books", {"author": "Annie Ernaux", "language": "french", "available_only": True}),),
    (("set_lamp", {"room": "study", "power": "on", "brightness": 30}),),
    (("set_heating", {"room": "bedroom", "celsius": 17.5}), ("set_lamp", {"room": "kitchen", "power": "off"})),
    (("share_price", {"symbol": "ORCL"}), ("share_price", {"symbol": "SAP"})),
    (("weather_forecast", {"town": "Denver", "unit": "fahrenheit"}),),
    (),
    (),
    (),
    (),
    tuple(("set_lamp", {"room": room, "power": "on"}) for room in ("hall", "study", "kitchen", "bedroom")),
)


def answer(given: Given, text: str = "Very well.") -> Answer:
    return Answer(text, tuple(Call(name, arguments) for name, arguments in given))


def test_there_are_enough_and_an_answer_for_each() -> None:
    assert len(TASKS) == len(RIGHT) >= 20
    assert len({task.id for task in TASKS}) == len(TASKS)
    assert sum(given == () for given in RIGHT) >= 3


@pytest.mark.parametrize("at", range(len(TASKS)), ids=[task.id for task in TASKS])
def test_the_right_calls_pass_and_others_do_not(at: int) -> None:
    task, right = TASKS[at], RIGHT[at]
    assert 3 <= len(task.tools) <= 6
    assert task.check(answer(right)).why == ""
    assert not task.check(answer((*right, (task.tools[0]["name"], {})))).passed
    if not right:
        assert not task.check(Answer(" ")).passed
        return
    name, arguments = right[0]
    schemas = {tool["name"]: tool["input_schema"] for tool in task.tools}
    for called, given in right:
        jsonschema_rs.validate(schemas[called], given)
    assert task.check(answer((), "I cannot.")).why == "no call"
    assert not task.check(answer((("other", arguments), *right[1:]))).passed
    assert not task.check(answer(((name, {**arguments, "more": 1}), *right[1:]))).passed
    for argument in schemas[name]["required"]:
        less = {key: value for key, value in arguments.items() if key != argument}
        assert not task.check(answer(((name, less), *right[1:]))).passed


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.id)
def test_schemas_are_valid(task: Any) -> None:
    for tool in task.tools:
        assert re.fullmatch(r"[a-zA-Z0-9_-]{1,64}", tool["name"])
        assert set(tool["input_schema"]["required"]) <= set(tool["input_schema"]["properties"])
        assert jsonschema_rs.meta.is_valid(tool["input_schema"])


@pytest.mark.parametrize(
    ("accepted", "given", "fits"),
    [
        (("New York",), "new-york", True),
        (("New York",), "Newark", False),
        ((3,), 3.0, True),
        ((3,), "3", False),
        ((1,), True, False),
        ((True,), 1, False),
        ((True,), True, True),
        ((["a", "b"],), ["A", "b"], True),
        ((["a", "b"],), ["b", "a"], False),
        ((["a", "b"],), "ab", False),
        (({"x": (1, 2), "y": (3, LEFT_OUT)},), {"x": 2}, True),
        (({"x": (1, 2)},), {"x": 2, "z": 0}, False),
        (({"x": (1,)},), [1], False),
        ((None,), None, True),
        (("-",), "-", True),
        (("-",), "", False),
    ],
)
def test_how_arguments_are_compared(accepted: tuple[Any, ...], given: Any, fits: bool) -> None:
    check = Calls((Wanted("f", {"a": accepted}),))
    assert check(Answer("", (Call("f", {"a": given}),))).passed is fits
