// The period switch: a radio group, so that the arrow keys work as everybody expects.

import { h } from "./dom.js";
import { PERIODS } from "./routes.js";
import { PERIOD_WORDS } from "./words.js";

export function periods(changed) {
  const inputs = PERIODS.map((name) =>
    h("input", { type: "radio", name: "period", value: name, id: `period-${name}`, onchange: () => changed(name) }),
  );
  const node = h(
    "fieldset",
    { class: "periods" },
    h("legend", { class: "unseen" }, "Period"),
    ...PERIODS.flatMap((name, at) => [
      inputs[at],
      h("label", { for: `period-${name}` }, name === "all" ? "all" : PERIOD_WORDS[name]),
    ]),
  );
  return {
    node,
    update(period) {
      for (const input of inputs) input.checked = input.value === period;
    },
  };
}
