// The mesh drawn on a canvas, frame by frame while there is something to see.
import { calm, colour, hue, sharp, short } from "/demo.js";
import { Layout } from "./force.js";

/** A document's way along one link takes so long in the picture; really it is a few milliseconds. */
const HOP = 450;
const DOTS = 800;
const RADIUS = 17;

export class Picture {
  #canvas;
  #layout = new Layout();
  #links = [];
  #names = new Map();
  #dots = [];
  #glow = new Map(); // of each PeerId: since when it glows for a document that came
  #selected = null;
  #running = false;

  constructor(canvas, onSelect) {
    this.#canvas = canvas;
    canvas.addEventListener("click", (event) => onSelect(this.#at(event.offsetX, event.offsetY)));
    new ResizeObserver(() => this.run()).observe(canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.run());
  }

  /** `links` are `{ one, other, state, eager }`; `names` gives the letter of each peer of the page. */
  show(names, links) {
    this.#names = names;
    this.#links = links;
    const ends = new Set(links.flatMap(({ one, other }) => [one, other]));
    const outside = [...ends].filter((peerId) => !names.has(peerId));
    const anchor = (peerId) => {
      const link = links.find(({ one, other }) => one === peerId || other === peerId);
      return link && (link.one === peerId ? link.other : link.one);
    };
    this.#layout.keep([...names.keys()], outside, anchor, this.#canvas.clientWidth, this.#canvas.clientHeight);
    this.run();
  }

  select(peerId) {
    this.#selected = peerId;
    this.run();
  }

  /** A document went from one to the other, on its hop-th hop since `start`. */
  send(from, to, hop, start, own) {
    if (document.hidden || this.#dots.length >= DOTS) return;
    const begin = Math.max(performance.now(), start + (hop - 1) * HOP);
    this.#dots.push({ from, to, begin, own });
    if (own) this.glow(to, begin + HOP);
    this.run();
  }

  glow(peerId, from) {
    this.#glow.set(peerId, from);
    this.run();
  }

  /** Frames are drawn until nothing moves; a hidden page draws none. */
  run() {
    if (this.#running) return;
    this.#running = true;
    const frame = (now) => {
      const more = this.#draw(now);
      this.#running = more;
      if (more) requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  }

  #at(x, y) {
    for (const [peerId, node] of this.#layout.entries()) {
      if (!node.outside && Math.hypot(node.x - x, node.y - y) < RADIUS + 8) return peerId;
    }
    return null;
  }

  #draw(now) {
    const { context, width, height } = sharp(this.#canvas);
    if (width === 0) return false;
    let moves = false;
    // A user that wants no motion sees only where it ends.
    for (let i = calm.matches ? 300 : 1; i > 0; i--) moves = this.#layout.step(this.#links, width, height);
    if (calm.matches) moves = false;

    const paint = Object.fromEntries(["ink", "soft", "accent", "raised", "line"].map((name) => [name, colour(name)]));
    context.clearRect(0, 0, width, height);
    for (const link of this.#links) this.#drawLink(context, link, paint);
    this.#dots = this.#dots.filter(({ begin }) => now < begin + HOP);
    for (const dot of this.#dots) this.#drawDot(context, dot, now);
    for (const [peerId, node] of this.#layout.entries()) {
      if (node.outside) this.#drawOutside(context, peerId, node, paint);
      else this.#drawPeer(context, peerId, node, paint, now);
    }
    for (const [peerId, start] of this.#glow) if (now > start + 600) this.#glow.delete(peerId);
    return moves || this.#dots.length > 0 || this.#glow.size > 0;
  }

  #drawLink(context, { one, other, state, eager }, paint) {
    const [a, b] = [this.#layout.get(one), this.#layout.get(other)];
    if (!a || !b) return;
    const active = state === "active";
    context.beginPath();
    context.moveTo(a.x, a.y);
    context.lineTo(b.x, b.y);
    context.setLineDash(!active ? [1.5, 6] : eager ? [] : [6, 6]);
    context.lineWidth = active && eager ? 2 : 1.3;
    context.strokeStyle = active && eager ? paint.accent : paint.soft;
    context.globalAlpha = a.outside || b.outside ? 0.45 : active && eager ? 0.8 : 0.55;
    context.stroke();
    context.setLineDash([]);
    context.globalAlpha = 1;
  }

  #drawDot(context, { from, to, begin, own }, now) {
    const [a, b] = [this.#layout.get(from), this.#layout.get(to)];
    const done = (now - begin) / HOP;
    if (!a || !b || done < 0) return;
    const eased = calm.matches ? 0.5 : done * (2 - done);
    context.beginPath();
    context.arc(a.x + (b.x - a.x) * eased, a.y + (b.y - a.y) * eased, own ? 5 : 3, 0, 7);
    context.fillStyle = own ? "#f59e0b" : "#7c8ff0";
    context.globalAlpha = own ? 1 : 0.85;
    context.fill();
    context.globalAlpha = 1;
  }

  #drawPeer(context, peerId, { x, y }, paint, now) {
    const since = now - (this.#glow.get(peerId) ?? -Infinity);
    if (since >= 0 && since < 600) {
      context.beginPath();
      context.arc(x, y, RADIUS + 3 + (calm.matches ? 4 : (since / 600) * 14), 0, 7);
      context.strokeStyle = "#f59e0b";
      context.lineWidth = 3;
      context.globalAlpha = calm.matches ? 1 : 1 - since / 600;
      context.stroke();
      context.globalAlpha = 1;
    }
    context.beginPath();
    context.arc(x, y, RADIUS, 0, 7);
    context.fillStyle = paintOf(peerId);
    context.fill();
    context.lineWidth = peerId === this.#selected ? 4 : 2;
    context.strokeStyle = peerId === this.#selected ? paint.ink : paint.raised;
    context.stroke();
    context.fillStyle = "#fff";
    context.font = "700 14px system-ui, sans-serif";
    context.textAlign = "center";
    context.textBaseline = "middle";
    context.fillText(this.#names.get(peerId) ?? "", x, y + 1);
  }

  #drawOutside(context, peerId, { x, y }, paint) {
    context.beginPath();
    context.arc(x, y, 8, 0, 7);
    context.fillStyle = paint.raised;
    context.fill();
    context.lineWidth = 2.5;
    context.strokeStyle = paintOf(peerId);
    context.stroke();
    context.fillStyle = paint.soft;
    context.font = "11px ui-monospace, Menlo, Consolas, monospace";
    context.textAlign = "center";
    context.textBaseline = "middle";
    const low = y > this.#canvas.clientHeight / 2;
    context.fillText(short(peerId), Math.min(Math.max(x, 50), this.#canvas.clientWidth - 50), y + (low ? 17 : -17));
  }
}

/** The colour of a peer: dark enough for white letters on it. */
export function paintOf(peerId) {
  return `hsl(${hue(peerId)} 58% 40%)`;
}
