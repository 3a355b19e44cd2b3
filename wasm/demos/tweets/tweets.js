import { $, connect, element, hue, oncePerFrame, short } from "/demo.js";
import { queryField } from "/query.js";
import { Wall } from "./wall.js";

const wall = new Wall();
const rows = new Map(); // of each tweet's name: its element and what it shows
const liked = new Set();
const taiinet = await connect();

/* Writing. */

$("compose").addEventListener("submit", async (event) => {
  event.preventDefault();
  const field = $("text");
  const text = field.value.trim();
  if (!text) return;
  const name = `${taiinet.identity.peerId}/${crypto.randomUUID().slice(0, 8)}`;
  const likes = Number($("likes").value) || 0;
  const by = $("name").value.trim() || "anonymous";
  field.value = "";
  const taken = await publish({ type: "tweet", tweet: name, name: by, text, likes });
  // What was not taken need not be typed again.
  if (!taken && field.value === "") field.value = text;
});

/**
 * A later version of a tweet takes the place of the earlier one of the same author: that is the key.
 * True once a neighbour has it.
 */
async function publish(tweet) {
  const told = $("told");
  told.textContent = "On its way …";
  try {
    await taiinet.ready;
    await taiinet.publish(tweet, { key: tweet.tweet, expires: "1d" });
    told.textContent = "A neighbour has it, and passes it on.";
    return true;
  } catch (error) {
    told.textContent = `Not published: ${error.message}`;
    return false;
  }
}

function like({ name, by, text, likes }) {
  liked.add(name);
  publish({ type: "tweet", tweet: name, name: by, text, likes: likes + 1 });
}

/** All its versions, for everybody that shows it. */
async function takeBack(name) {
  try {
    await taiinet.delete({ key: name });
  } catch (error) {
    $("told").textContent = `Not deleted: ${error.message}`;
  }
}

/* Showing. */

const draw = oncePerFrame(() => {
  const tweets = wall.list();
  $("empty").hidden = tweets.length > 0;
  const list = $("tweets");
  const gone = new Set(rows.keys());
  let before = list.firstElementChild;
  for (const tweet of tweets) {
    gone.delete(tweet.name);
    let row = rows.get(tweet.name);
    if (!row) {
      row = newRow(tweet);
      rows.set(tweet.name, row);
    }
    fill(row, tweet);
    if (row.item === before) before = before.nextElementSibling;
    else list.insertBefore(row.item, before);
  }
  for (const name of gone) {
    rows.get(name).item.remove();
    rows.delete(name);
  }
});

function newRow(tweet) {
  const item = element("li", "card tweet new");
  const [by, text, time] = [element("strong"), element("p"), element("time")];
  const head = element("header");
  head.append(by, element("span", "short", short(tweet.author)), time);
  head.children[1].title = tweet.author;
  const button = element("button", "like");
  button.addEventListener("click", () => {
    like(rows.get(tweet.name).tweet);
    button.setAttribute("aria-pressed", "true");
  });
  button.setAttribute("aria-pressed", String(liked.has(tweet.name)));
  const [foot, way] = [element("footer"), element("span")];
  foot.append(button, way);
  if (tweet.author === taiinet.identity.peerId) {
    const gone = element("button", "like delete", "Delete");
    gone.addEventListener("click", () => takeBack(tweet.name));
    foot.append(gone);
  }
  item.append(face(tweet.author), head, text, foot);
  return { item, by, text, time, button, way };
}

function fill(row, tweet) {
  row.tweet = { ...tweet };
  row.by.textContent = tweet.by;
  row.text.textContent = tweet.text;
  row.time.textContent = ago(tweet.at);
  row.time.dateTime = new Date(tweet.at).toISOString();
  row.button.textContent = `♥ ${tweet.likes}`;
  row.button.setAttribute("aria-label", `Like; ${tweet.likes} so far`);
  row.way.textContent = tweet.own ? way(tweet) : `quoted by ${short(tweet.quotedBy)}, not signed by its author`;
}

function way({ author, hops }) {
  if (author === taiinet.identity.peerId) return "yours";
  if (!hops) return "signed and checked";
  return `signed and checked · ${hops} ${hops === 1 ? "hop" : "hops"}`;
}

/** A picture that belongs to a PeerId: five by five squares, mirrored, in its colour. */
function face(peerId) {
  const ns = "http://www.w3.org/2000/svg";
  const picture = document.createElementNS(ns, "svg");
  picture.setAttribute("viewBox", "-1 -1 7 7");
  picture.setAttribute("class", "face");
  picture.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(ns, "path");
  let squares = "";
  for (let cell = 0; cell < 15; cell++) {
    const letter = peerId.charCodeAt(peerId.length - 1 - cell) || 0;
    if ((letter * 7 + cell) % 5 < 2) continue;
    const [x, y] = [Math.floor(cell / 5), cell % 5];
    squares += `M${x} ${y}h1v1h-1zM${4 - x} ${y}h1v1h-1z`;
  }
  path.setAttribute("d", squares);
  path.setAttribute("fill", `hsl(${hue(peerId)} 62% 52%)`);
  picture.append(path);
  return picture;
}

function ago(at) {
  const seconds = Math.max(0, (Date.now() - at) / 1000);
  if (seconds < 45) return "now";
  if (seconds < 3600) return `${Math.round(seconds / 60)} min`;
  if (seconds < 86400) return `${Math.round(seconds / 3600)} h`;
  return new Date(at).toLocaleDateString();
}

setInterval(draw, 30_000);

/* Reading: last, since documents may come at once. */

queryField({
  presets: [
    ["All tweets", { type: "tweet" }],
    ["More than 4 likes", { type: "tweet", likes: { $gt: 4 } }],
    ["About peers", { type: "tweet", text: { $regex: "peer|mesh", $options: "i" } }],
    ["Two likes or none", { type: "tweet", $or: [{ likes: { $lt: 1 } }, { likes: 2 }] }],
  ],
  subscribe(query) {
    const sub = taiinet.subscribe(query, { backlog: true });
    wall.clear();
    draw();
    const take = (delivery) => wall.take(delivery) && draw();
    sub.on("data", take);
    sub.on("backlog", take);
    sub.on("remove", (gone) => wall.drop(gone) && draw());
    return sub;
  },
});
