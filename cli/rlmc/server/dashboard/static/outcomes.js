// Who answered: the four outcomes as one bar and as counts. Patterns and words carry it as well as colour.

import { h, panel, say, show } from "./dom.js";
import { number, percent } from "./figures.js";
import { OUTCOMES, OUTCOME_WORDS } from "./words.js";

export function outcomes() {
  const pieces = OUTCOMES.map((name) => h("span", { class: `piece ${name}` }));
  const counts = OUTCOMES.map((name) => h("dd", { class: "sum", id: `count-${name}` }));
  const shares = OUTCOMES.map(() => h("dd", { class: "sum quiet" }));
  const rows = OUTCOMES.map((name, at) =>
    h(
      "div",
      { class: "outcome" },
      h("dt", {}, h("span", { class: `swatch ${name}`, "aria-hidden": "true" }), name),
      counts[at],
      shares[at],
      h("dd", { class: "quiet words" }, OUTCOME_WORDS[name]),
    ),
  );
  const node = panel(
    "Who answered",
    { class: "half" },
    h("div", { class: "mix", "aria-hidden": "true" }, ...pieces),
    h("dl", { class: "outcomes" }, ...rows),
  );
  return {
    node,
    update({ account }) {
      OUTCOMES.forEach((name, at) => {
        const turns = account.outcomes[name];
        pieces[at].style.setProperty("--turns", String(turns));
        show(pieces[at], turns > 0);
        say(counts[at], number(turns));
        say(shares[at], account.turns ? percent(turns / account.turns) : "");
      });
    },
  };
}
