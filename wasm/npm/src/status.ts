// "Why am I not connected?", in plain words.

import type { CoreStatus, PeerInfo } from "./engine.js";
import { isOffline } from "./page.js";

/** How a peer fares. */
export interface Status extends CoreStatus {
  state: "starting" | "connecting" | "connected" | "offline" | "closed" | "failed";
  /** How many neighbours there are. */
  peers: number;
  /** What is wrong. */
  problem?: string;
  /** What to do about it. */
  advice?: string;
}

type Judgement = Pick<Status, "state" | "peers" | "problem" | "advice">;

/** Others refuse what is dated so far ahead (taiinet-mesh, limits::CLOCK_SKEW). */
const SKEW_MS = 120_000;

/** The part of the status that the core does not know. */
export function judge(core: CoreStatus): Judgement {
  const judgement = judged(core);
  // The core's time never runs backwards.
  const ahead = core.now - Date.now();
  if (judgement.problem || ahead < SKEW_MS) return judgement;
  const problem = `this device's clock was set back by ${Math.round(ahead / 60_000)} minutes while the peer ran; others refuse what it publishes as of the future`;
  return { ...judgement, problem, advice: "reload the page" };
}

function judged(core: CoreStatus): Judgement {
  const peers = active(core).length;
  const joined = core.signallers.filter(({ joined }) => joined).length;
  if (peers === 0 && isOffline()) {
    return { state: "offline", peers, problem: "this device is on no network", advice: "it goes on by itself when the network is back" };
  }
  if (typeof RTCPeerConnection === "undefined") {
    return { state: "connecting", peers, problem: "there is no WebRTC here", advice: "allow WebRTC in this browser's settings or extensions, or use another browser" };
  }
  if (joined === 0) {
    const trouble = signallers(core);
    if (peers > 0) return { state: "connected", peers, ...(trouble && { problem: `${trouble.problem}; the mesh goes on without`, advice: trouble.advice }) };
    return { state: "connecting", peers, ...trouble };
  }
  if (peers > 0) return { state: "connected", peers };
  const [failed] = core.failed;
  if (failed && !core.links.length) {
    return {
      state: "connecting",
      peers,
      problem: `no link to another peer could be made: ${failed.cause}`,
      advice: "a firewall may block WebRTC; try another network, or a signaller that offers STUN or TURN",
    };
  }
  return core.candidates || core.links.length
    ? { state: "connecting", peers }
    : { state: "connecting", peers, problem: "nobody else is on this network yet", advice: `open another peer of the network "${core.network}"` };
}

export function active({ links }: CoreStatus): PeerInfo[] {
  return links.filter(({ state }) => state === "active");
}

function signallers(core: CoreStatus): { problem: string; advice: string } | undefined {
  const [first] = core.signallers;
  if (!first) return { problem: "no signaller is named, so nobody can be met", advice: "name one in options.signallers" };
  const failed = core.signallers.find(({ failure }) => failure !== undefined);
  if (!failed) return undefined;
  if (typeof location !== "undefined" && location.protocol === "https:" && failed.url.startsWith("ws:") && !isLocal(failed.url)) {
    return { problem: `an https page may not use ${failed.url}`, advice: "use a wss:// address" };
  }
  return {
    problem: `no signaller can be reached: ${failed.url}: ${failed.failure}`,
    advice: "check the address, and that taiinet-signaller runs there; it is tried again by itself",
  };
}

function isLocal(address: string): boolean {
  return /^(localhost|127\.|\[::1\])/.test(new URL(address).host);
}
