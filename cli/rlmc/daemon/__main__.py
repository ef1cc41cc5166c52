"""`python -m rlmc.daemon --port P [--log-level L]`: the daemon in the foreground. `rlmc start` runs it detached."""

from __future__ import annotations

import argparse
import gc
import sys

LOG_LEVELS = ("debug", "info", "warning", "error")


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m rlmc.daemon", description="The daemon of rlmc, in the foreground.")
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1; 0: a free one")
    parser.add_argument("--log-level", choices=LOG_LEVELS, default="info")
    options = parser.parse_args(arguments)
    gc.disable()  # until all is loaded: what is there by then stays, and need not be looked at again and again
    from rlmc.daemon.serve import serve

    return serve(options.port, options.log_level)


if __name__ == "__main__":
    sys.exit(main())
