// A map of the world on a canvas: longitude across, latitude down (equirectangular).
import { calm, colour, element, sharp } from "/demo.js";

/** For so long an earthquake is seen, and so many at most. */
const LIFE = 25_000;
const SHOWN = 1500;

/** Name, greatest depth in km, colour. */
export const DEPTHS = [
  ["to 10 km deep", 10, "#f08a4b"],
  ["to 70 km", 70, "#d6529a"],
  ["to 300 km", 300, "#8a5cf0"],
  ["deeper", Infinity, "#3f7df2"],
];

/** West, east, south, north; beyond 180° lies the other side of the Pacific. */
const VIEWS = {
  World: [-180, 180, -60, 84],
  Pacific: [95, 300, -50, 72],
  "North America": [-172, -60, 14, 72],
  California: [-125.5, -113.5, 32, 42],
};

export class WorldMap {
  #canvas;
  #land = [];
  #quakes = [];
  #view = VIEWS.World;
  #from = null;
  #movedAt = 0;
  #picture = null; // sea, land and grid, drawn once a view
  #running = false;

  constructor(canvas, chips) {
    this.#canvas = canvas;
    for (const [name, view] of Object.entries(VIEWS)) {
      const chip = element("button", "chip", name);
      chip.type = "button";
      chip.addEventListener("click", () => this.#look(view, chip));
      chips.append(chip);
    }
    // A phone is too narrow for the whole world.
    this.#look(VIEWS[innerWidth < 640 ? "North America" : "World"], chips.children[innerWidth < 640 ? 2 : 0]);
    this.#from = null;
    new ResizeObserver(() => this.#refresh()).observe(canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.#refresh());
    this.#load();
  }

  add(quake) {
    this.#quakes.push(quake);
    if (this.#quakes.length > SHOWN) this.#quakes.splice(0, this.#quakes.length - SHOWN);
    this.#run();
  }

  drop(id) {
    this.#quakes = this.#quakes.filter((quake) => quake.id !== id);
    this.#run();
  }

  clear() {
    this.#quakes.length = 0;
    this.#run();
  }

  async #load() {
    const answer = await fetch("/quakes/land.json");
    const { rings } = await answer.json();
    this.#land = rings;
    this.#refresh();
  }

  #look(view, chip) {
    for (const other of chip.parentElement.children) other.setAttribute("aria-pressed", String(other === chip));
    this.#from = calm.matches ? null : this.#view;
    this.#view = view;
    this.#movedAt = performance.now();
    this.#refresh();
  }

  #refresh() {
    this.#picture = null;
    this.#run();
  }

  /** Frames are drawn while there is something to see change. */
  #run() {
    if (this.#running) return;
    this.#running = true;
    const frame = (now) => {
      this.#draw(now);
      this.#running = this.#from !== null || this.#quakes.length > 0;
      if (this.#running) requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  }

  #draw(now) {
    const { context, width, height } = sharp(this.#canvas);
    if (width === 0) return;
    const place = projection(this.#edges(now), width, height);
    if (this.#from) {
      this.#paintWorld(context, place, width, height);
    } else {
      this.#picture ??= this.#paintOnce(place, width, height);
      context.save();
      context.setTransform(1, 0, 0, 1, 0, 0);
      context.drawImage(this.#picture, 0, 0);
      context.restore();
    }
    const time = Date.now();
    this.#quakes = this.#quakes.filter((quake) => time - quake.at < LIFE);
    for (const quake of this.#quakes) paintQuake(context, place(quake.longitude, quake.latitude), quake, time - quake.at);
  }

  /** The edges now: on the way from one view to the next for half a second. */
  #edges(now) {
    if (!this.#from) return this.#view;
    const done = Math.min(1, (now - this.#movedAt) / 500);
    const eased = done * done * (3 - 2 * done);
    const edges = this.#view.map((edge, i) => this.#from[i] + (edge - this.#from[i]) * eased);
    if (done === 1) this.#from = null;
    return edges;
  }

  #paintOnce(place, width, height) {
    const picture = document.createElement("canvas");
    picture.width = this.#canvas.width;
    picture.height = this.#canvas.height;
    const context = picture.getContext("2d");
    context.scale(picture.width / width, picture.height / height);
    this.#paintWorld(context, place, width, height);
    return picture;
  }

  #paintWorld(context, place, width, height) {
    context.fillStyle = colour("sea");
    context.fillRect(0, 0, width, height);
    context.beginPath();
    // Once more on each side, for the views that cross 180°.
    for (const turn of [-360, 0, 360]) {
      for (const ring of this.#land) {
        for (let i = 0; i < ring.length; i += 2) {
          const [x, y] = place.as(ring[i] / 10 + turn, ring[i + 1] / 10);
          if (i === 0) context.moveTo(x, y);
          else context.lineTo(x, y);
        }
        context.closePath();
      }
    }
    context.fillStyle = colour("land");
    context.fill("evenodd");
    context.beginPath();
    for (let degrees = -180; degrees <= 540; degrees += 30) {
      const [x] = place.as(degrees, 0);
      context.moveTo(x, 0);
      context.lineTo(x, height);
    }
    for (let degrees = -60; degrees <= 60; degrees += 30) {
      const [, y] = place.as(0, degrees);
      context.moveTo(0, y);
      context.lineTo(width, y);
    }
    context.strokeStyle = colour("grid");
    context.lineWidth = 1;
    context.stroke();
  }
}

/** From degrees to pixels; the view is widened to the shape of the canvas. */
function projection([west, east, south, north], width, height) {
  // A degree of longitude is shorter than one of latitude, away from the equator.
  const shorter = Math.max(0.7, Math.cos((((south + north) / 2) * Math.PI) / 180));
  const scale = Math.min(width / ((east - west) * shorter), height / (north - south));
  const whole = Math.max(scale, width / (360 * shorter));
  const [middle, centre] = [(west + east) / 2, (south + north) / 2];
  const as = (longitude, latitude) => [
    width / 2 + (longitude - middle) * shorter * whole,
    height / 2 - (latitude - centre) * whole,
  ];
  const place = (longitude, latitude) => as(longitude < middle - 180 ? longitude + 360 : longitude, latitude);
  place.as = as;
  return place;
}

function paintQuake(context, [x, y], { magnitude, depth }, age) {
  const size = 2.5 + Math.max(0, magnitude) ** 1.65;
  const life = 1 - age / LIFE;
  const [, , paint] = DEPTHS.find(([, limit]) => depth <= limit) ?? DEPTHS[0];
  const arriving = calm.matches ? 1 : Math.min(1, age / 700);
  context.fillStyle = paint;
  context.strokeStyle = paint;
  context.globalAlpha = 0.5 * life;
  context.beginPath();
  context.arc(x, y, size, 0, 7);
  context.fill();
  context.globalAlpha = life;
  context.lineWidth = 1.2;
  context.stroke();
  if (arriving < 1) {
    context.globalAlpha = 1 - arriving;
    context.lineWidth = 2;
    context.beginPath();
    context.arc(x, y, size + arriving * (14 + size), 0, 7);
    context.stroke();
  }
  context.globalAlpha = 1;
}
