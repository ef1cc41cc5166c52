// A question that is asked again whenever something has changed: one at a time, not more than once a second, and once
// more for what changed meanwhile.

const PAUSE_MS = 1_000;

export function repeated(question) {
  let wanted = false;
  let running = null;
  let hurry = () => {};
  const pause = () =>
    new Promise((done) => {
      hurry = done;
      setTimeout(done, PAUSE_MS);
    });
  async function run() {
    try {
      while (wanted) {
        wanted = false;
        await question();
        if (wanted) await pause();
      }
    } finally {
      running = null;
    }
  }
  return (atOnce = false) => {
    wanted = true;
    if (atOnce) hurry();
    running ??= run();
    return running;
  };
}
