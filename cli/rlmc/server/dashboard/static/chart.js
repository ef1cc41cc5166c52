// Saved over time: what the verify model alone would have cost beside what was paid, both summed up from the left.
// The gap between the lines is the saving.

import { h, panel, say, sayFigure, show } from "./dom.js";
import { money, number, picodollars, shortAmount, shortSaving } from "./figures.js";
import { clock, day } from "./moments.js";
import { table } from "./table.js";

const HEIGHT = 260;
const HOUR_S = 3_600;
const DAY_S = 24 * HOUR_S;
const PICO = 1e12; // only for the drawing: a pixel needs no exact sum

export function chart() {
  const canvas = h("div", { class: "canvas", id: "chart", role: "img" });
  const readout = h("p", { class: "readout", "aria-hidden": "true" });
  const caveat = h("p", { class: "quiet" }, "Some amounts are unknown; the lines show what is known.");
  const figures = pointTable();
  const node = panel(
    "Saved over time",
    { class: "wide" },
    h(
      "div",
      { class: "legend", "aria-hidden": "true" },
      h("span", { class: "key baseline" }, "baseline"),
      h("span", { class: "key paid" }, "paid"),
      h("span", { class: "key gap" }, "saved"),
      readout,
    ),
    canvas,
    caveat,
    h(
      "details",
      {},
      h("summary", {}, "The same as a table"),
      h(
        "div",
        { class: "scroll tall", role: "region", tabindex: "0", "aria-label": "Saved over time, as a table" },
        figures.node,
      ),
    ),
  );
  let plot = null;
  let sums = null;
  let drawn = "";

  const tell = (at) => {
    const index = at ?? sums.at.length - 1;
    const [whole, paid] = [sums.baseline[index], sums.paid[index]];
    const gap = whole < paid ? `lost ${money(paid - whole)}` : `saved ${money(whole - paid)}`;
    say(readout, `${sums.title(index)}: baseline ${money(whole)}, paid ${money(paid)}, ${gap}`);
  };
  const draw = () => {
    const data = [sums.at, sums.baseline.map(dollars), sums.paid.map(dollars)];
    if (plot === null) {
      plot = new uPlot(
        options(canvas, () => sums, tell),
        data,
        canvas,
      );
    } else {
      plot.setData(data);
    }
  };
  const redo = () => {
    plot?.destroy();
    plot = null;
    if (sums !== null) draw();
  };
  new ResizeObserver(() => {
    if (plot !== null && canvas.clientWidth && canvas.clientWidth !== plot.width)
      plot.setSize({ width: canvas.clientWidth, height: HEIGHT });
  }).observe(canvas);

  return {
    node,
    redo,
    update({ series, now, account }) {
      const key = JSON.stringify([series, Math.floor(Date.parse(now) / 60_000)]);
      if (key === drawn) return;
      drawn = key;
      sums = summed(series, Date.parse(now) / 1000);
      draw();
      tell(plot.cursor.idx);
      show(caveat, !account.paid.complete || !account.baseline.complete);
      canvas.setAttribute("aria-label", described(sums));
      figures.update(series.points.filter((point) => point.turns).reverse());
    },
  };
}

// Each point is an hour or a day; its sums are reached at its end. What lies before the first turn is left out.
function summed({ by, points: all }, now) {
  const points = all.slice(
    Math.max(
      0,
      all.findIndex((point) => point.turns),
    ),
  );
  const length = by === "hour" ? HOUR_S : DAY_S;
  const found = { by, at: [], baseline: [], paid: [], title: null };
  let [baseline, paid] = [0n, 0n];
  const push = (at) => {
    found.at.push(at);
    found.baseline.push(baseline);
    found.paid.push(paid);
  };
  if (points.length) push(points[0].at);
  points.forEach((point, index) => {
    baseline += picodollars(point.baseline);
    paid += picodollars(point.paid);
    const end = points[index + 1]?.at ?? Math.min(point.at + length, Math.max(now, point.at + 60));
    push(end);
  });
  found.title = (index) =>
    by === "hour"
      ? `until ${clock(new Date(found.at[index] * 1000))}`
      : `end of ${day(new Date((found.at[index] - 1) * 1000))}`;
  return found;
}

const dollars = (amount) => Number(amount) / PICO;

function described({ by, baseline, paid }) {
  const last = baseline.length - 1;
  if (last < 0) return "Nothing to draw yet";
  const end = `baseline ${money(baseline[last])}, paid ${money(paid[last])} at the end`;
  return `Summed up by the ${by}: ${end}. The table below has the figures.`;
}

function options(canvas, sums, tell) {
  const style = getComputedStyle(document.documentElement);
  const colour = (name) => style.getPropertyValue(name).trim();
  const font = "12px system-ui, sans-serif";
  const axis = {
    stroke: colour("--quiet"),
    font,
    grid: { stroke: colour("--line"), width: 1 },
    ticks: { show: false },
  };
  return {
    width: canvas.clientWidth || 600,
    height: HEIGHT,
    padding: [12, 12, 0, 0],
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false }, points: { size: 7 } },
    scales: { x: { time: true }, y: { range: (_plot, _least, most) => [0, most > 0 ? most * 1.08 : 1] } },
    axes: [
      {
        ...axis,
        grid: { show: false },
        size: 30,
        space: 64,
        values: (_plot, marks) => marks.map((at) => timeMark(at, sums())),
      },
      {
        ...axis,
        size: 62,
        space: 44,
        values: (_plot, marks) => marks.map((value) => money(BigInt(Math.round(value * PICO)))),
      },
    ],
    series: [
      {},
      { label: "baseline", stroke: colour("--baseline"), width: 2, dash: [6, 4], points: { show: false } },
      { label: "paid", stroke: colour("--paid"), width: 2.5, points: { show: false } },
    ],
    hooks: {
      setCursor: [(plot) => tell(plot.cursor.idx)],
      drawAxes: [(plot) => fillGap(plot, colour("--gain-wash"), colour("--loss-wash"))],
    },
  };
}

// Between the lines: one colour where the baseline is the upper one, another where it is the lower.
function fillGap(plot, gain, loss) {
  const [at, whole, paid] = plot.data;
  const context = plot.ctx;
  const point = (moment, value) => [plot.valToPos(moment, "x", true), plot.valToPos(value, "y", true)];
  const close = (upper, lower, colour) => {
    context.fillStyle = colour;
    context.beginPath();
    for (const [x, y] of [...upper, ...lower.reverse()]) context.lineTo(x, y);
    context.fill();
  };
  context.save();
  let [upper, lower, saving] = [[], [], null];
  at.forEach((moment, index) => {
    const gap = whole[index] - paid[index];
    if (saving !== null && gap !== 0 && gap > 0 !== saving && upper.length) {
      const before = whole[index - 1] - paid[index - 1];
      const part = before / (before - gap);
      const crossing = point(
        at[index - 1] + part * (moment - at[index - 1]),
        whole[index - 1] + part * (whole[index] - whole[index - 1]),
      );
      close([...upper, crossing], lower, saving ? gain : loss);
      [upper, lower] = [[crossing], []];
    }
    if (gap !== 0) saving = gap > 0;
    upper.push(point(moment, whole[index]));
    lower.push(point(moment, paid[index]));
  });
  if (saving !== null) close(upper, lower, saving ? gain : loss);
  context.restore();
}

function timeMark(at, { by, at: moments }) {
  const date = new Date(at * 1000);
  if (by === "hour") return clock(date);
  const midnight = date.getHours() === 0 && date.getMinutes() === 0;
  return midnight ? day(date) : moments.length <= 3 ? clock(date) : "";
}

function pointTable() {
  const when = ({ key, at }) => (key.includes("T") ? `${day(new Date(at * 1000))} ${key.slice(11)}:00` : key);
  return table(
    "Turns, paid, baseline and saved by the hour or the day, newest first",
    [
      { title: "time", head: true, put: (cell, point) => say(cell, when(point)) },
      { title: "turns", number: true, put: (cell, point) => say(cell, number(point.turns)) },
      { title: "baseline", number: true, put: (cell, point) => sayFigure(cell, shortAmount(point.baseline)) },
      { title: "paid", number: true, put: (cell, point) => sayFigure(cell, shortAmount(point.paid)) },
      { title: "saved", number: true, put: (cell, point) => sayFigure(cell, shortSaving(point.saved)) },
    ],
    (point) => point.key,
  );
}
