// What the pages share: joining the network that `taiinet-demo` runs, and showing how that goes.

/** Whether pictures are to stand still as far as they can. */
export const calm = matchMedia("(prefers-reduced-motion: reduce)");

/** An element by its id; a page without it is broken. */
export const $ = (id) => document.getElementById(id);

/** A new element with a class and a text. The text is only ever text, from any author. */
export function element(name, className = "", text = "") {
  const made = document.createElement(name);
  if (className) made.className = className;
  made.textContent = text;
  return made;
}

/** `tn1abcd…wxyz`: enough of a PeerId to tell it from others. */
export function short(peerId) {
  return peerId.length > 14 ? `${peerId.slice(0, 7)}…${peerId.slice(-4)}` : peerId;
}

/** A number between 0 and 360 that belongs to a PeerId. */
export function hue(peerId) {
  let mixed = 0;
  for (const letter of peerId) mixed = Math.imul(mixed ^ letter.codePointAt(0), 0x01000193) >>> 0;
  return (mixed >>> 8) % 360;
}

/** A colour of the style sheet, as it is now: light or dark. */
export function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

/** Calls `draw` at most once a frame, however often it is asked to; not at all while hidden. */
export function oncePerFrame(draw) {
  let asked = false;
  return () => {
    if (asked) return;
    asked = true;
    requestAnimationFrame((now) => {
      asked = false;
      draw(now);
    });
  };
}

/** Makes a canvas as sharp as the screen; gives its context and its size in CSS pixels. */
export function sharp(canvas) {
  const { clientWidth: width, clientHeight: height } = canvas;
  const scale = Math.min(devicePixelRatio || 1, 3);
  const [across, down] = [Math.round(width * scale), Math.round(height * scale)];
  if (canvas.width !== across || canvas.height !== down) {
    canvas.width = across;
    canvas.height = down;
  }
  const context = canvas.getContext("2d");
  context.setTransform(scale, 0, 0, scale, 0, 0);
  return { context, width, height };
}

/** Loads the package and the address of the network. Fails with what to do about it. */
export async function load() {
  try {
    const answer = await fetch("/config.json");
    if (!answer.ok) throw new Error(`/config.json: ${answer.status}`);
    const config = await answer.json();
    const { TaiiNet } = await import("/taiinet/index.js");
    showCode(config);
    return { TaiiNet, config };
  } catch (error) {
    showStatus({
      state: "failed",
      problem: `this page could not be set up: ${error.message}`,
      advice: "run `cargo xtask demo` and open the address that it prints",
    });
    throw error;
  }
}

/** A peer of this page in the demo's network, whose state the page shows. */
export async function connect(options = {}) {
  const { TaiiNet, config } = await load();
  const taiinet = new TaiiNet({ ...config, ...options });
  show(taiinet);
  return taiinet;
}

let shown = null;

/** Shows in the corner and at the foot how a peer fares; only the last one given is shown. */
export function show(taiinet) {
  shown = taiinet;
  const ifShown = (tell) => (what) => shown === taiinet && tell(what);
  const failed = ({ message }) => showStatus({ state: "failed", problem: message, advice: "reload the page" });
  taiinet.on("status", ifShown(showStatus));
  taiinet.on("warning", ifShown((warning) => showNote(warning?.message ?? String(warning))));
  taiinet.on("error", ifShown(failed));
  taiinet.ready.then(ifShown(() => showIdentity(taiinet.identity.peerId)), ifShown(failed));
}

function showStatus({ state, problem, advice, peers = 0 }) {
  const box = $("status");
  box.dataset.state = state;
  const linked = `${peers} ${peers === 1 ? "peer" : "peers"}`;
  box.querySelector("summary").textContent = state === "connected" ? linked : state;
  const told = problem ? [element("strong", "", problem)] : [];
  if (advice) told.push(element("span", "soft", advice));
  if (!problem) {
    const text = state === "connected" ? `Linked to ${linked} directly; through them to all.` : "One moment …";
    told.push(element("span", "", text));
  }
  box.querySelector("div").replaceChildren(...told);
  // What is wrong is shown by itself; what is well need not be.
  const wrong = Boolean(problem) && state !== "connecting" && state !== "starting";
  if (wrong !== Boolean(box.dataset.wrong)) box.open = wrong;
  box.dataset.wrong = wrong ? "yes" : "";
}

function showIdentity(peerId) {
  const foot = $("foot");
  const own = element("span", "", "You are ");
  own.append(element("span", "mono", peerId));
  foot.replaceChildren(own);
}

function showNote(text) {
  $("foot").append(element("span", "", text));
}

/** Puts the real names into the lines of code that the page shows. */
function showCode({ network, signallers }) {
  for (const name of document.querySelectorAll("[data-config]")) {
    name.textContent = JSON.stringify({ network, signallers }[name.dataset.config]);
  }
}
