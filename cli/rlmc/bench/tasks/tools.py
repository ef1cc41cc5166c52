"""Tools: which tool a request needs, with which arguments, or that none of those at hand helps.

Nothing is ever executed: an answer is judged by the calls it asks for.
"""

from __future__ import annotations

from typing import Any

from rlmc.bench.calls import LEFT_OUT, Accepted, Calls, Wanted
from rlmc.bench.task import Task, Tool


def _tool(name: str, description: str, required: str = "", **properties: Any) -> Tool:
    schema = {
        "type": "object",
        "properties": properties,
        "required": required.split(),
        "additionalProperties": False,
    }
    return {"name": name, "description": description, "input_schema": schema}


def _text(description: str) -> dict[str, Any]:
    return {"type": "string", "description": description}


def _whole(description: str) -> dict[str, Any]:
    return {"type": "integer", "description": description}


def _number(description: str) -> dict[str, Any]:
    return {"type": "number", "description": description}


def _one_of(description: str, *values: str) -> dict[str, Any]:
    return {"type": "string", "enum": list(values), "description": description}


def _texts(description: str) -> dict[str, Any]:
    return {"type": "array", "items": {"type": "string"}, "description": description}


WEATHER = _tool(
    "weather_forecast",
    "The weather forecast of a town.",
    "town",
    town=_text("The town's name, without its country"),
    days=_whole("How many days from today on, 1 to 10; by default 1"),
    unit=_one_of("The unit of temperatures; by default celsius", "celsius", "fahrenheit"),
)
WEATHER_PAST = _tool(
    "weather_history",
    "What the weather was in a town on a past day.",
    "town date",
    town=_text("The town's name, without its country"),
    date=_text("The day, as YYYY-MM-DD"),
)
EXCHANGE = _tool(
    "convert_currency",
    "Converts an amount of money at today's rate.",
    "amount source target",
    amount=_number("How much"),
    source=_text("The currency it is in, three letters"),
    target=_text("The currency it is to be in, three letters"),
)
UNITS = _tool(
    "convert_unit",
    "Converts a measure of length, weight, volume or temperature.",
    "value source target",
    value=_number("How much"),
    source=_one_of("Its unit", "m", "km", "mile", "foot", "kg", "pound", "litre", "gallon", "celsius", "fahrenheit"),
    target=_one_of(
        "The unit wanted", "m", "km", "mile", "foot", "kg", "pound", "litre", "gallon", "celsius", "fahrenheit"
    ),
)
TRAIN = _tool(
    "train_connections",
    "Train connections between two towns.",
    "origin destination date",
    origin=_text("Where the journey begins"),
    destination=_text("Where it ends"),
    date=_text("The day, as YYYY-MM-DD"),
    after=_text("The earliest departure, as HH:MM"),
    direct_only=_one_of("Whether to leave out connections with a change; by default no", "yes", "no"),
)
HOTEL = _tool(
    "hotel_search",
    "Free hotel rooms in a town.",
    "town arrival nights",
    town=_text("The town's name"),
    arrival=_text("The day of arrival, as YYYY-MM-DD"),
    nights=_whole("How many nights"),
    guests=_whole("How many guests; by default 1"),
    most_per_night=_number("The highest price of a night in euros"),
)
MAIL = _tool(
    "send_mail",
    "Sends an e-mail.",
    "to subject body",
    to=_texts("The addresses"),
    subject=_text("The subject"),
    body=_text("The text"),
)
MAIL_SEARCH = _tool(
    "search_mail",
    "Finds e-mails in the user's mailbox.",
    "",
    sender=_text("The sender's address"),
    words=_text("Words that must occur"),
    since=_text("Only from this day on, as YYYY-MM-DD"),
    unread_only={"type": "boolean", "description": "Only those not read yet; by default false"},
)
EVENT = _tool(
    "add_event",
    "Puts an event into the user's calendar.",
    "title date start",
    title=_text("What it is called"),
    date=_text("The day, as YYYY-MM-DD"),
    start=_text("When it begins, as HH:MM"),
    minutes=_whole("How long it takes; by default 60"),
)
EVENTS = _tool(
    "list_events",
    "What stands in the user's calendar on a day.",
    "date",
    date=_text("The day, as YYYY-MM-DD"),
)
REMINDER = _tool(
    "set_timer",
    "Rings after a while.",
    "minutes",
    minutes=_whole("After how many minutes"),
    label=_text("What to show then"),
)
SHARES = _tool(
    "share_price",
    "The latest price of a share.",
    "symbol",
    symbol=_text("The share's ticker symbol"),
)
LIBRARY = _tool(
    "find_books",
    "Books in the town library.",
    "",
    author=_text("The author's name"),
    title=_text("Words of the title"),
    language=_one_of("The language", "english", "french", "german", "spanish"),
    available_only={"type": "boolean", "description": "Only those not lent out; by default false"},
)
LAMP = _tool(
    "set_lamp",
    "Switches a lamp of the flat, or dims it.",
    "room power",
    room=_one_of("Where the lamp is", "kitchen", "bedroom", "hall", "study"),
    power=_one_of("Whether it is to be on", "on", "off"),
    brightness=_whole("Per cent, 1 to 100, of a lamp that is on; by default 100"),
)
HEATING = _tool(
    "set_heating",
    "Sets the temperature a room is heated to.",
    "room celsius",
    room=_one_of("The room", "kitchen", "bedroom", "hall", "study"),
    celsius=_number("The temperature in degrees Celsius"),
)


def _task(number: int, request: str, tools: tuple[Tool, ...], *wanted: Wanted) -> Task:
    return Task(f"tools-{number:02}", "tools", request, Calls(wanted), tools)


def _call(tool: Tool, **arguments: Accepted) -> Wanted:
    return Wanted(tool["name"], arguments)


TASKS: tuple[Task, ...] = (
    _task(
        1,
        "What will the weather be in Oslo over the next three days?",
        (WEATHER, WEATHER_PAST, TRAIN),
        _call(WEATHER, town=("Oslo",), days=(3,), unit=("celsius", LEFT_OUT)),
    ),
    _task(
        2,
        "Did it rain in Lyon on the 2nd of May 2025?",
        (WEATHER, WEATHER_PAST, EVENTS),
        _call(WEATHER_PAST, town=("Lyon",), date=("2025-05-02",)),
    ),
    _task(
        3,
        "How much are 250 Swiss francs in Japanese yen right now?",
        (UNITS, EXCHANGE, SHARES),
        _call(EXCHANGE, amount=(250,), source=("CHF",), target=("JPY",)),
    ),
    _task(
        4,
        "Convert 26.2 miles to kilometres with a tool, please.",
        (EXCHANGE, UNITS, SHARES, REMINDER),
        _call(UNITS, value=(26.2,), source=("mile",), target=("km",)),
    ),
    _task(
        5,
        "I want to go from Ghent to Cologne by train on 14 March 2027, leaving at nine in the morning or later, and "
        "without changing.",
        (HOTEL, TRAIN, EVENT),
        _call(
            TRAIN,
            origin=("Ghent", "Gent"),
            destination=("Cologne", "Köln"),
            date=("2027-03-14",),
            after=("09:00", "9:00"),
            direct_only=("yes",),
        ),
    ),
    _task(
        6,
        "Find a room in Porto for two people from the 8th to the 12th of June 2027, for no more than 90 euros a night.",
        (TRAIN, HOTEL, WEATHER, EVENT),
        _call(HOTEL, town=("Porto",), arrival=("2027-06-08",), nights=(4,), guests=(2,), most_per_night=(90,)),
    ),
    _task(
        7,
        "Mail ana@example.com and ben@example.com with the subject 'Lunch' and the text 'At noon?'.",
        (MAIL_SEARCH, MAIL, EVENT),
        _call(
            MAIL,
            to=(["ana@example.com", "ben@example.com"], ["ben@example.com", "ana@example.com"]),
            subject=("Lunch",),
            body=("At noon?",),
        ),
    ),
    _task(
        8,
        "Do I have unread mail from billing@example.org?",
        (MAIL, MAIL_SEARCH, EVENTS),
        _call(MAIL_SEARCH, sender=("billing@example.org",), unread_only=(True,)),
    ),
    _task(
        9,
        "Put a dentist's appointment into my calendar for 5 January 2027, half past two in the afternoon, 45 minutes. "
        "Call it 'Dentist'.",
        (EVENTS, EVENT, REMINDER),
        _call(EVENT, title=("Dentist",), date=("2027-01-05",), start=("14:30",), minutes=(45,)),
    ),
    _task(
        10,
        "Am I free on Christmas Eve 2026?",
        (EVENT, EVENTS, MAIL_SEARCH, REMINDER),
        _call(EVENTS, date=("2026-12-24",)),
    ),
    _task(
        11,
        "Ring in an hour and a half and show 'bread'.",
        (EVENT, REMINDER, EVENTS),
        _call(REMINDER, minutes=(90,), label=("bread",)),
    ),
    _task(
        12,
        "What is the share with the symbol NVO worth at the moment?",
        (EXCHANGE, SHARES, LIBRARY),
        _call(SHARES, symbol=("NVO",)),
    ),
    _task(
        13,
        "Which books by Annie Ernaux in French can I borrow at once from the town library?",
        (LIBRARY, MAIL, EVENTS),
        _call(LIBRARY, author=("Annie Ernaux", "Ernaux"), language=("french",), available_only=(True,)),
    ),
    _task(
        14,
        "Dim the lamp in the study to 30 per cent.",
        (HEATING, LAMP, REMINDER),
        _call(LAMP, room=("study",), power=("on",), brightness=(30,)),
    ),
    _task(
        15,
        "I go to bed now: switch the kitchen lamp off, and heat the bedroom to 17.5 degrees.",
        (LAMP, HEATING, REMINDER, WEATHER),
        _call(LAMP, room=("kitchen",), power=("off",), brightness=(LEFT_OUT,)),
        _call(HEATING, room=("bedroom",), celsius=(17.5,)),
    ),
    _task(
        16,
        "Compare the prices of the shares SAP and ORCL.",
        (EXCHANGE, SHARES, MAIL),
        _call(SHARES, symbol=("SAP",)),
        _call(SHARES, symbol=("ORCL",)),
    ),
    _task(
        17,
        "Give me today's forecast for Denver, in Fahrenheit, please.",
        (UNITS, WEATHER, WEATHER_PAST),
        _call(WEATHER, town=("Denver",), days=(1, LEFT_OUT), unit=("fahrenheit",)),
    ),
    _task(
        18,
        "Write me a short birthday wish for my aunt, to put on a card.",
        (EVENT, SHARES, WEATHER),
    ),
    _task(
        19,
        "What is the capital of Mongolia?",
        (WEATHER, TRAIN, HOTEL, EXCHANGE),
    ),
    _task(
        20,
        "Please book me a table for four at an Italian restaurant tonight.",
        (WEATHER, SHARES, UNITS, LIBRARY),
    ),
    _task(
        21,
        "Which is larger, two thirds or three fifths?",
        (EXCHANGE, LAMP, LIBRARY),
    ),
    _task(
        22,
        "Switch every lamp in the flat on: kitchen, bedroom, hall and study.",
        (HEATING, LAMP, REMINDER),
        *(
            _call(LAMP, room=(room,), power=("on",), brightness=(100, LEFT_OUT))
            for room in ("kitchen", "bedroom", "hall", "study")
        ),
    ),
)
