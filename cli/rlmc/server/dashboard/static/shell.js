// The top of the page: is it live, which daemon is this, what is wrong with it.

import { h, keyed, prose, say } from "./dom.js";
import { label } from "./figures.js";
import { moment } from "./moments.js";

const CONNECTION = {
  connecting: "connecting",
  live: "live",
  reconnecting: "reconnecting",
  stopped: "daemon stopped: run `rlmc start`, then `rlmc dashboard`",
  expired: "this link is no longer valid: run `rlmc dashboard`",
};

export function shell() {
  const connection = document.getElementById("connection");
  const connectionText = document.getElementById("connection-text");
  const daemon = document.getElementById("daemon");
  const notices = document.getElementById("notices");
  return {
    connected(state) {
      connection.dataset.state = state;
      connectionText.replaceChildren(...prose(CONNECTION[state]));
    },
    update(overview) {
      keyed(
        daemon,
        about(overview),
        ([name]) => name,
        makeFact,
        (node, [, text]) => say(node.lastElementChild, text),
      );
      keyed(
        notices,
        troubles(overview.daemon),
        ([name]) => name,
        () => h("p", { class: "notice trouble" }),
        (node, [name, text]) => say(node, `${name}: ${label(text)}`),
      );
    },
  };
}

function about({ daemon, live_sessions: sessions, now }) {
  const started = new Date(Date.parse(now) - daemon.uptime_s * 1000);
  const alive = sessions.filter((session) => session.alive).length;
  return [
    ["draft", daemon.draft_model ?? "none set"],
    ["verify", daemon.verify_model ?? "what the client asks for"],
    ["policy", daemon.policy],
    ["running now", alive === 1 ? "1 session" : `${alive} sessions`],
    ["daemon", `${daemon.version}, port ${daemon.port}, since ${moment(toMinute(started))}`],
    ["who sees the code", daemon.who_sees.join("; ") || "nobody yet"],
  ].map(([name, text]) => [name, label(text)]);
}

// The start is reckoned from the uptime; half a minute up, so that it does not waver between two minutes.
function toMinute(date) {
  return new Date(Math.round(date.getTime() / 60_000) * 60_000).toISOString();
}

function troubles(daemon) {
  return [
    ["Configuration", daemon.config_error],
    ["Ledger", daemon.ledger_error],
    ["Last error", daemon.last_error],
  ].filter(([, text]) => text);
}

function makeFact([name]) {
  return h("div", {}, h("dt", {}, name), h("dd", {}));
}
