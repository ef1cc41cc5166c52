// The sessions of the period, newest first. A session is shown whole, also where only a part of it lies in the period.

import { ask } from "./api.js";
import { putAmount, putLink, putSaving, putText } from "./cells.js";
import { h, panel, say, show } from "./dom.js";
import { count, number, percent } from "./figures.js";
import { moment } from "./moments.js";
import { repeated } from "./repeated.js";
import * as routes from "./routes.js";
import { table } from "./table.js";

export function sessions() {
  let running = new Set();
  const list = table(
    "Sessions, newest first",
    [
      {
        title: "began",
        head: true,
        put: (cell, one) => putLink(cell, routes.session(one.id), one.started_at, moment(one.started_at)),
      },
      { title: "session", wide: true, put: putName },
      { title: "turns", number: true, put: (cell, one) => say(cell, number(one.turns)) },
      {
        title: "skipped",
        number: true,
        put: (cell, one) => say(cell, one.skipped_share === null ? "–" : percent(one.skipped_share)),
      },
      { title: "paid", number: true, put: (cell, one) => putAmount(cell, one.paid) },
      { title: "baseline", number: true, put: (cell, one) => putAmount(cell, one.baseline) },
      { title: "saved", number: true, put: (cell, one) => putSaving(cell, one.saved) },
    ],
    (one) => one.id,
    { cards: true },
  );
  const rest = h("p", { class: "quiet" });
  const node = panel("Sessions", { class: "wide", id: "sessions" }, list.node, rest);

  function putName(cell, one) {
    if (!cell.firstElementChild)
      cell.append(
        h("span", { class: "badge running" }, "running"),
        h("span", { class: "badge" }, "simulated"),
        h("span"),
        h("span", { class: "quiet" }),
      );
    const [badge, simulated, name, where] = cell.children;
    show(badge, running.has(one.id));
    putText(name, one.name ?? one.client);
    putText(where, [one.name && one.client, one.policy, one.directory].filter(Boolean).join(" · "));
    show(simulated, one.simulated);
  }

  let shown = null;
  let wanted = null;
  const refresh = repeated(async () => {
    const period = wanted;
    const found = await ask("sessions", { period });
    if (period !== wanted) return;
    list.update(found.sessions);
    show(node, found.sessions.length > 0);
    show(rest, found.more > 0);
    say(rest, `${count(found.more, "older session")} not shown; rlmc sessions lists them all.`);
  });

  return {
    node,
    update({ account, live_sessions: live }, period) {
      const now = JSON.stringify([period, account, live]);
      if (now === shown) return;
      shown = now;
      running = new Set(live.filter((one) => one.alive).map((one) => one.id));
      const other = period !== wanted;
      wanted = period;
      refresh(other).catch(() => {
        shown = null; // the feed says what is wrong with the connection; its next event asks again
      });
    },
  };
}
