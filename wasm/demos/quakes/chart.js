// Bars: how many earthquakes came in each three seconds of the last two minutes, by magnitude.
import { colour, oncePerFrame, sharp } from "/demo.js";

const STEP = 3000;
const BARS = 40;

/** Name, least magnitude, colour: from weak to strong. */
const CLASSES = [
  ["below 1", -Infinity, "#8fb4c9"],
  ["1 to 2.5", 1, "#3f9fb5"],
  ["2.5 to 4.5", 2.5, "#f0a441"],
  ["4.5 and more", 4.5, "#d6423b"],
];

export class Chart {
  #canvas;
  #bars = new Map(); // of each three seconds: counts by class
  #draw = oncePerFrame(() => this.#paint());

  constructor(canvas) {
    this.#canvas = canvas;
    setInterval(this.#draw, 500);
    new ResizeObserver(this.#draw).observe(canvas);
  }

  legend() {
    return CLASSES.map(([name, , paint]) => [name, paint]);
  }

  add({ magnitude, at }) {
    const step = Math.floor(at / STEP);
    if (!this.#bars.has(step)) this.#bars.set(step, CLASSES.map(() => 0));
    this.#bars.get(step)[CLASSES.findLastIndex(([, least]) => magnitude >= least)] += 1;
    this.#draw();
  }

  clear() {
    this.#bars.clear();
    this.#draw();
  }

  #paint() {
    const { context, width, height } = sharp(this.#canvas);
    const [left, bottom] = [34, height - 20];
    const now = Date.now() / STEP;
    for (const step of this.#bars.keys()) if (step < now - BARS - 1) this.#bars.delete(step);
    const sums = [...this.#bars.values()].map((counts) => counts.reduce((sum, count) => sum + count, 0));
    const top = nice(Math.max(4, ...sums));
    const tall = (count) => (count / top) * (bottom - 8);

    context.clearRect(0, 0, width, height);
    context.font = "11px system-ui, sans-serif";
    context.fillStyle = colour("soft");
    context.strokeStyle = colour("line");
    context.lineWidth = 1;
    context.textAlign = "right";
    for (const part of [0, 0.5, 1]) {
      const y = Math.round(bottom - tall(part * top)) + 0.5;
      context.beginPath();
      context.moveTo(left, y);
      context.lineTo(width, y);
      context.stroke();
      context.fillText(String(part * top), left - 7, y + 4);
    }
    const across = (width - left) / BARS;
    for (const [text, back] of [["2 min ago", BARS], ["1 min", BARS / 2], ["now", 0]]) {
      context.textAlign = back === BARS ? "left" : back === 0 ? "right" : "center";
      context.fillText(text, width - back * across, height - 4);
    }
    context.save();
    context.beginPath();
    context.rect(left, 0, width - left, height);
    context.clip();
    for (const [step, counts] of this.#bars) {
      const x = width - (now - step) * across;
      let y = bottom;
      counts.forEach((count, kind) => {
        context.fillStyle = CLASSES[kind][2];
        context.fillRect(x + 1, y - tall(count), Math.max(1, across - 2), tall(count));
        y -= tall(count);
      });
    }
    context.restore();
  }
}

/** The next even number of the kind 2, 4, 10, 20, 40, 100 … */
function nice(number) {
  const power = 10 ** Math.floor(Math.log10(number));
  return [2, 4, 10].map((step) => step * power).find((step) => step >= number) ?? 10 * power;
}
