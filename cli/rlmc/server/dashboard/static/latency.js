// How long turns took, by outcome, beside what they would have taken without rlmc.

import { h, panel, say, stretch } from "./dom.js";
import { number, seconds } from "./figures.js";
import { table } from "./table.js";
import { OUTCOMES } from "./words.js";

export function latency() {
  let longest = 0;
  const shown = table(
    "Latency by outcome: median and 95th percentile",
    [
      { title: "outcome", head: true, put: putName },
      { title: "turns", number: true, put: (cell, row) => say(cell, row.turns === null ? "–" : number(row.turns)) },
      { title: "p50", number: true, put: (cell, row) => say(cell, time(row.p50)) },
      { title: "p95", number: true, put: (cell, row) => say(cell, time(row.p95)) },
      { title: "p50 to p95", put: (cell, row) => putBars(cell, row, longest) },
    ],
    (row) => row.name,
  );
  shown.node.classList.add("latency");
  const node = panel(
    "How long it took",
    { class: "half" },
    shown.node,
    h("p", { class: "quiet" }, "The baseline is judged by the calls that went straight to the verify model."),
  );
  return {
    node,
    update({ account }) {
      const rows = rowsOf(account.latency_ms);
      longest = Math.max(...rows.map((row) => row.p95 ?? 0));
      shown.update(rows);
    },
  };
}

function rowsOf(all) {
  // Always the same rows, so that nothing moves when an outcome comes up for the first time.
  return [
    ...OUTCOMES.map((name) => ({ name, ...all.outcomes[name] })),
    { name: "all", ...all },
    { name: "baseline (est.)", ...all.baseline_estimate, turns: null },
  ];
}

function putName(cell, { name }) {
  if (cell.textContent) return;
  const swatch = OUTCOMES.includes(name) && h("span", { class: `swatch ${name}`, "aria-hidden": "true" });
  cell.append(...[swatch, name].filter(Boolean));
}

function putBars(cell, { p50, p95 }, longest) {
  if (!cell.firstElementChild) {
    cell.append(
      h(
        "span",
        { class: "track range", "aria-hidden": "true" },
        h("span", { class: "fill p95" }),
        h("span", { class: "fill p50" }),
      ),
    );
  }
  const [slow, middle] = cell.firstElementChild.children;
  stretch(slow, longest ? p95 / longest : 0);
  stretch(middle, longest ? p50 / longest : 0);
}

const time = (value) => (value === null ? "–" : seconds(value));
