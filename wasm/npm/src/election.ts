// Which of the tabs of an origin runs their peer.
//
// The one that holds the lock. Locks (https://w3c.github.io/web-locks) end with their tab, however it ends:
// then the next tab holds it. But a tab that stands still, frozen by the browser
// (https://wicg.github.io/page-lifecycle) or busy, holds its lock as well, and is silent. So the others ask
// now and then whether it is there, and take the lock from one that does not answer.

import { hasWebRtc, standstill } from "./page.js";

/** How often a tab asks, if it has heard nothing since, and how often in vain before it takes over. */
const ASK_MS = 1000;
const ASKS = 4;
/** Older documents no peer holds (taiinet-mesh, limits::LIVE_WINDOW). */
const LIVE_MS = 300_000;

/** The time in which a tab leads. */
export class Reign {
  /** How long nobody was heard to lead before it. */
  readonly silentMs: number;
  readonly over: Promise<void>;
  #isOver = false;
  #resolve!: () => void;

  constructor(silentMs: number) {
    this.silentMs = silentMs;
    this.over = new Promise((resolve) => (this.#resolve = resolve));
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  end(): void {
    this.#isOver = true;
    this.#resolve();
  }
}

/** A tab that stands for election. */
export interface Candidate {
  /** It leads now, until the reign is over. The lock is free when the promise is kept. */
  lead(reign: Reign): Promise<void>;
  /** Another tab is to lead, or leads already. */
  abdicate(): void;
  /** Asks who leads; what is heard of it goes to {@link Election.heard}. */
  ask(): void;
  /** Nobody leads, and this tab cannot. */
  leaderless(): void;
  /** Whether another tab would lead if this one did not. */
  hasOthers(): boolean;
}

export class Election {
  readonly #name: string;
  readonly #candidate: Candidate;
  readonly #timer: ReturnType<typeof setInterval>;
  readonly #stopWatching: () => void;
  #reign: Reign | undefined;
  /** Gives up the place in the lock's queue. */
  #queued = new AbortController();
  #lastHeard: number | undefined;
  #unanswered = 0;
  #ended = false;

  constructor(name: string, candidate: Candidate) {
    this.#name = name;
    this.#candidate = candidate;
    this.#timer = setInterval(() => this.#tick(), ASK_MS);
    this.#stopWatching = standstill(() => this.#freeze(), () => this.#thaw());
    this.#queue();
  }

  /** Whether this tab leads, or is about to. */
  get leads(): boolean {
    return this.#reign !== undefined;
  }

  /** Another tab says that it leads. */
  heard(): void {
    this.#lastHeard = Date.now();
    this.#unanswered = 0;
  }

  /** Leaves it to another tab that leads already. */
  stepDown(): void {
    this.#depose(this.#reign);
  }

  /** Never again. */
  end(): void {
    this.#ended = true;
    clearInterval(this.#timer);
    this.#stopWatching();
    this.#queued.abort();
    this.#reign?.end();
    this.#reign = undefined;
  }

  #queue(): void {
    // Without WebRTC, as in workers, the peer would have no links, and so none of all tabs.
    if (this.#ended || !hasWebRtc()) return;
    this.#queued.abort();
    this.#queued = new AbortController();
    void this.#hold({ signal: this.#queued.signal });
  }

  /** Resolves when the lock is held, or will not be. */
  #hold(options: LockOptions): Promise<void> {
    return new Promise((resolve) => {
      let reign: Reign | undefined;
      const lead = async () => {
        resolve();
        if (this.#ended) return;
        reign = this.#reign = new Reign(this.#lastHeard === undefined ? 0 : Math.min(Math.max(0, Date.now() - this.#lastHeard), LIVE_MS));
        await this.#candidate.lead(reign);
      };
      // It is rejected when the lock is taken away, and when it is no longer waited for.
      navigator.locks.request(this.#name, options, lead).then(
        () => this.#depose(reign),
        () => (resolve(), this.#depose(reign)),
      );
    });
  }

  #depose(reign: Reign | undefined): void {
    if (!reign || reign !== this.#reign) return;
    this.#endReign(reign);
    this.#queue();
  }

  #endReign(reign: Reign): void {
    this.#reign = undefined;
    this.heard();
    reign.end();
    this.#candidate.abdicate();
  }

  #tick(): void {
    if (this.#reign) return;
    if (this.#unanswered >= ASKS) {
      this.#unanswered = 0;
      if (hasWebRtc()) void this.#takeOver();
      else this.#candidate.leaderless();
    }
    if (this.#unanswered > 0) this.#candidate.ask();
    this.#unanswered += 1;
  }

  /** Takes the lock away: one tab at a time, or they would take it from each other. */
  async #takeOver(): Promise<void> {
    await navigator.locks.request(`${this.#name} takes over`, { ifAvailable: true }, async (lock) => {
      if (!lock || this.#ended) return;
      this.#queued.abort();
      await this.#hold({ steal: true });
    });
  }

  #freeze(): void {
    this.#queued.abort();
    if (this.#reign && this.#candidate.hasOthers()) this.#endReign(this.#reign);
  }

  #thaw(): void {
    this.#unanswered = 0;
    if (!this.#reign) this.#queue();
    this.#candidate.ask();
  }
}
