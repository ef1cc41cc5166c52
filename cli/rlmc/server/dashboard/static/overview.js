// The overview: all panels in their order, each updated in place by what the feed brings.

import { budgets } from "./budgets.js";
import { caches } from "./caches.js";
import { care } from "./care.js";
import { chart } from "./chart.js";
import { h, prose, say, show } from "./dom.js";
import { count } from "./figures.js";
import { latency } from "./latency.js";
import { outcomes } from "./outcomes.js";
import { periods } from "./periods.js";
import { sessions } from "./sessions.js";
import { statement } from "./statement.js";
import { models, reasons } from "./tallies.js";
import { PERIOD_WORDS } from "./words.js";

export function overview(choosePeriod) {
  const heading = h("h1", { tabindex: "-1" });
  const choice = periods(choosePeriod);
  const lines = chart();
  const account = statement();
  const limits = budgets();
  const figures = [lines, outcomes(), latency(), caches(), care(), reasons(), models()];
  const list = sessions();
  const nothing = empty();
  const body = h(
    "div",
    { class: "grid" },
    account.node,
    limits.node,
    nothing.node,
    ...figures.map((one) => one.node),
    list.node,
  );
  const node = h(
    "div",
    { class: "view", id: "overview" },
    h("div", { class: "view-head" }, heading, choice.node),
    body,
  );
  body.hidden = true;
  return {
    node,
    heading,
    redo: lines.redo,
    // Before anything has come for a period: which one it is, and no figures of another one.
    choose(period) {
      choice.update(period);
      say(heading, `Savings ${PERIOD_WORDS[period]}`);
      body.classList.add("stale");
    },
    update(data, period) {
      const some = data.account.turns > 0;
      show(body, true);
      body.classList.remove("stale");
      body.dataset.turns = String(data.account.turns);
      show(account.node, some || data.words.notes.length > 0 || data.simulated_turns_left_out > 0);
      show(nothing.node, !some);
      nothing.update(data, period);
      account.update(data);
      limits.update(data);
      for (const one of figures) {
        show(one.node, some);
        if (some) one.update(data);
      }
      list.update(data, period);
    },
  };
}

function empty() {
  const title = h("h2");
  const longer = h("li", {}, "Or choose a longer period above.");
  const node = h(
    "section",
    { class: "panel wide empty" },
    title,
    h(
      "ul",
      {},
      h("li", {}, ...prose("Put `rlmc run --` in front of your agent: `rlmc run -- claude`.")),
      h("li", {}, ...prose("Or look at it first, without keys and without the network: `rlmc demo`.")),
      longer,
    ),
    h("p", { class: "quiet" }, "The figures appear here by themselves with the first turn."),
  );
  return {
    node,
    update({ live_sessions: live }, period) {
      const alive = live.filter((one) => one.alive).length;
      const none = `No turns ${PERIOD_WORDS[period].replace("of all time", "yet")}.`;
      show(longer, period !== "all");
      const waiting = `${count(alive, "session is", "sessions are")} running.`;
      say(title, alive ? `${none} ${waiting}` : none);
    },
  };
}
