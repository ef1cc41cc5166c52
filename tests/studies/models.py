"""`rlmc bench` with two real models, from their files: llama.cpp serves both on loopback, and all arms are asked.

    pip install xllamacpp
    python -m tests.studies.models --draft SMALL.gguf --verify LARGE.gguf [--folder DIR] [-- --limit 5 --json …]

What follows `--` goes to `rlmc bench`. Tasks that choose tools are left out: small models call one whatever is asked.
With a folder that is kept, a run that was broken off goes on. It takes hours on two cores.
"""

from __future__ import annotations

import argparse
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PARALLEL, _CONTEXT = 4, 4096
_START_SECONDS = 120.0
# One thread a model: two models on two cores share them worse than they use them alone.
_SERVE = """
import sys, time
import xllamacpp
params = xllamacpp.CommonParams()
params.model.path, params.port = sys.argv[1], int(sys.argv[2])
params.n_ctx, params.n_parallel = int(sys.argv[3]) * int(sys.argv[4]), int(sys.argv[4])
params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
params.use_jinja = True
if len(sys.argv) > 5:
    params.chat_template = open(sys.argv[5]).read()
server = xllamacpp.Server(params)
while True:
    time.sleep(3600)
"""
_CONFIG = """
draft-timeout = 900

[upstream.draft]
base-url = "http://127.0.0.1:{draft}"

[upstream.verify]
base-url = "http://127.0.0.1:{verify}"
"""


@contextmanager
def served(model: Path, python: str = sys.executable, template: Path | None = None) -> Iterator[int]:
    """llama.cpp's own server for the model; its port, once it is healthy. `python` has xllamacpp, `template` replaces
    the model's own chat template."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    command = [python, "-c", _SERVE, str(model), str(port), str(_CONTEXT), str(_PARALLEL)]
    command += [str(template)] if template else []
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + _START_SECONDS
        while not _healthy(port):
            if process.poll() is not None or time.monotonic() > deadline:
                sys.exit(f"llama.cpp does not serve {model}; is xllamacpp installed, and is this a GGUF file?")
            time.sleep(0.5)
        yield port
    finally:
        process.kill()
        process.wait()


def _healthy(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draft", type=Path, required=True)
    parser.add_argument("--verify", type=Path, required=True)
    parser.add_argument("--folder", type=Path, help="where configuration, ledger and results are; by default a new one")
    parser.add_argument("bench", nargs="*", help="for rlmc bench")
    wanted = parser.parse_args()
    folder: Path = wanted.folder or Path(tempfile.mkdtemp(prefix="rlmc-models-"))
    with served(wanted.draft) as draft, served(wanted.verify) as verify:
        (folder / "config").mkdir(parents=True, exist_ok=True)
        (folder / "config" / "config.toml").write_text(_CONFIG.format(draft=draft, verify=verify))
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("RLMC_", "ANTHROPIC_"))}
        env = kept | {f"RLMC_{name}_DIR": str(folder / name.lower()) for name in ("CONFIG", "DATA", "STATE")}
        rlmc = [sys.executable, "-m", "rlmc"]
        pair = ["--draft-model", f"draft/{wanted.draft.stem}", "--verify-model", f"verify/{wanted.verify.stem}"]
        options = ["--kinds", "maths,instruct,code", "--parallel", str(_PARALLEL), "--yes"]
        try:
            return subprocess.run([*rlmc, "bench", *pair, *options, *wanted.bench], env=env, check=False).returncode
        finally:
            subprocess.run([*rlmc, "stop", "--force"], env=env, check=False, capture_output=True)
            print(f"kept in {folder}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
