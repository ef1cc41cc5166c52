// Building the page. Rule: whatever comes from outside goes in as a text node; nothing here parses HTML.

export function h(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  node.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

// Only what has changed is touched: a figure that stays does not flicker, and a selection in it survives.
export function say(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

export function show(node, visible) {
  if (node.hidden === visible) node.hidden = !visible;
}

// One node an item, in the items' order; a node stays with its key.
export function keyed(parent, items, keyOf, make, update) {
  const old = new Map([...parent.children].map((node) => [node.dataset.key, node]));
  let place = parent.firstElementChild;
  for (const item of items) {
    const key = String(keyOf(item));
    let node = old.get(key);
    if (node === undefined) {
      node = make(item);
      node.dataset.key = key;
    }
    old.delete(key);
    if (node === place) place = place.nextElementSibling;
    else parent.insertBefore(node, place);
    update(node, item);
  }
  for (const node of old.values()) node.remove();
}

export const unseen = (text) => h("span", { class: "unseen" }, text);

// A bound: a sign for the eye, words for a screen reader. `{mark: "≥", words: "at least", text: "$1.20"}`
export function sayFigure(node, { mark = "", words = "", text }) {
  const key = `${mark}|${text}`;
  if (node.dataset.figure === key) return;
  node.dataset.figure = key;
  node.replaceChildren(...(mark ? [h("span", { "aria-hidden": "true" }, `${mark} `), unseen(`${words} `)] : []), text);
}

// A bar's length, through the object model: the content policy allows no style attributes.
export function stretch(node, share) {
  node.style.setProperty("--share", String(Math.max(0, Math.min(1, share || 0))));
}

// Text with `commands` in it.
export function prose(text) {
  return text.split(/`([^`]+)`/).map((part, at) => (at % 2 ? h("code", {}, part) : part));
}

let panels = 0;

export function panel(title, attributes, ...children) {
  const id = `panel-${++panels}`;
  const { class: name = "", ...rest } = attributes;
  return h(
    "section",
    { class: `panel ${name}`.trim(), "aria-labelledby": id, ...rest },
    h("h2", { id }, title),
    ...children,
  );
}
