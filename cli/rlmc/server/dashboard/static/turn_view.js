// Why one turn went as it did: what was seen, what was expected, what came of it. The same parts as `rlmc explain`.

import { ask } from "./api.js";
import { h, panel, say } from "./dom.js";
import { amount, baseline, count, label, money, number, percent, picodollars, savingText, seconds } from "./figures.js";
import { day, exactClock, moment, timeNode } from "./moments.js";
import * as routes from "./routes.js";
import { scrolling, table } from "./table.js";
import { A_SAVING_BELONGS, OUTCOME_WORDS, SIMULATED, VERDICTS } from "./words.js";

const STOPPED = "budget"; // the reason of a turn that a passed budget has stopped
const WAYS = ["direct", "skipped", "verified"];
const LIFETIMES = { "5m": "five minutes", "1h": "an hour" };
const TOKENS = [
  ["input", "input"],
  ["read", "cache_read"],
  ["write", "cache_write_5m"],
  ["write 1h", "cache_write_1h"],
  ["output", "output"],
  ["thinking", "thinking"],
];

export function turnView(id, back) {
  const heading = h("h1", { tabindex: "-1" }, "Turn");
  const crumbs = h("p", { class: "crumbs" }, h("a", { href: back }, "← all sessions"));
  const body = h("div", { class: "grid" });
  const node = h("div", { class: "view", id: "turn" }, crumbs, heading, body);
  return {
    node,
    heading,
    async load() {
      const { turn, words } = await ask("turn", { id });
      heading.replaceChildren(`Turn of ${moment(turn.started_at)}: `, label(turn.outcome));
      crumbs.replaceChildren(
        h("a", { href: back }, "all sessions"),
        " › ",
        h("a", { href: routes.session(turn.session) }, `session ${label(turn.session_name ?? turn.session)}`),
      );
      body.replaceChildren(...parts(turn, words));
    },
    changed() {},
  };
}

function parts(turn, words) {
  return [
    panel(
      "What happened",
      { class: "wide" },
      turn.simulated && h("p", { class: "banner" }, h("strong", {}, "Simulated. "), SIMULATED),
      facts(head(turn)),
    ),
    panel("What was seen", { class: "half" }, ...seen(turn)),
    panel("What was expected", { class: "half tall" }, ...expected(turn)),
    panel("The draft", { class: "half" }, facts(draft(turn))),
    words.audit.length > 0 && panel("What audits had taught, and its own", { class: "wide" }, facts(words.audit)),
    panel(
      "What it came to",
      { class: "wide" },
      facts(account(turn), "columns"),
      h("p", { class: "quiet" }, A_SAVING_BELONGS),
    ),
    panel("The calls", { class: "wide" }, turn.calls.length ? calls(turn.calls) : h("p", {}, "None.")),
  ].filter(Boolean);
}

function head(turn) {
  let answer = turn.served_model ? `${label(turn.served_model)} in ${seconds(turn.latency_ms)}` : "nobody";
  if (turn.ending !== "complete") answer += `; it did not come to a proper end (${label(turn.ending)})`;
  return [
    ["outcome", `${label(turn.outcome)}: ${outcome(turn)}`],
    ["reason", `${label(turn.reason)}: ${turn.sentence}`],
    ["answered", answer],
    ["request", `${label(turn.class)}, for ${label(turn.requested_model)}, policy ${policy(turn)}`],
    ["began", timeNode(turn.started_at, `${day(new Date(turn.started_at))} ${exactClock(new Date(turn.started_at))}`)],
    ["id", label(turn.id)],
  ];
}

function outcome(turn) {
  if (turn.reason === STOPPED) return "no model was asked";
  return OUTCOME_WORDS[turn.outcome] ?? "this version does not know it";
}

function policy({ policy: used, degraded }) {
  if (!degraded) return label(used);
  return `${label(used)} instead of ${label(degraded.policy)}, because ${label(degraded.setting)} was passed`;
}

// What holds first; the rest by name only.
function seen({ signals, reason }) {
  const all = Object.entries(signals);
  if (!all.length)
    return [
      h(
        "p",
        {},
        reason === STOPPED ? "Nothing: the turn was not looked at." : "Nothing: the request could not be read.",
      ),
    ];
  const name = (key) => label(key.replaceAll("_", " "));
  const held = all
    .filter(([, value]) => value)
    .map(([key, value]) => [
      name(key),
      typeof value === "number" ? number(value) : value === true ? "yes" : label(value),
    ]);
  const absent = all.filter(([, value]) => !value).map(([key]) => name(key));
  return [
    h(
      "ul",
      { class: "chips" },
      ...held.map(([key, value]) => h("li", {}, key, value !== "yes" && h("b", {}, ` ${value}`))),
    ),
    absent.length > 0 && h("p", { class: "quiet" }, `not: ${absent.join(" · ")}`),
  ].filter(Boolean);
}

function expected({ expected: kept, signals, marker, reason }) {
  if (kept === null) return [h("p", {}, undecided(signals, reason))];
  return [...costs(kept), facts(expectations(kept, marker))];
}

function undecided(signals, reason) {
  if (reason === STOPPED) return "Nothing was decided: the request was not passed on.";
  if (!Object.keys(signals).length) return "Nothing was decided: the request was passed on as it came.";
  return "No decision is in the ledger: the turn is older than the version of rlmc that keeps it.";
}

function costs({ costs: ways, parts: made, chances, with_prices: priced }) {
  if (picodollars(ways.direct) === null) {
    return [
      h("p", {}, `No costs: ${priced ? "the price of a model is not known" : "the price table was not loaded yet"}.`),
    ];
  }
  if (picodollars(ways.skipped) === null) {
    const why = "there is no draft model, or its price is not known";
    return [h("p", {}, `No draft could be reckoned with: ${why}. Direct: ${sum(ways.direct)}.`)];
  }
  const rows = [
    ["cost", ...WAYS.map((way) => sum(ways[way]))],
    ["draft: asking for it", "–", sum(made.draft), sum(made.draft)],
    ["credit: what this spares it later", "–", sum(made.credit), sum(made.credit)],
    ["debt: what the verify model pays later", "–", sum(made.debt), "–"],
    ["chance that the draft is for nothing", "–", chance(chances.waste), "–"],
    ["chance that it is accepted", "–", "–", chance(chances.accept)],
  ];
  const shown = table(
    "Expected costs of the three ways",
    [
      { title: "expected", head: true, put: (cell, row) => say(cell, row[0]) },
      ...WAYS.map((way, at) => ({ title: way, number: true, put: (cell, row) => say(cell, row[at + 1]) })),
    ],
    (row) => row[0],
  );
  shown.update(rows);
  return [scrolling("Expected costs", shown.node)];
}

function expectations(kept, marker) {
  const rows = [];
  const brief = picodollars(kept.parts.brief);
  if (brief && kept.chances.accept_brief !== null) {
    rows.push(["check", `on a compact context ${money(brief)}, accepted with ${percent(kept.chances.accept_brief)}`]);
  }
  if (kept.output_tokens !== null)
    rows.push(["answer", `usually ${count(Math.round(kept.output_tokens), "token")} of the verify model`]);
  for (const side of ["verify", "draft"]) {
    if (kept.caches[side]) rows.push([`${side} cache`, cache(kept.caches[side])]);
  }
  if (marker?.added)
    rows.push([
      "marker",
      `a cache marker of ${LIFETIMES[marker.lifetime] ?? label(marker.lifetime)} was added at block ${marker.block}`,
    ]);
  return rows;
}

function cache({ warm, prompt, left_s: left }) {
  if (!warm) return `none of ${count(prompt, "prompt token")} warm`;
  const rest = left === null ? "" : `, ${number(Math.round(left))} s left`;
  return `${number(warm)} of ${count(prompt, "prompt token")} warm${rest}`;
}

function draft(turn) {
  const rows = [];
  const kept = turn.draft;
  if (kept) {
    const riskiest = kept.tool ? ` (the riskiest: ${label(kept.tool)})` : "";
    const made = kept.calls ? `${count(kept.calls, "call")}${riskiest}` : "no calls";
    rows.push(["is", `${made}, ${count(kept.chars, "character")}, ${count(kept.output, "token")}`]);
    rows.push(["effect", kept.effect ? label(kept.effect) : "none: it is text"]);
    rows.push(["gate", kept.findings.map(label).join(", ") || "nothing to object"]);
  } else if (!turn.calls.some((call) => call.role === "draft")) {
    rows.push(["is", "none was asked for"]);
  } else if (turn.outcome === "skipped" && turn.decided) {
    rows.push(["is", "streamed to the client while it was written"]);
  } else {
    rows.push(["is", "nothing is known of it"]);
  }
  turn.findings.forEach((finding, at) => rows.push([at ? "" : "objection", label(finding)]));
  if (turn.brief_accepts !== null)
    rows.push(["check", `on a compact context: ${turn.brief_accepts ? "accepted" : "not accepted"}`]);
  if (turn.verdict !== null) rows.push(["verdict", VERDICTS[turn.verdict]]);
  return rows;
}

function account(turn) {
  const how = turn.baseline.estimated_turns ? "estimated" : "measured";
  const rows = [
    ["paid", amount(turn.paid)],
    ["baseline", turn.baseline.complete ? `${baseline(turn.baseline)} (${how})` : "unknown"],
    ["saving", savingText(turn.saved)],
  ];
  const drafted = turn.calls.some((call) => call.role === "draft");
  return drafted && turn.draft_only.complete ? [...rows, ["draft only", amount(turn.draft_only)]] : rows;
}

function calls(all) {
  const used = TOKENS.filter(([, key]) => all.some((call) => call.tokens?.[key]));
  const tokens = (call, key) =>
    call.tokens ? `${call.tokens_estimated ? "~" : ""}${number(call.tokens[key])}` : "unknown";
  const shown = table(
    "The model calls of this turn",
    [
      {
        title: "role",
        head: true,
        put: (cell, { call }) => say(cell, call.brief ? `${call.role} (brief)` : call.role),
      },
      { title: "model", put: (cell, { call }) => say(cell, label(call.model)) },
      ...used.map(([title, key]) => ({ title, number: true, put: (cell, { call }) => say(cell, tokens(call, key)) })),
      { title: "cost", number: true, put: (cell, { call }) => say(cell, sum(call.cost)) },
      { title: "time", number: true, put: (cell, { call }) => say(cell, seconds(call.latency_ms)) },
      { title: "end", put: (cell, { call }) => say(cell, label(call.error || call.stop_reason || call.status || "")) },
      { title: "served", put: (cell, { call }) => say(cell, call.served ? "yes" : "no") },
    ],
    ({ at }) => at,
    { cards: true },
  );
  shown.update(all.map((call, at) => ({ call, at })));
  return scrolling("The calls", shown.node);
}

const facts = (rows, more = "") =>
  h(
    "dl",
    { class: `facts about ${more}`.trim() },
    ...rows.map(([name, text]) => h("div", {}, h("dt", {}, name), h("dd", {}, text))),
  );
const sum = (cost) => (picodollars(cost) === null ? "unknown" : money(picodollars(cost)));
const chance = (value) => (value === null ? "unknown" : percent(value));
