import { $, load, oncePerFrame, show } from "/demo.js";
import { Figures } from "./figures.js";
import { Picture } from "./picture.js";
import { Table } from "./table.js";

const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const MOST = Number($("peers").max);
const LOOK_EVERY = 400;

const { TaiiNet, config } = await load();
const members = []; // { taiinet, letter, peerId, status, subs }
const figures = new Figures();
const starts = new Map(); // of the last documents: when the picture shows them setting out
const picture = new Picture($("canvas"), select);
const table = new Table($("table"), { remove, select });
let latest = 0;
let selected = null;

/* Peers come and go. */

async function add() {
  if (members.length >= MOST) return;
  // Few links each, so that a document has to go from hand to hand to reach all.
  const taiinet = new TaiiNet({ ...config, identity: "ephemeral", shared: false, targetLinks: 3, maxLinks: 5 });
  const taken = new Set(members.map(({ letter }) => letter));
  const letter = [...LETTERS].find((candidate) => !taken.has(candidate));
  const member = { taiinet, letter, peerId: "", status: null, subs: [] };
  members.push(member);
  if (members.length === 1) show(taiinet);
  taiinet.on("error", (error) => console.warn(`peer ${letter}:`, error.message));
  count();
  try {
    await taiinet.ready;
  } catch {
    remove(member);
    return;
  }
  member.peerId = taiinet.identity.peerId;
  subscribe(member);
  look();
}

function remove(member) {
  const at = members.indexOf(member);
  if (at < 0) return;
  members.splice(at, 1);
  figures.keep(member);
  if (selected === member.peerId) selected = null;
  // It says goodbye to its neighbours, which look for others.
  member.taiinet.close();
  if (at === 0 && members.length) show(members[0].taiinet);
  count();
  look();
}

function subscribe(member) {
  for (const sub of member.subs) sub.close();
  const queries = [{ type: "note" }];
  if ($("quakes").checked) queries.push({ type: "earthquake" });
  member.subs = queries.map((query) => {
    const sub = member.taiinet.subscribe(query);
    sub.on("data", (delivery) => delivered(member, delivery));
    return sub;
  });
}

function delivered(member, { id, data, from, hops, createdAt, receivedAt }) {
  const own = data?.type === "note";
  if (hops > 0) figures.add({ hops, way: receivedAt - createdAt });
  if (from) picture.send(from, member.peerId, hops, setOut(id, own), own);
  else if (own) picture.glow(member.peerId, setOut(id, own));
  tell();
}

/** When the picture shows a document setting out: those of a burst one after the other. */
function setOut(id, own) {
  if (!starts.has(id)) {
    const now = performance.now();
    if (own) latest = Math.max(now, latest + 18);
    starts.set(id, own ? latest : now);
    if (starts.size > 2000) starts.delete(starts.keys().next().value);
  }
  return starts.get(id);
}

/* What the visitor does. */

async function publish(times) {
  const able = members.filter(({ peerId }) => peerId);
  const from = able.find(({ peerId }) => peerId === selected) ?? able[Math.floor(Math.random() * able.length)];
  if (!from) return;
  const notes = Array.from({ length: times }, (_, number) => ({ type: "note", from: from.letter, number }));
  const given = await Promise.allSettled(notes.map((note) => from.taiinet.publish(note, { expires: "5min" })));
  const refused = given.find(({ status }) => status === "rejected");
  $("fault").hidden = !refused;
  $("fault").textContent = refused ? `Not published: ${refused.reason.message}` : "";
}

function select(peerId) {
  selected = peerId === selected ? null : peerId;
  picture.select(selected);
  tell();
}

function count() {
  $("peers").value = members.length;
  $("count").textContent = members.length;
  $("add").disabled = members.length >= MOST;
  $("remove").disabled = members.length <= 1;
}

const chosen = () => members.find(({ peerId }) => peerId === selected) ?? members.at(-1);
$("publish").addEventListener("click", () => publish(1));
$("burst").addEventListener("click", () => publish(50));
$("add").addEventListener("click", add);
$("remove").addEventListener("click", () => remove(chosen()));
$("peers").addEventListener("input", () => {
  const wanted = Number($("peers").value);
  while (members.length > wanted) remove(members.at(-1));
  while (members.length < wanted) add();
});
$("quakes").addEventListener("change", () => members.filter(({ peerId }) => peerId).forEach(subscribe));

/* What is looked at now and then. */

async function look() {
  await Promise.all(
    members.map(async (member) => {
      try {
        if (member.peerId) member.status = await member.taiinet.status();
      } catch {
        // It was closed meanwhile.
      }
    }),
  );
  const there = members.filter(({ status }) => status);
  picture.show(new Map(there.map(({ peerId, letter }) => [peerId, letter])), links(there));
  picture.select(selected);
  tell();
}

/** Each link once, though both ends tell of it. It is eager if either end gives whole documents. */
function links(there) {
  const all = new Map();
  for (const { peerId, status } of there) {
    for (const { peer, state, eager } of status.links) {
      const [one, other] = [peerId, peer].sort();
      const known = all.get(one + other);
      const active = state === "active" || known?.state === "active";
      all.set(one + other, { one, other, state: active ? "active" : "dialling", eager: Boolean(known?.eager) || eager });
    }
  }
  return [...all.values()];
}

const tell = oncePerFrame(() => {
  figures.tell(members);
  const linked = members.filter(({ status }) => status?.links.some(({ state }) => state === "active")).length;
  $("summary").textContent = `${linked} of ${members.length} peers of this page are linked`;
  table.tell(members, selected);
});

/* Begin: fewer on a phone. */

const first = innerWidth < 640 ? 5 : Number($("peers").value);
for (let i = 0; i < first; i++) add();
setInterval(look, LOOK_EVERY);
