// What drafting costs beside the answers, and what is known of its quality.

import { h, panel, say } from "./dom.js";
import { amount, count } from "./figures.js";

export function care() {
  const rows = [
    row("wasted drafts", "wasted", ({ wasted_drafts: side }) => calls(side, "draft", "paid for and not used")),
    row("brief checks", "brief", ({ brief: side }) => calls(side, "draft", "verified on a compact context")),
    row("keep-alive", "keepalive", ({ keepalive: side }) => calls(side, "call", "that only kept a cache warm")),
    row("audits", "audit", ({ audit: side }) => calls(side, "call", "that only judged drafts after the fact")),
    row("quality", "quality", (_account, words) => [
      "",
      words.quality ?? "no draft was an answer unchecked: nothing to judge",
    ]),
  ];
  const node = panel(
    "Drafts and checks",
    { class: "half" },
    h("dl", { class: "facts" }, ...rows.map((one) => one.node)),
  );
  return {
    node,
    update({ account, words }) {
      for (const one of rows) one.update(account, words);
    },
  };
}

function calls(side, noun, what) {
  return side.calls ? [amount(side.paid), `${count(side.calls, noun)} ${what}`] : ["–", "none"];
}

function row(name, id, of) {
  const sum = h("dd", { class: "sum" });
  const remark = h("dd", { class: "quiet", id: `${id}-words` });
  return {
    node: h("div", {}, h("dt", {}, name), sum, remark),
    update(account, words) {
      const [text, more] = of(account, words);
      say(sum, text);
      say(remark, more);
    },
  };
}
