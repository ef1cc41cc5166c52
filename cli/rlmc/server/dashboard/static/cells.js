// Cells that the tables of sessions, turns and calls share.

import { h, say, sayFigure } from "./dom.js";
import { label, picodollars, shortAmount, shortSaving } from "./figures.js";
import { timeNode } from "./moments.js";
import { OUTCOMES } from "./words.js";

export const putText = (cell, text) => say(cell, text === null || text === "" ? "–" : label(text));
export const putAmount = (cell, sum) => sayFigure(cell, shortAmount(sum));

export function putSaving(cell, saved) {
  sayFigure(cell, shortSaving(saved));
  cell.classList.toggle("lost", (picodollars(saved) ?? 0n) < 0n);
}

export function putLink(cell, href, iso, text) {
  if (cell.firstElementChild?.textContent === text && cell.firstElementChild.getAttribute("href") === href) return;
  cell.replaceChildren(h("a", { href }, iso ? timeNode(iso, text) : text));
}

export function putOutcome(cell, outcome) {
  if (cell.dataset.outcome === outcome) return;
  cell.dataset.outcome = outcome;
  const swatch = OUTCOMES.includes(outcome) && h("span", { class: `swatch ${outcome}`, "aria-hidden": "true" });
  cell.replaceChildren(...[swatch, label(outcome)].filter(Boolean));
}
