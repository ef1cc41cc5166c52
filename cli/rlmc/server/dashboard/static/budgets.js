// A bar for each budget that is set: how much of it is spent, and what happens when it is.

import { h, keyed, panel, say, show, stretch } from "./dom.js";
import { picodollars } from "./figures.js";

const ACTIONS = {
  warn: "rlmc only warns",
  degrade: "turns run with the policy economy",
  stop: "no turn is sent",
};

export function budgets() {
  const list = h("ul", { class: "budgets" });
  const node = panel("Budgets", { class: "wide" }, list);
  return {
    node,
    update(overview) {
      show(node, overview.budgets.length > 0);
      keyed(list, overview.budgets, (one) => one.setting, make, fill);
    },
  };
}

function make() {
  return h(
    "li",
    {},
    h("p", { class: "row" }, h("code", {}), h("span", { class: "sum" })),
    h("span", { class: "track", "aria-hidden": "true" }, h("span", { class: "fill" })),
    h("p", { class: "quiet" }),
  );
}

function fill(node, { setting, limit, spent, over, action, words }) {
  const [row, track, remark] = node.children;
  const whole = picodollars(limit);
  const share = whole ? Number((picodollars(spent) * 10_000n) / whole) / 10_000 : 1;
  say(row.firstElementChild, setting);
  say(row.lastElementChild, words);
  stretch(track.firstElementChild, share);
  node.classList.toggle("over", over);
  const then = ACTIONS[action] ?? action;
  say(remark, over ? `Over budget: ${then}.` : `Once it is passed: ${then}.`);
}
