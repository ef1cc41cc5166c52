// One session: its account and its turns, newest first. It follows the session while it lives.

import { ask } from "./api.js";
import { putAmount, putLink, putOutcome, putSaving, putText } from "./cells.js";
import { h, keyed, panel, say, show } from "./dom.js";
import { amount, baseline, label, number, savingText, seconds } from "./figures.js";
import { exactClock, moment } from "./moments.js";
import { repeated } from "./repeated.js";
import * as routes from "./routes.js";
import { table } from "./table.js";
import { A_SAVING_BELONGS, OUTCOMES, SIMULATED } from "./words.js";

export function sessionView(id, back) {
  const heading = h("h1", { tabindex: "-1" }, "Session");
  const banner = h("p", { class: "banner", hidden: true }, h("strong", {}, "Simulated. "), SIMULATED);
  const facts = h("dl", { class: "facts about columns" });
  const turns = turnTable();
  const more = h("button", { type: "button", class: "more", hidden: true }, "Show older turns");
  const node = h(
    "div",
    { class: "view", id: "session" },
    h("p", { class: "crumbs" }, h("a", { href: back }, "← all sessions")),
    heading,
    h(
      "div",
      { class: "grid" },
      panel("Account", { class: "wide" }, banner, facts, h("p", { class: "quiet" }, A_SAVING_BELONGS)),
      panel("Turns", { class: "wide" }, turns.node, more),
    ),
  );
  let shown = [];

  // The newest page; what is already shown below it stays.
  const refresh = repeated(async () => {
    const found = await ask("turns", { session: id });
    const oldest = found.turns.at(-1)?.id;
    const at = shown.findIndex((turn) => turn.id === oldest);
    const older = at < 0 ? [] : shown.slice(at + 1);
    shown = [...found.turns, ...older];
    fill(found, at < 0 ? found.more : null);
  });

  async function older() {
    more.disabled = true;
    try {
      const found = await ask("turns", { session: id, before: shown.at(-1).id });
      shown = [...shown, ...found.turns];
      fill(found, found.more);
    } finally {
      more.disabled = false;
    }
  }
  more.addEventListener("click", () => older().catch(() => {}));

  function fill({ session, words }, left) {
    say(heading, `Session ${label(session.name ?? session.id)}`);
    show(banner, session.simulated);
    keyed(
      facts,
      about(session, words),
      ([name]) => name,
      makeFact,
      (fact, [, text]) => say(fact.lastElementChild, text),
    );
    turns.update(shown);
    if (left === null) return;
    show(more, left > 0);
    say(more, `Show older turns (${number(left)} more)`);
  }

  return { node, heading, load: () => refresh(), changed: () => refresh().catch(() => {}) };
}

function about(session, words) {
  const counts = OUTCOMES.filter((name) => session.outcomes[name]).map(
    (name) => `${number(session.outcomes[name])} ${name}`,
  );
  return [
    ["saving", savingText(session.saved)],
    ["paid", amount(session.paid)],
    ["baseline", baseline(session.baseline)],
    ["turns", [number(session.turns), counts.join(" · ")].filter(Boolean).join(": ")],
    ["quality", words.quality ?? "no draft was an answer unchecked: nothing to judge"],
    ["client", `${label(session.client)}, policy ${label(session.policy)}`],
    ["directory", session.directory === null ? "not known" : label(session.directory)],
    [
      "time",
      session.ended_at === null
        ? `since ${moment(session.started_at)}`
        : `${moment(session.started_at)} to ${moment(session.ended_at)}`,
    ],
    ["id", label(session.id)],
  ];
}

const makeFact = ([name]) => h("div", {}, h("dt", {}, name), h("dd", { id: `session-${name}` }));

function turnTable() {
  return table(
    "Turns, newest first",
    [
      {
        title: "began",
        head: true,
        put: (cell, one) => putLink(cell, routes.turn(one.id), one.started_at, exactClock(new Date(one.started_at))),
      },
      { title: "outcome", put: (cell, one) => putOutcome(cell, one.outcome) },
      {
        title: "reason",
        put: (cell, one) => putText(cell, one.ending === "complete" ? one.reason : `${one.reason} (${one.ending})`),
      },
      { title: "time", number: true, put: (cell, one) => say(cell, seconds(one.latency_ms)) },
      { title: "answered by", wide: true, put: (cell, one) => putText(cell, one.served_model) },
      { title: "paid", number: true, put: (cell, one) => putAmount(cell, one.paid) },
      { title: "baseline", number: true, put: (cell, one) => putAmount(cell, one.baseline) },
      { title: "saved", number: true, put: (cell, one) => putSaving(cell, one.saved) },
    ],
    (one) => one.id,
    { cards: true },
  );
}
