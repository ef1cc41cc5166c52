// Figures as people read them, in the same characters as rlmc.views.figures: the terminal and this page say the same.
// Rule: money is counted in whole picodollars (BigInt), never in floating point. Unknown is null and never 0.

const PLACES = 12;
const UNIT = 10n ** BigInt(PLACES);

// From the decimal dollars of the daemon's answers, which are exact; `null` stays null.
export function picodollars(money) {
  if (money === null || money === undefined || money.dollars === null) return null;
  const [, sign, whole, part = ""] = /^(-?)(\d+)(?:\.(\d+))?$/.exec(money.dollars);
  const value = BigInt(whole) * UNIT + BigInt(part.padEnd(PLACES, "0").slice(0, PLACES));
  return sign ? -value : value;
}

// Whole cents from ten cents up, two significant digits below.
export function money(amount) {
  const value = amount < 0n ? -amount : amount;
  const sign = amount < 0n ? "-" : "";
  if (value === 0n) return "$0.00";
  if (value < 10n ** 6n) return `${sign}<$0.000001`;
  if (value >= UNIT / 10n) return `${sign}$${decimal(value, 2)}`;
  let text = decimal(value, PLACES + 2 - String(value).length);
  while (text.endsWith("0") && text.split(".")[1].length > 2) text = text.slice(0, -1);
  return `${sign}$${text}`;
}

// A sum of which parts may be unknown.
export function amount(sum) {
  const known = picodollars(sum);
  if (sum.complete) return money(known);
  return known ? `at least ${money(known)}` : "unknown";
}

// The same for a table's cell, in parts: see `sayFigure`.
export function shortAmount(sum) {
  const known = picodollars(sum);
  if (sum.complete) return { text: money(known) };
  return known ? { mark: "≥", words: "at least", text: money(known) } : { text: "unknown" };
}

export function shortSaving(saved) {
  const value = picodollars(saved);
  if (value === null) return { text: "unknown" };
  const mark = { "at most": "≤", "at least": "≥" }[saved.bound];
  return mark ? { mark, words: saved.bound, text: money(value) } : { text: money(value) };
}

// ` ± 0.05`, with as many decimals as the amount before it; nothing where that rounds to nothing.
export function spread(middle, halfWidth) {
  const places = (money(middle).split(".")[1] ?? "").length;
  const text = decimal(halfWidth, places);
  return /[1-9]/.test(text) ? ` ± ${text}` : "";
}

export function baseline(whole) {
  if (!whole.complete || !whole.estimated_turns) return amount(whole);
  const known = picodollars(whole);
  return money(known) + spread(known, picodollars(whole.half_width));
}

// `saved $0.59 (49 %)` in its three parts; a loss is called one.
export function saving(saved) {
  const value = picodollars(saved);
  if (value === null) return { verb: "saving", amount: "unknown", share: "", lost: false };
  const lost = value < 0n;
  let bound = saved.bound;
  if (lost && bound !== "exact") bound = bound === "at most" ? "at least" : "at most";
  return {
    verb: [lost ? "lost" : "saved", ...(bound === "exact" ? [] : [bound])].join(" "),
    amount: money(lost ? -value : value),
    share: saved.share === null ? "" : `(${percent(Math.abs(saved.share))})`,
    lost,
  };
}

export function savingText(saved) {
  const { verb, amount: text, share } = saving(saved);
  return [verb, text, share].filter(Boolean).join(" ");
}

// Whole per cent, one decimal where that would say 0 or 100 without being it.
export function percent(share) {
  const whole = fixed(share * 100, 0);
  const hides = ((whole === "0" || whole === "-0") && share !== 0) || (whole === "100" && share !== 1);
  return `${hides ? fixed(share * 100, 1) : whole} %`;
}

export function seconds(milliseconds) {
  return milliseconds < 100 ? `${fixed(milliseconds, 0)} ms` : `${fixed(milliseconds / 1000, 1)} s`;
}

export const number = (value) => grouped(String(value));

export function count(value, noun, plural = `${noun}s`) {
  return `${number(value)} ${value === 1 ? noun : plural}`;
}

// A name from outside, without what would reorder or hide text.
export const label = (text) => String(text).replace(/[\p{C}\p{Zl}\p{Zp}]/gu, "?") || "-";

// `value` picodollars as dollars with so many decimals, halves to even.
function decimal(value, places) {
  const unit = 10n ** BigInt(PLACES - places);
  let units = value / unit;
  const rest = (value % unit) * 2n;
  if (rest > unit || (rest === unit && units % 2n === 1n)) units += 1n;
  const text = String(units).padStart(places + 1, "0");
  const whole = grouped(text.slice(0, text.length - places));
  return places ? `${whole}.${text.slice(-places)}` : whole;
}

// toFixed takes a half up, Python takes it to even.
function fixed(value, places) {
  const scaled = value * 10 ** places;
  const exactHalf = places === 0 ? Math.abs(value % 1) === 0.5 : Math.abs((value * 4) % 2) === 1;
  if (!exactHalf) return value.toFixed(places);
  const below = Math.floor(scaled);
  return ((below % 2 === 0 ? below : below + 1) / 10 ** places).toFixed(places);
}

const grouped = (digits) => digits.replace(/\B(?=(\d{3})+$)/g, ",");
