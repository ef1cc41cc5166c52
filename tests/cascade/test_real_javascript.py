"""Scripts read by us and run by a real JavaScript engine: what we read is what is called."""

from __future__ import annotations

import json
import random
import shutil
import subprocess

import pytest
from tests.cascade.test_scripts import HARMLESS, PIECES

from rlmc.cascade.scripts import read_script

NODE = shutil.which("node")
# Runs each script with tools that only note how they were called. A script that fails may have made fewer calls.
RUNNER = r"""
const scripts = JSON.parse(require("fs").readFileSync(0, "utf8"));
const Run = (async () => {}).constructor;
(async () => {
  const out = [];
  for (const source of scripts) {
    const made = [];
    const tools = new Proxy({}, { get: (_, name) => async (given) => {
      made.push([name, given === undefined ? {} : typeof given === "string" ? {input: given} : given]);
      return {output: "x"};
    }});
    let ended = true;
    const none = () => {};
    try {
      await new Run("tools", "text", "notify", "image", "yield_control", '"use strict";' + source)(
        tools, none, none, none, none);
    } catch { ended = false; }
    out.push([ended, made]);
  }
  console.log(JSON.stringify(out));
})();
"""

MORE = (
    "const patch = String.raw`a\\n${'$'}b`; await tools.apply_patch(patch)",
    'const p = ["*** Begin Patch", "+it\\\'s", `x\\``].join("\\n");\nawait tools.apply_patch(p + "\\x0a" + `end`)',
    "const o = {a: 1_000, b: [-0.5, null, {'c-d': \"\\u{1F600}\\ud83d\\ude00\"}]}; await tools.f({o}); text(o.b[0])",
    "text((await tools.f({})).output ?? 'none'); yield_control();",
)


def mutated(chance: random.Random) -> str:
    source = chance.choice([*HARMLESS, *MORE])
    for _ in range(chance.randint(0, 3)):
        start = chance.randint(0, len(source))
        end = min(len(source), start + chance.choice([0, 0, 1, 2, 8]))
        source = source[:start] + chance.choice([*PIECES, "", "\n", "\u2028", "\\", "'a' + "]) + source[end:]
    return source


@pytest.mark.skipif(NODE is None, reason="there is no JavaScript engine")
def test_what_is_read_is_what_runs() -> None:
    chance = random.Random(20261126)
    sources = [*HARMLESS, *MORE, *(mutated(chance) for _ in range(20_000))]
    read = [(source, script) for source in sources if (script := read_script(source)) is not None]
    assert len(read) > 1_000
    run = subprocess.run(
        [NODE or "", "-e", RUNNER], input=json.dumps([s for s, _ in read]), capture_output=True, text=True, timeout=120
    )
    for (source, script), (ended, made) in zip(read, json.loads(run.stdout), strict=True):
        ours = [[name, json.loads(arguments)] for name, arguments in script.calls]
        assert made == (ours if ended else ours[: len(made)]), source
