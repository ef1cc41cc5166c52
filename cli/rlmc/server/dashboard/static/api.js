// What the daemon is asked for. Addresses are relative: the page lives under a path of its own.

export class Refused extends Error {
  constructor(status) {
    super(`the daemon answered ${status}`);
    this.status = status;
  }
}

export async function ask(what, query) {
  const answer = await fetch(`api/${what}?${new URLSearchParams(query)}`, { headers: { accept: "application/json" } });
  if (!answer.ok) throw new Refused(answer.status);
  return (await answer.json()).data;
}
