"""The way in: `rlmc` and `python -m rlmc`. Errors end here, with a line for people and an exit code for scripts."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Sequence


def main() -> None:
    gc.set_threshold(20_000, 50, 50)  # loading makes many objects that stay: to look at them often finds nothing
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    if list(arguments) == ["statusline"]:
        # Called every few hundred milliseconds while somebody works: not even the command line is built for it.
        from rlmc.commands.session_line import print_session_line

        return print_session_line()
    from rlmc.errors import RlmcError

    options, command = split(arguments)
    debug = "--debug" in options or os.environ.get("RLMC_DEBUG", "0") not in ("", "0")
    try:
        return _wrapped(arguments) if command == "run" and not options else _command(arguments, command)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        sys.stdout = sys.stderr = None  # nobody reads any more; Python would complain at its end if it tried again
        return 1
    except Exception as problem:
        from rlmc.domain.redaction import redact
        from rlmc.ui import console

        if debug:
            import traceback

            console.err(redact(traceback.format_exc()))
        if isinstance(problem, RlmcError):
            return console.fail(problem)
        hint = "" if debug else "; RLMC_DEBUG=1 shows where"
        console.err(f"rlmc: internal error: {type(problem).__name__}: {redact(str(problem))}{hint}")
        return 1


def _wrapped(arguments: Sequence[str]) -> int:
    """`rlmc run`, which stands in front of every start of an agent: without the command line where that will do."""
    from rlmc.commands.run_words import wish_of

    wish = wish_of(arguments[1:])
    if wish is None:
        return _command(arguments, "run")
    from rlmc.commands.wrapped import run_wrapped

    return run_wrapped(wish)


def _command(arguments: Sequence[str], command: str | None) -> int:
    from typer.main import get_command

    from rlmc.app import build

    get_command(build(command)).main(args=list(arguments), prog_name="rlmc")
    return 0


def split(arguments: Sequence[str]) -> tuple[Sequence[str], str | None]:
    """The root command's own options, and the command's name."""
    for position, word in enumerate(arguments):
        if not word.startswith("-"):
            return arguments[:position], word
    return arguments, None


if __name__ == "__main__":
    main()
