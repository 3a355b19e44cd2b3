import { $, connect, element, oncePerFrame } from "/demo.js";
import { queryField } from "/query.js";
import { Chart } from "./chart.js";
import { DEPTHS, WorldMap } from "./map.js";
import { read } from "./quake.js";

const LATEST = 9;

const map = new WorldMap($("map"), $("views"));
const chart = new Chart($("chart"));
const latest = [];
const recent = []; // when the documents of the last seconds came
const ways = []; // of the last documents: milliseconds from the publisher to here
let received = 0;
let strongest = null;

function takeLive({ id, data, createdAt, receivedAt }) {
  recent.push(Date.now());
  if (recent.length > 20_000) recent.splice(0, 10_000);
  ways.push(receivedAt - createdAt);
  if (ways.length > 200) ways.shift();
  take(read(data, Date.now()), id);
}

/** What neighbours still had: shown as if it had come when it was published. */
function takeEarlier({ id, data, createdAt }) {
  take(read(data, Math.min(createdAt, Date.now())), id);
}

function take(quake, id) {
  if (!quake) return;
  quake.id = id;
  received += 1;
  if (!strongest || quake.magnitude > strongest.magnitude) strongest = quake;
  latest.unshift(quake);
  latest.length = Math.min(latest.length, LATEST);
  map.add(quake);
  chart.add(quake);
  fill();
}

/** What is deleted or expired vanishes; that it came still counts. */
function drop({ id }) {
  const at = latest.findIndex((quake) => quake.id === id);
  if (at >= 0) latest.splice(at, 1);
  map.drop(id);
  fill();
}

const fill = oncePerFrame(() => {
  $("received").textContent = received.toLocaleString();
  $("strongest").textContent = strongest ? strongest.magnitude.toFixed(1) : "–";
  $("strongest").title = strongest?.place ?? "";
  const middle = ways.toSorted((one, other) => one - other)[ways.length >> 1];
  $("latency").replaceChildren(middle === undefined ? "–" : `${Math.max(0, middle)} `, element("small", "", middle === undefined ? "" : "ms"));
  $("empty").hidden = latest.length > 0;
  $("latest").replaceChildren(...latest.map(row));
});

function row({ magnitude, place, depth }) {
  const item = element("li");
  item.append(element("b", "", magnitude.toFixed(1)), element("span", "", place), element("small", "", `${Math.round(depth)} km deep`));
  item.children[1].title = place;
  return item;
}

/* Rates fall without a document, too. */
setInterval(() => {
  const now = Date.now();
  while (recent.length && recent[0] < now - 3000) recent.shift();
  $("rate").textContent = (recent.length / 3).toFixed(recent.length < 30 ? 1 : 0);
}, 500);

for (const [name, , paint] of DEPTHS) $("legend").append(entry(name, paint));
for (const [name, paint] of chart.legend()) $("classes").append(entry(name, paint));

function entry(name, paint) {
  const made = element("span");
  const dot = element("i");
  dot.style.background = paint;
  made.append(dot, name);
  return made;
}

const taiinet = await connect();
queryField({
  presets: [
    ["All", { type: "earthquake" }],
    ["Strong", { type: "earthquake", magnitude: { $gte: 4.5 } }],
    ["Alaska or Hawaii", { place: { $regex: "alaska|hawaii", $options: "i" } }],
    ["Very deep or above the sea", { $or: [{ depth_km: { $gte: 100 } }, { depth_km: { $lt: 0 } }] }],
    ["Felt by people", { felt: { $gt: 10 } }],
    ["A mistake", { magnitude: { $gtt: 4 } }],
  ],
  subscribe(query) {
    const sub = taiinet.subscribe(query, { backlog: true });
    map.clear();
    chart.clear();
    received = 0;
    latest.length = 0;
    strongest = null;
    fill();
    sub.on("data", takeLive);
    sub.on("backlog", takeEarlier);
    sub.on("remove", drop);
    return sub;
  },
});
