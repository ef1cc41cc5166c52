// Moments as people read them, in the browser's own timezone; 24 hours, no seconds.

const two = (value) => String(value).padStart(2, "0");
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

export const clock = (date) => `${two(date.getHours())}:${two(date.getMinutes())}`;
export const exactClock = (date) => `${clock(date)}:${two(date.getSeconds())}`;
export const day = (date) => `${date.getDate()} ${MONTHS[date.getMonth()]}`;

// `14:30` for today, `23 Nov 14:30` before.
export function moment(iso, now = new Date()) {
  const date = new Date(iso);
  return date.toDateString() === now.toDateString() ? clock(date) : `${day(date)} ${clock(date)}`;
}

export function timeNode(iso, text) {
  const node = document.createElement("time");
  node.dateTime = iso;
  node.textContent = text;
  return node;
}
