// The figures of a real mesh beside those of a simulated one, and why they differ.

/** From this ratio on a difference is to be explained. */
const DIFFERENT = 1.5;
/** What each packet has beside frames: Ethernet's header, which loopback counts as well, and those of IPv4, UDP, a DTLS
 *  record with AES-GCM, SCTP and one of its chunks, of data or an acknowledgement. */
const HEADERS = 14 + 20 + 8 + 37 + 12 + 16;

/**
 * @param {any} real as swarm.mjs measures them
 * @param {any} simulated as `taiinet-sim --json` prints them
 * @returns {string[]}
 */
export function compared(real, simulated) {
  const peers = real.native + real.pages;
  const a = (/** @type {number} */ amount) => amount / real.seconds;
  const wire = real.loopback && a(real.loopback.bytes) / peers;
  const packets = real.loopback && a(real.loopback.packets) / peers;
  const busy = (/** @type {{ ran_ms: number }} */ work) => (a(work.ran_ms) / 10 / real.processors).toFixed(0);
  const wait = real.work.waited_ms / real.work.turns;
  const slow = `the simulator's clock counts 1 ms a link and no computing; here a process that is ready gets a processor after ${wait.toFixed(2)} ms in the mean, and processors are ${busy(real.all_work)} % busy`;
  const headers = wire && `${packets.toFixed(0)} packets a second and peer, each with ${HEADERS} bytes of headers, are ${(packets * HEADERS).toFixed(0)} of these; the simulator counts frames alone`;
  /** @type {[name: string, real: number | undefined, simulated: number | undefined, digits: number, why?: string][]} */
  const rows = [
    ["documents published", real.published, simulated.published, 0],
    ["deliveries due", real.due, simulated.due, 0],
    ["delivered", real.delivered, simulated.delivered, 0],
    ["delivered twice", real.doubles, simulated.doubles, 0],
    ["delay, ms: median", real.p50_ms, simulated.p50_ms, 0, slow],
    ["  99 of 100 within", real.p99_ms, simulated.p99_ms, 0, slow],
    ["  longest", real.slowest_ms, simulated.slowest_ms, 0, slow],
    ["  into pages: median", real.pages_p50_ms, undefined, 0],
    ["  99 of 100 within", real.pages_p99_ms, undefined, 0],
    ["most links that a document crossed, mean", real.last_hop, simulated.last_hop, 1],
    ["links of a peer, mean", real.links_mean, simulated.links_mean, 1],
    ["copies beyond the first, for each first", real.copies, simulated.copies, 2],
    ["documents carried unwanted, for each wanted", real.unwanted_per_wanted, simulated.unwanted_per_wanted, 2],
    ["bytes that a peer sends a second", wire, simulated.bytes_per_s, 0, headers],
    ["first link of a native peer, ms: median", real.joined_p50_ms, undefined, 0],
    ["  the last", real.joined_last_ms, undefined, 0],
    ["  of a page, the last", real.pages_joined_last_ms, undefined, 0],
    ["memory of a native peer, MiB: resident", real.rss_mib, undefined, 1],
    ["  its share (PSS)", real.pss_mib, undefined, 1],
    ["memory of the browser with the pages, MiB (PSS)", real.browser_pss_mib, undefined, 0],
    ["processor time of a native peer, ms a second", a(real.work.ran_ms) / real.native, undefined, 1],
  ];
  const shown = (/** @type {number | undefined} */ number, /** @type {number} */ digits) => (number === undefined ? "–" : number.toFixed(digits)).padStart(10);
  const width = Math.max(...rows.map(([name]) => name.length));
  const lines = [
    `${real.native} native peers and ${real.pages} pages, ${real.processors} processors, ${real.seconds.toFixed(0)} s; documents ${spread(real.routed_share)}, simulated ones ${spread(simulated.routed_share)}`,
    `${"".padEnd(width)} ${"real".padStart(10)} ${"simulator".padStart(10)} ${"ratio".padStart(7)}`,
  ];
  const reasons = [];
  for (const [name, is, would, digits, why] of rows) {
    const ratio = is !== undefined && would ? is / would : undefined;
    lines.push(`${name.padEnd(width)} ${shown(is, digits)} ${shown(would, digits)} ${(ratio?.toFixed(2) ?? "").padStart(7)}`);
    const differs = ratio !== undefined ? ratio > DIFFERENT || ratio < 1 / DIFFERENT : is !== undefined && would !== undefined && is !== would;
    if (differs) reasons.push(`${name.trim()}: ${why ?? "nothing that was measured says why"}`);
  }
  lines.push(
    `processors busy: ${busy(real.all_work)} % (native peers ${busy(real.work)}, browser ${busy(real.browser_work)}, this program ${busy(real.harness_work)})`,
    ...(wire ? [`loopback: ${packets.toFixed(0)} packets a second for each peer, of ${(wire / packets).toFixed(0)} bytes`] : []),
  );
  return [...lines, ...reasons.map((reason) => `why they differ · ${reason}`)];
}

/** @param {number} routed the share of peers that send documents where they are wanted */
function spread(routed) {
  if (routed === 0) return "flood (as in any network of fewer than 64 peers)";
  return routed === 1 ? "go by routes" : `go by routes at ${(routed * 100).toFixed(0)} % of the peers`;
}
