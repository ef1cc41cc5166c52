// Where in the page one is, as it stands behind the # of the address.

export const PERIODS = ["today", "yesterday", "week", "month", "all"];

export function read(hash) {
  const [, view, text = ""] = /^#\/([a-z]+)\/([^/]+)$/.exec(hash) ?? [];
  const id = decode(text);
  if (view === "session" && id) return { view, id };
  if (view === "turn" && id) return { view, id };
  if (view === "period" && PERIODS.includes(id)) return { view: "overview", period: id };
  return { view: "overview", period: "today" };
}

export const overview = (period) => (period === "today" ? "#/" : `#/period/${period}`);
export const session = (id) => `#/session/${encodeURIComponent(id)}`;
export const turn = (id) => `#/turn/${encodeURIComponent(id)}`;

function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return "";
  }
}
