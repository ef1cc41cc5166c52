// The live feed, and what is to be said of the connection.
// States: connecting, live, reconnecting, stopped (no daemon answers), expired (a daemon answers, the link is no more).

import { ask, Refused } from "./api.js";

const PATIENCE_MS = 8_000;

export class Feed {
  constructor(onOverview, onState) {
    this.onOverview = onOverview;
    this.onState = onState;
    this.source = null;
    this.state = "connecting";
  }

  follow(period) {
    this.close();
    const source = new EventSource(`api/events?${new URLSearchParams({ period })}`);
    this.source = source;
    source.addEventListener("overview", (event) => {
      this.alive();
      this.onOverview(JSON.parse(event.data).data);
    });
    source.addEventListener("open", () => this.alive());
    source.addEventListener("end", () => {
      this.close();
      this.tell("stopped");
    });
    source.addEventListener("error", () => {
      if (source !== this.source) return;
      this.tell("reconnecting");
      this.patience ??= setTimeout(
        () => this.probe(period),
        source.readyState === EventSource.CLOSED ? 0 : PATIENCE_MS,
      );
    });
  }

  close() {
    this.source?.close();
    this.source = null;
    clearTimeout(this.patience);
    this.patience = undefined;
  }

  alive() {
    clearTimeout(this.patience);
    this.patience = undefined;
    this.tell("live");
  }

  // The browser does not say why a feed broke, so the daemon is asked.
  async probe(period) {
    this.patience = undefined;
    const source = this.source;
    try {
      await ask("overview", { period });
    } catch (error) {
      if (source !== this.source) return;
      this.tell(error instanceof Refused && error.status < 500 ? "expired" : "stopped");
      if (source.readyState !== EventSource.CLOSED) return; // it goes on trying by itself
      if (!(error instanceof Refused)) this.retry(period);
      return;
    }
    if (source === this.source && source.readyState === EventSource.CLOSED) this.retry(period);
  }

  retry(period) {
    this.patience = setTimeout(() => this.follow(period), PATIENCE_MS);
  }

  tell(state) {
    if (state === this.state) return;
    this.state = state;
    this.onState(state);
  }
}
