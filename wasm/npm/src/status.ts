// "Why am I not connected?", in plain words.

import type { CoreStatus, PeerInfo } from "./engine.js";
import { hasWebRtc, isOffline } from "./page.js";
import { origin } from "./policy.js";

/** How a peer fares. */
export interface Status extends CoreStatus {
  state: "starting" | "connecting" | "connected" | "offline" | "closed" | "failed";
  /** How many neighbours there are. */
  peers: number;
}

type Diagnosis = Pick<Status, "state" | "peers" | "problem" | "advice">;

/** Others refuse what is dated so far ahead (taiinet-mesh, limits::CLOCK_SKEW). */
const SKEW_MS = 120_000;

/** Where no tab runs the peer, and this place cannot. */
export const LEADERLESS = {
  problem: "there is no WebRTC here, and no page of this site is open that runs the peer",
  advice: "open a page of this site that makes a TaiiNet of the same network and identity: workers take part through it",
};

/** How a peer fares: what the core says, and what only a page knows. `isHere` says whether it runs in this one. */
export function diagnose(core: CoreStatus, isHere: boolean): Diagnosis {
  const diagnosis = diagnoseLinks(core, isHere);
  // The core's time never runs backwards.
  const ahead = core.now - Date.now();
  if (diagnosis.problem || ahead < SKEW_MS) return diagnosis;
  const problem = `this device's clock was set back by ${Math.round(ahead / 60_000)} minutes while the peer ran; others refuse what it publishes as of the future`;
  return { ...diagnosis, problem, advice: "reload the page" };
}

function diagnoseLinks(core: CoreStatus, isHere: boolean): Diagnosis {
  const peers = active(core).length;
  if (peers === 0 && isOffline()) {
    return { state: "offline", peers, problem: "this device is on no network", advice: "it goes on by itself when the network is back" };
  }
  if (isHere && !hasWebRtc()) {
    return { state: "connecting", peers, problem: "there is no WebRTC here", advice: "allow WebRTC in this browser's settings or extensions, or use another browser" };
  }
  return { state: peers > 0 ? "connected" : "connecting", peers, ...trouble(core, peers) };
}

/** What is wrong by the core's account; where a page is the cause, that instead. */
function trouble({ problem, advice, signallers }: CoreStatus, peers: number): Pick<Status, "problem" | "advice"> {
  if (problem === undefined) return {};
  if (!signallers.length) return { problem, advice: "name one in options.signallers" };
  const goesOn = peers > 0 ? "; the mesh goes on without" : "";
  const forbidden = signallers.some(({ joined }) => joined) ? undefined : signallers.find((one) => one.forbidden);
  if (forbidden) {
    return { problem: `this page's Content-Security-Policy forbids ${forbidden.url}${goesOn}`, advice: `add ${origin(forbidden.url)} to its directive connect-src` };
  }
  const failed = signallers.some(({ joined }) => joined) ? undefined : signallers.find(({ failure }) => failure !== undefined);
  if (failed && typeof location !== "undefined" && location.protocol === "https:" && failed.url.startsWith("ws:") && !isLocal(failed.url)) {
    return { problem: `an https page may not use ${failed.url}${goesOn}`, advice: "use a wss:// address" };
  }
  return { problem, ...(advice !== undefined && { advice }) };
}

export function active({ links }: CoreStatus): PeerInfo[] {
  return links.filter(({ state }) => state === "active");
}

function isLocal(address: string): boolean {
  return /^(localhost|127\.|\[::1\])/.test(new URL(address).host);
}
