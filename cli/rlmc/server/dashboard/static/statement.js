// The headline and the account under it, set like a bill: baseline, minus paid, comes to saved.

import { h, keyed, panel, prose, say, show } from "./dom.js";
import { amount, baseline, count, percent, picodollars, saving } from "./figures.js";
import { SIMULATED } from "./words.js";

export function statement() {
  const banner = h("p", { class: "banner", id: "simulated" }, h("strong", {}, "Simulated. "), SIMULATED);
  const verb = h("span", { class: "verb" });
  const figure = h("span", { class: "figure", id: "saved" });
  const share = h("span", { class: "share" });
  const headline = h("p", { class: "headline", id: "headline" }, verb, " ", figure, " ", share);
  const context = h("p", { class: "quiet", id: "break-even" });
  const lines = h("dl", { class: "bill" });
  const notes = h("ul", { class: "notes" });
  const node = panel(
    "Account",
    { class: "statement" },
    banner,
    h("div", { class: "statement-body" }, h("div", { class: "statement-head" }, headline, context), lines),
    notes,
  );
  return {
    node,
    update({ account, words, simulated_turns_left_out: leftOut }) {
      const parts = saving(account.saved);
      show(banner, account.simulated);
      say(verb, parts.verb);
      say(figure, parts.amount);
      say(share, parts.share);
      headline.classList.toggle("lost", parts.lost);
      headline.classList.toggle("unknown", picodollars(account.saved) === null);
      say(context, contextOf(account, parts));
      keyed(lines, billOf(account, words, parts), ([name]) => name, makeLine, fillLine);
      const said = leftOut ? [...words.notes, `${count(leftOut, "simulated turn")} left out.`] : words.notes;
      keyed(
        notes,
        said,
        (text) => text,
        (text) => h("li", {}, ...prose(text)),
        () => {},
      );
    },
  };
}

function contextOf(account, { lost }) {
  const turns = count(account.turns, "turn");
  if (lost) return `Over ${turns} rlmc cost more than the verify model alone would have.`;
  const gone = account.saved.break_even;
  return gone === null ? `Over ${turns}.` : `Over ${turns}. Gone if rlmc caused ${percent(gone)} more turns.`;
}

function billOf(account, words, parts) {
  const lines = [
    ["baseline", baseline(account.baseline), `the verify model alone; ${words.estimates.replace(/^baseline /, "")}`],
    ["paid", amount(account.paid), "every call, also drafts nobody got"],
    [parts.lost ? "lost" : "saved", billed(account, parts), "baseline minus paid"],
  ];
  const known = account.draft.calls && (account.draft_only.complete || picodollars(account.draft_only));
  return known
    ? [...lines, ["draft only", amount(account.draft_only), "what the draft model alone would have cost"]]
    : lines;
}

const billed = (account, { verb, amount: text }) => {
  const bound = /at (most|least)$/.exec(verb);
  return bound ? `${bound[0]} ${text}` : text;
};

function makeLine([name]) {
  return h(
    "div",
    { class: `line ${name.replace(" ", "-")}` },
    h("dt", {}, name),
    h("dd", { class: "sum" }),
    h("dd", { class: "quiet" }),
  );
}

function fillLine(node, [, text, remark]) {
  say(node.children[1], text);
  say(node.children[2], remark);
}
