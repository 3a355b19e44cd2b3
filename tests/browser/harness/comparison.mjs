// The figures of a real mesh beside those of a simulated one, and why they differ.

/** From this ratio on a difference is to be explained. */
const DIFFERENT = 1.5;
/** What each packet has beside frames: Ethernet's header, which loopback counts as well, and those of IPv4, UDP, a DTLS
 *  record with AES-GCM, SCTP and one of its chunks, of data or an acknowledgement. */
const HEADERS = 14 + 20 + 8 + 37 + 12 + 16;

/** @typedef {number | undefined} Maybe */
/** @typedef {{ name: string, digits: number, real: Maybe, simulated: Maybe, slow: Maybe, native?: number, why?: string }} Row
 * `native`: what it is without pages. */

/**
 * @param {any} real as swarm.mjs measures them
 * @param {any} simulated as `taiinet-sim --json` prints them
 * @param {{ figures: any, longest_ms: number, runs: number, alike: number }} slow the same with links that are as late
 *   as the real ones, of so many runs of which so many spread documents as the real mesh does
 * @returns {string[]}
 */
export function compared(real, simulated, slow) {
  const each = (/** @type {number} */ amount) => amount / real.seconds / (real.native + real.pages);
  const [wire, packets] = real.loopback ? [each(real.loopback.bytes), each(real.loopback.packets)] : [];
  const frames = wire !== undefined && packets !== undefined ? wire - packets * HEADERS : undefined;
  const headers = packets && frames && `${packets.toFixed(0)} packets a second with ${HEADERS} bytes of headers each, ${(packets * HEADERS).toFixed(0)} in all; the rest are frames, ${frames.toFixed(0)}, and the simulator counts these alone`;
  const explained = headers && [simulated, slow.figures].some((one) => alike(frames / one.bytes_per_s)) ? headers : undefined;
  const chance = slow.alike > 0 ? `of ${slow.runs} runs of the simulator with links about as late as here, ${slow.alike} spread documents as this mesh does; a root counts peers twice while they change parents, and takes routes where it counts 64` : undefined;
  /** Those that the simulator has as well. @param {string} name @param {string} figure @param {number} [digits] @returns {Row} */
  const both = (name, figure, digits = 0) => ({ name, digits, real: real[figure], simulated: simulated[figure], slow: slow.figures[figure] });
  /** @param {string} name @param {Maybe} number @param {number} [digits] @returns {Row} */
  const here = (name, number, digits = 0) => ({ name, digits, real: number, simulated: undefined, slow: undefined });
  /** @type {Row[]} */
  const rows = [
    both("documents published", "published"),
    both("deliveries due", "due"),
    both("delivered", "delivered"),
    both("delivered twice", "doubles"),
    both("delay, ms: median", "p50_ms"),
    { ...both("  99 of 100 within", "p99_ms"), native: real.native_p99_ms },
    { ...both("  longest", "slowest_ms"), native: real.native_slowest_ms },
    here("  into pages: median", real.pages_p50_ms),
    here("  into pages: 99 of 100 within", real.pages_p99_ms),
    both("most links that a document crossed, mean", "last_hop", 1),
    both("links of a peer, mean", "links_mean", 1),
    both("copies beyond the first, for each first", "copies", 2),
    both("documents carried unwanted, for each wanted", "unwanted_per_wanted", 2),
    { ...both("share of the peers that send by routes", "routed_share", 2), why: chance },
    { ...both("bytes that a peer sends a second", "bytes_per_s"), real: wire, why: explained },
    here("first link of a native peer, ms: median", real.joined_p50_ms),
    here("  the last", real.joined_last_ms),
    here("  of a page, the last", real.pages_joined_last_ms),
    here("memory of a native peer, MiB: resident", real.rss_mib, 1),
    here("  its share (PSS)", real.pss_mib, 1),
    here("memory of the browser with the pages, MiB (PSS)", real.browser_pss_mib),
    here("processor time of a native peer, ms a second", real.work.ran_ms / real.seconds / real.native, 1),
  ];
  const width = Math.max(...rows.map(({ name }) => name.length));
  const cells = (/** @type {string[]} */ ...all) => all.map((one) => one.padStart(10)).join(" ");
  const shown = (/** @type {Maybe} */ number, /** @type {number} */ digits) => (number === undefined || Number.isNaN(number) ? "–" : number.toFixed(digits));
  const busy = (/** @type {{ ran_ms: number }} */ work) => `${(work.ran_ms / real.seconds / 10 / real.processors).toFixed(0)} %`;
  return [
    `${real.native} native peers and ${real.pages} pages on ${real.processors} processors, ${real.seconds.toFixed(0)} s; documents ${spread(real.routed_share)}, in the simulator ${spread(simulated.routed_share)}`,
    `"slow": the simulator with links of 1 to ${slow.longest_ms} ms, since nine of ten real deliveries took up to ${real.link_p90_ms.toFixed(1)} for each link, and with documents that spread as here; else a link takes 1 ms`,
    `${"".padEnd(width)} ${cells("real", "simulator", "ratio", "slow")}`,
    ...rows.map((row) => {
      const ratio = quotient(row.real, row.simulated)?.toFixed(2) ?? "";
      return `${row.name.padEnd(width)} ${cells(shown(row.real, row.digits), shown(row.simulated, row.digits), ratio, shown(row.slow, row.digits))}`;
    }),
    `processors busy: ${busy(real.all_work)}: native peers ${busy(real.work)}, browser ${busy(real.browser_work)}, this program ${busy(real.harness_work)}, the system and other programs the rest`,
    `a process that is ready waits ${(real.work.waited_ms / real.work.turns).toFixed(2)} ms for a processor in the mean, which the simulator's clock does not count, nor what computing takes`,
    ...(headers ? [`a peer sends ${headers}`] : []),
    ...rows.flatMap((row) => reason(row, Math.abs(real.routed_share - simulated.routed_share) >= 0.5) ?? []),
  ];
}

/** @param {Maybe} one @param {Maybe} other */
const quotient = (one, other) => (one !== undefined && other ? one / other : undefined);
/** @param {number} ratio */
const alike = (ratio) => ratio <= DIFFERENT && ratio >= 1 / DIFFERENT;

/** Why a figure differs, by what was measured. @param {Row} row @param {boolean} otherwise whether documents spread otherwise */
function reason({ name, digits, real, simulated, slow, native, why }, otherwise) {
  if (real === undefined || simulated === undefined || real === simulated) return undefined;
  const [ratio, slower] = [quotient(real, simulated), quotient(real, slow)];
  if (ratio !== undefined && alike(ratio)) return undefined;
  const between = slow !== undefined && real >= Math.min(simulated, slow) && real <= Math.max(simulated, slow);
  const nearer = ratio !== undefined && slower !== undefined && Math.abs(Math.log(slower)) < Math.abs(Math.log(ratio));
  const because = `links take longer${otherwise ? ", and documents spread otherwise" : ""}: with such links it is ${slow?.toFixed(digits)} in the simulator`;
  const known = between || (slower !== undefined && alike(slower)) || (otherwise && nearer);
  const ofPages = native !== undefined && simulated && (native <= Math.max(simulated, slow ?? 0) || alike(native / simulated)) ? `pages: into native peers it is ${native.toFixed(digits)}` : undefined;
  return `differs · ${name.trim()}: ${why ?? (known ? because : (ofPages ?? "nothing that was measured says why"))}`;
}

/** @param {number} routed the share of peers that send documents where they are wanted */
function spread(routed) {
  if (routed === 0) return "flood (fewer than 64 peers)";
  return routed === 1 ? "go by routes" : `go by routes at ${(routed * 100).toFixed(0)} % of the peers`;
}
