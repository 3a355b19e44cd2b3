// What the peers of the page did, in numbers.
import { $, element } from "/demo.js";

const KEPT = 400;

export class Figures {
  #deliveries = 0;
  #hops = [];
  #ways = [];
  #times = [];
  #gone = { received: 0, duplicates: 0 };

  add({ hops, way }) {
    this.#deliveries += 1;
    push(this.#hops, hops);
    push(this.#ways, Math.max(0, way));
    this.#times.push(Date.now());
    if (this.#times.length > 20_000) this.#times.splice(0, 10_000);
  }

  /** What a peer that is removed did still counts. */
  keep({ status }) {
    this.#gone.received += status?.counters.received ?? 0;
    this.#gone.duplicates += status?.counters.duplicates ?? 0;
  }

  tell(members) {
    const now = Date.now();
    while (this.#times[0] < now - 2000) this.#times.shift();
    const sum = (name) => members.reduce((all, { status }) => all + (status?.counters[name] ?? 0), this.#gone[name]);
    const all = sum("received") + sum("duplicates");
    $("deliveries").textContent = this.#deliveries.toLocaleString();
    $("rate").textContent = Math.round(this.#times.length / 2);
    $("duplicates").textContent = all ? `${((100 * sum("duplicates")) / all).toFixed(1)} %` : "–";
    const active = members.flatMap(({ status }) => status?.links.filter(({ state }) => state === "active") ?? []);
    $("links").textContent = members.length ? (active.length / members.length).toFixed(1) : "–";
    const mean = this.#hops.reduce((total, hops) => total + hops, 0) / this.#hops.length;
    $("hops").textContent = this.#hops.length ? mean.toFixed(1) : "–";
    const middle = this.#ways.toSorted((one, other) => one - other)[this.#ways.length >> 1];
    const known = middle !== undefined;
    $("latency").replaceChildren(known ? `${middle} ` : "–", element("small", "", known ? "ms" : ""));
  }
}

function push(list, value) {
  list.push(value);
  if (list.length > KEPT) list.shift();
}
