// A private network for the tests: nothing leaves it, and it can be cut without harm to anyone.
//
//   this namespace: lo, v0 10.77.0.1 (browsers, most programs) ── v1 10.77.0.2: the "far" machine

import { execFileSync, spawn, spawnSync } from "node:child_process";

/** Ours at the link to the far machine, and the far machine. */
export const NEAR = "10.77.0.1";
export const FAR = "10.77.0.2";

/** In a private network; its processes have ids of their own, so none outlives the run. */
const UNSHARE = ["--net", "--pid", "--fork", "--kill-child", "--mount-proc"];

/** The arguments of `unshare` that work for this user on this machine, if any do. */
export function unshareArgs() {
  const ways = [UNSHARE, ["--map-root-user", ...UNSHARE]];
  const works = (/** @type {string[]} */ args) =>
    spawnSync("unshare", [...args, "ip", "link", "set", "lo", "up"]).status === 0;
  return process.platform === "linux" ? ways.find(works) : undefined;
}

/** Whether the tests run in a private network. */
export const isPrivate = () => process.env.TAIINET_FAR !== undefined;

/** @param {string} line */
const ip = (line) => execFileSync("ip", line.split(" "));

/** Builds the network; to be called once, inside the namespace. Gives the far machine's process. */
export async function build() {
  ip("link set lo up");
  const far = spawn("unshare", ["--net", "sleep", "infinity"], { stdio: "ignore" });
  const own = execFileSync("readlink", ["/proc/self/ns/net"]).toString();
  const theirs = () => execFileSync("readlink", [`/proc/${far.pid}/ns/net`]).toString();
  while (theirs() === own) await new Promise((done) => setTimeout(done, 5));
  ip(`link add v0 type veth peer name v1 netns ${far.pid}`);
  ip(`addr add ${NEAR}/24 dev v0`);
  const there = ["link set lo up", `addr add ${FAR}/24 dev v1`, "link set v1 up", `route add default via ${NEAR}`];
  for (const line of there) execFileSync("nsenter", [`--net=/proc/${far.pid}/ns/net`, "ip", ...line.split(" ")]);
  setNetwork(true);
  return far;
}

/** Takes the link to the far machine away, or gives it back. @param {boolean} up */
export function setNetwork(up) {
  ip(`link set v0 ${up ? "up" : "down"}`);
  if (up) ip(`route replace default via ${FAR} dev v0`);
}
