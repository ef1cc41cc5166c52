// Tables that stay tables for a screen reader when a narrow window shows their rows as cards.
// A column: {title, put(cell, item), number, head (names the row), wide (a whole line of a card)}.

import { h, keyed } from "./dom.js";

export function table(caption, columns, keyOf, { cards = false } = {}) {
  const head = columns.map((column) =>
    h("th", { role: "columnheader", scope: "col", class: column.number ? "number" : null }, column.title),
  );
  const body = h("tbody", { role: "rowgroup" });
  const node = h(
    "table",
    { role: "table", class: cards ? "cards" : null },
    h("caption", { class: "unseen" }, caption),
    h("thead", { role: "rowgroup" }, h("tr", { role: "row" }, ...head)),
    body,
  );
  const makeRow = () =>
    h(
      "tr",
      { role: "row" },
      ...columns.map((column) =>
        h(column.head ? "th" : "td", {
          role: column.head ? "rowheader" : "cell",
          scope: column.head ? "row" : null,
          class: [column.number && "number", column.wide && "wide"].filter(Boolean).join(" ") || null,
          "data-title": column.title,
        }),
      ),
    );
  const fillRow = (row, item) => columns.forEach((column, at) => column.put(row.children[at], item));
  return { node, update: (items) => keyed(body, items, keyOf, makeRow, fillRow) };
}

// A wide table scrolls in a box of its own, which the keyboard reaches.
export const scrolling = (label, node) =>
  h("div", { class: "scroll", role: "region", tabindex: "0", "aria-label": label }, node);
