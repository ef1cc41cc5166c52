// What a screen reader is told of a page that changes by itself: one sentence, at most every ten seconds.

const PAUSE_MS = 10_000;

export function announcer(node) {
  let spoken = null;
  let last = -Infinity;
  let waiting = null;
  let timer;
  const speak = () => {
    timer = undefined;
    if (waiting === null || waiting === spoken) return;
    spoken = waiting;
    last = performance.now();
    node.textContent = spoken;
  };
  return (text) => {
    waiting = text;
    timer ??= setTimeout(speak, Math.max(0, last + PAUSE_MS - performance.now()));
  };
}
