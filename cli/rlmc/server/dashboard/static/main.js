// The page's own course: which view is shown, what the feed brings, where the focus goes.

import { announcer } from "./announcer.js";
import { Refused } from "./api.js";
import { h, say } from "./dom.js";
import { amount, count, savingText } from "./figures.js";
import { Feed } from "./feed.js";
import { overview as overviewView } from "./overview.js";
import * as routes from "./routes.js";
import { sessionView } from "./session_view.js";
import { shell } from "./shell.js";
import { themeSwitch } from "./theme_switch.js";
import { turnView } from "./turn_view.js";

const content = document.getElementById("content");
const top = shell();
const announce = announcer(document.getElementById("announcer"));
const overview = overviewView((chosen) => {
  history.replaceState(null, "", routes.overview(chosen));
  go();
});
const feed = new Feed(receive, (state) => top.connected(state));

let period = null;
let view = null; // the session or turn shown, null for the overview
let left = null; // where the overview was left: how far down, by which link

function receive(data) {
  top.update(data);
  overview.update(data, period);
  view?.changed();
  if (data.account.turns)
    announce(
      `${savingText(data.account.saved)}, paid ${amount(data.account.paid)}, ${count(data.account.turns, "turn")}`,
    );
}

// The first time nothing is focused: who opens a page is at its top.
async function go(first = false) {
  const route = routes.read(location.hash);
  if (route.view === "overview") {
    const same = view === null && content.contains(overview.node);
    view = null;
    follow(route.period);
    if (!same) content.replaceChildren(overview.node);
    entitle(overview);
    if (!same && !first) comeBack();
    return;
  }
  if (period === null) follow("today");
  if (view === null && content.contains(overview.node)) {
    left = { top: scrollY, href: document.activeElement?.getAttribute?.("href") ?? null };
  }
  const back = routes.overview(period);
  const mine = route.view === "session" ? sessionView(route.id, back) : turnView(route.id, back);
  view = mine;
  const problem = await mine.load().then(
    () => null,
    (error) => error,
  );
  if (view !== mine) return;
  content.replaceChildren(problem === null ? mine.node : missing(mine, route, problem, back));
  entitle(mine);
  scrollTo(0, 0);
  if (!first) mine.heading.focus();
}

function follow(chosen) {
  if (chosen === period) return;
  period = chosen;
  overview.choose(chosen);
  feed.follow(chosen);
}

function entitle({ heading }) {
  document.title = `${heading.textContent} · rlmc`;
}

// Back to where one was: to the link one had followed, or else to the heading.
function comeBack() {
  const link =
    left?.href && [...overview.node.querySelectorAll("a")].find((one) => one.getAttribute("href") === left.href);
  scrollTo(0, left?.top ?? 0);
  (link || overview.heading).focus({ preventScroll: true });
  left = null;
}

function missing(mine, { view: kind, id }, problem, back) {
  const gone = problem instanceof Refused && problem.status === 404;
  say(mine.heading, gone ? `There is no ${kind} ${id}` : `The ${kind} could not be read`);
  return h(
    "div",
    { class: "view" },
    h("p", { class: "crumbs" }, h("a", { href: back }, "← all sessions")),
    mine.heading,
  );
}

document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault(); // the part behind # is the page's own
  content.focus();
});
themeSwitch(document.getElementById("theme"), () => overview.redo());
addEventListener("hashchange", () => go());
go(true);
