"""One target without atheris, on any system: `python -m tests.fuzz.plain TARGET SECONDS RUNS`.

Nothing is measured on the way, so inputs are several times as many, and further from the seeds only by chance.
"""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Iterator

from tests.fuzz.findings import Findings
from tests.fuzz.mutation import mutated
from tests.fuzz.target import Target, load


def inputs(target: Target, seed: int) -> Iterator[bytes]:
    """Mutations of the seeds without end, the same for the same number; a third of them are mutated more than once."""
    chance = random.Random(seed)
    seeds = [*target.seeds, *target.found]
    while True:
        data = mutated(chance.choice(seeds), chance, target.tokens)
        while chance.random() < 0.33:
            data = mutated(data, chance, target.tokens)
        yield data[: target.longest]


def main() -> None:
    target = load(sys.argv[1])
    until, runs = time.monotonic() + int(sys.argv[2]), int(sys.argv[3])
    findings = Findings(target)
    count = 0
    for data in inputs(target, int(sys.argv[4]) or time.time_ns()):
        if count == runs or (count % 256 == 0 and time.monotonic() > until):
            break
        try:
            target.run(data)
        except Exception as error:  # whatever it is: that is what is looked for
            findings.add(data, error)
        count += 1
    print(f"stat::number_of_executed_units: {count}")


if __name__ == "__main__":
    main()
