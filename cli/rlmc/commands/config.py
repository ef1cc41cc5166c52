"""`rlmc config`: look at settings and change them. A running daemon takes a change at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from rlmc.commands.plain import PlainTyper

if TYPE_CHECKING:
    from rlmc.config.write import Change

_KeyName = Annotated[str, typer.Argument(metavar="KEY", help="A key as `rlmc config list` shows it.")]
_Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def register(app: typer.Typer) -> None:
    group = PlainTyper(help="Look at settings and change them.", no_args_is_help=True)
    group.command("list", help="Every key, its value, where it comes from and what it means.")(_list)
    group.command("get", help="One value. Exit code 1 if it is unset.")(_get)
    # A value may begin with a dash; what is wrong with it then is better said by the setting than by the parser.
    group.command("set", help="Put a value into the file.", context_settings={"ignore_unknown_options": True})(_set)
    group.command("unset", help="Take a value out of the file again.")(_unset)
    group.command("edit", help="Open the file in $VISUAL or $EDITOR; checked before it counts.")(_edit)
    group.command("path", help="Where the file is.")(_path)
    group.command("statusline", help="Print Claude Code's setting for a status line; edits nothing.")(_statusline)
    app.add_typer(group, name="config")


def _list(as_json: _Json = False) -> None:
    import sys

    from rlmc.config.load import load
    from rlmc.ui import console
    from rlmc.upstream.providers import names

    config = load(providers=names())
    for text in config.warnings:
        console.warning(text)
    if as_json:
        entries = [
            {"key": one.key, "value": one.value, "source": one.source, "meaning": one.meaning} for one in config.entries
        ]
        from rlmc.ui.result import envelope

        data = {"path": str(config.path), "warnings": config.warnings, "settings": entries}
        console.out(envelope("rlmc.config/1", data))
    elif console.is_terminal(sys.stdout):
        from rlmc.ui.settings import settings_table

        for line in settings_table(config, console.width()):
            console.out(line)
    else:
        for one in config.entries:
            console.out("\t".join((one.key, _text(one.value), one.source, one.meaning)))


def _get(key: _KeyName, as_json: _Json = False) -> None:
    from rlmc.config import lookup
    from rlmc.config.load import load
    from rlmc.ui import console
    from rlmc.upstream.providers import names

    lookup.find(key, "given on the command line")
    config = load(providers=names())
    entry = next((one for one in config.entries if one.key == key), None)
    value, source = (entry.value, entry.source) if entry else (None, "default")
    if as_json:
        from rlmc.ui.result import envelope

        console.out(envelope("rlmc.config-value/1", {"key": key, "value": value, "source": source}))
    elif value is None:
        console.err(f"{key} is not set")
    else:
        console.out(_text(value))
    if value is None:
        raise typer.Exit(1)


def _set(key: _KeyName, value: Annotated[str, typer.Argument(metavar="VALUE", help="Its new value.")]) -> None:
    from rlmc.config import lookup, write
    from rlmc.ui import console
    from rlmc.upstream.providers import names

    change = write.set_key(key, value, providers=names())
    shown = lookup.plain(lookup.parse(key, value, "given on the command line"))
    console.out(f"{key} = {_text(shown)}")
    _after(key, change)


def _unset(key: _KeyName) -> None:
    from rlmc.config import write
    from rlmc.ui import console
    from rlmc.upstream.providers import names

    change = write.unset_key(key, providers=names())
    if not change.changed:
        console.err(f"{key} is not set in {change.path}; nothing was changed")
        return
    console.out(f"{key} is unset")
    _after(key, change)


def _edit() -> None:
    from rlmc.commands.config_edit import edit_file
    from rlmc.config import paths
    from rlmc.ui import console
    from rlmc.upstream.providers import names

    file = paths.config_file()
    if edit_file(file, names()):
        console.out(f"{file} is valid and in force")
        _tell_daemon()
    else:
        console.err(
            f"{file} was not changed. (An editor that returns at once needs its waiting option, like `code --wait`.)"
        )


def _path() -> None:
    from rlmc.config import paths
    from rlmc.ui import console

    console.out(str(paths.config_file()))


def _statusline() -> None:
    import json
    import shlex
    import shutil
    import sys

    from rlmc.ui import console

    program = shutil.which("rlmc")
    # By its whole path: the agent may be started with another PATH.
    words = [program] if program else [sys.executable, "-m", "rlmc"]
    command = shlex.join([*words, "statusline"])
    console.out(json.dumps({"statusLine": {"type": "command", "command": command, "padding": 0}}, indent=2))
    console.err(
        "Put this into ~/.claude/settings.json, beside what is there. It shows in sessions of `rlmc run -- claude`."
    )


def _after(key: str, change: Change) -> None:
    import os

    from rlmc.config.load import overrides_from
    from rlmc.ui import console
    from rlmc.upstream.providers import names

    if key in overrides_from(os.environ, None, names()):
        console.warning(f"the environment of this shell also sets {key}, and wins over the file")
    if change.problem is not None:
        console.warning(f"the file is still not valid: {change.problem.message}")
        if change.problem.hint:
            console.err(change.problem.hint)
        return
    _tell_daemon()


def _tell_daemon() -> None:
    from rlmc.daemon.control import notify_reload
    from rlmc.errors import DaemonError

    refusal = notify_reload()
    if refusal:
        raise DaemonError(
            f"The file is changed, but the running daemon keeps its old settings: {refusal}",
            "Mend the setting it names, or start anew with `rlmc restart`.",
        )


def _text(value: str | int | float | bool | None) -> str:
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)
