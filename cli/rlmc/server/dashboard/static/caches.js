// How much of the prompts came out of the providers' caches: the draft model's and the verify model's.

import { h, panel, say, stretch } from "./dom.js";
import { amount, count, number, percent } from "./figures.js";

const SIDES = [
  ["draft", "draft model"],
  ["verify", "verify model"],
];

export function caches() {
  const meters = SIDES.map(([side, name]) => meter(side, name));
  const node = panel("Read from caches", { class: "half" }, ...meters.map((one) => one.node));
  return {
    node,
    update({ account }) {
      SIDES.forEach(([side], at) => meters[at].update(account[side]));
    },
  };
}

function meter(side, name) {
  const share = h("span", { class: "sum" });
  const fill = h("span", { class: `fill ${side}` });
  const remark = h("p", { class: "quiet" });
  return {
    node: h(
      "div",
      { class: "meter" },
      h("p", { class: "row" }, h("span", {}, name), share),
      h("span", { class: "track", "aria-hidden": "true" }, fill),
      remark,
    ),
    update(found) {
      const read = found.cache_read_share;
      say(share, read === null ? "–" : percent(read));
      stretch(fill, read ?? 0);
      say(remark, found.calls ? described(found) : "no calls");
    },
  };
}

function described(side) {
  const prompt = side.input_tokens + side.cache_read_tokens + side.cache_write_5m_tokens + side.cache_write_1h_tokens;
  return [
    `${number(side.cache_read_tokens)} of ${count(prompt, "prompt token")}; ${count(side.calls, "call")}`,
    count(side.output_tokens, "output token"),
    `paid ${amount(side.paid)}`,
  ].join(", ");
}
