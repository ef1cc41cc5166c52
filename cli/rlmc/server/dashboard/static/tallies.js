// Two short lists with bars: why turns went as they did, and what the turns of each model came to.

import { h, keyed, panel, say, sayFigure, show, stretch } from "./dom.js";
import { count, label, number, picodollars, shortAmount } from "./figures.js";

const SHOWN = 8;

export function reasons() {
  const list = h("ul", { class: "tallies" });
  const rest = h("p", { class: "quiet" });
  const node = panel("Why", { class: "wide" }, list, rest);
  return {
    node,
    update({ account, words }) {
      const all = Object.entries(account.reasons).sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1));
      const most = all[0]?.[1] ?? 1;
      keyed(
        list,
        all.slice(0, SHOWN),
        ([name]) => name,
        make,
        (node, [name, turns]) => {
          fill(node, label(name), turns / most);
          say(node.children[1], number(turns));
          say(node.children[3], words.reasons[name]);
        },
      );
      const left = all.slice(SHOWN);
      show(rest, left.length > 0);
      say(
        rest,
        `${count(left.length, "more reason")} for ${count(
          left.reduce((sum, [, turns]) => sum + turns, 0),
          "turn",
        )}`,
      );
    },
  };
}

export function models() {
  const list = h("ul", { class: "tallies" });
  const node = panel("Paid, by the model that answered", { class: "wide" }, list);
  return {
    node,
    update({ models: found }) {
      const all = [...found].sort((a, b) => (picodollars(b.paid) > picodollars(a.paid) ? 1 : -1)).slice(0, SHOWN);
      const most = Number(picodollars(all[0]?.paid ?? { dollars: "1" })) || 1;
      keyed(
        list,
        all,
        (one) => one.key,
        make,
        (node, one) => {
          fill(
            node,
            `${one.key ? label(one.key) : "nobody"}, ${count(one.turns, "turn")}`,
            Number(picodollars(one.paid)) / most,
          );
          sayFigure(node.children[1], shortAmount(one.paid));
        },
      );
    },
  };
}

function make() {
  return h(
    "li",
    {},
    h("span", { class: "name" }),
    h("span", { class: "sum" }),
    h("span", { class: "track", "aria-hidden": "true" }, h("span", { class: "fill" })),
    h("span", { class: "quiet" }),
  );
}

function fill(node, name, share) {
  say(node.children[0], name);
  stretch(node.children[2].firstElementChild, share);
}
