"""One target under atheris, in a process of its own: `python -m tests.fuzz.worker TARGET [OPTION OF LIBFUZZER…]`.

Rule: what breaks a promise is kept, and the run goes on; only what ends the process (a crash of a library, a hang,
memory without bound) is left to libFuzzer to report.
"""

from __future__ import annotations

import random
import sys

import atheris
from tests.fuzz.findings import Findings
from tests.fuzz.mutation import mutated
from tests.fuzz.target import load


def main() -> None:
    # As `atheris.instrument_imports` does, but comparisons are not traced: the mutations know the words that are
    # compared with, and half the time is saved.
    with atheris.import_hook.HookManager({"rlmc"}, set(), enable_loader_override=True, trace_dataflow=False):
        target = load(sys.argv[1])
    seeds, findings = target.seeds, Findings(target)

    def one_input(data: bytes) -> None:
        try:
            target.run(data)
        except Exception as error:  # whatever it is: that is what is looked for
            findings.add(data, error)

    def mutate(data: bytes, size: int, seed: int) -> bytes:
        chance = random.Random(seed)  # libFuzzer's own seed
        draw = chance.random()
        if draw < 0.35:
            return atheris.Mutate(data, size)
        return mutated(data if draw < 0.97 else chance.choice(seeds), chance, target.tokens)[:size]

    atheris.Setup([sys.argv[0], f"-max_len={target.longest}", *sys.argv[2:]], one_input, custom_mutator=mutate)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
