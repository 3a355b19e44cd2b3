// What processes take of the machine, and what goes over its loopback interface: by Linux's /proc.

import { readFileSync, readdirSync } from "node:fs";
import { availableParallelism } from "node:os";

/** Of the numbers in /proc that count ticks: what every Linux has. */
const TICKS_PER_S = 100;

/** @param {string} path */
const read = (path) => readFileSync(`/proc/${path}`, "utf8");

/** The number behind a name in a file of lines like `VmRSS: 12 kB`. @param {string} text @param {string} name */
const field = (text, name) => Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(text)?.[1]);

/** Memory that programs can still have, in MiB. */
export const availableMib = () => field(read("meminfo"), "MemAvailable") / 1024;

/** The processors that this machine has for us. */
export const PROCESSORS = availableParallelism();

/** A process and all that it started. @param {number} root @returns {number[]} */
export function family(root) {
  const parents = new Map(
    readdirSync("/proc").filter((name) => /^\d+$/.test(name)).flatMap((name) => {
      const stat = attempt(() => afterName(read(`${name}/stat`)));
      return stat ? [/** @type {const} */ ([Number(name), Number(stat[1])])] : [];
    }),
  );
  const found = [root];
  for (const one of found) parents.forEach((parent, pid) => parent === one && found.push(pid));
  return found;
}

/** MiB that a process has in RAM, and its share of them where others have the same. @param {number} pid */
export function memory(pid) {
  return {
    rss: field(read(`${pid}/status`), "VmRSS") / 1024,
    pss: field(attempt(() => read(`${pid}/smaps_rollup`)) ?? "", "Pss") / 1024,
  };
}

/**
 * What some processes have taken so far: milliseconds that they ran; and by the scheduler's count milliseconds that
 * they were ready and waited for a processor, and how often one was given to them.
 * @param {number[]} pids
 */
export function work(pids) {
  const sum = { ran_ms: 0, waited_ms: 0, turns: 0 };
  for (const pid of pids) {
    const stat = attempt(() => afterName(read(`${pid}/stat`)));
    if (!stat) continue; // It has ended.
    sum.ran_ms += ((Number(stat[11]) + Number(stat[12])) * 1000) / TICKS_PER_S;
    for (const task of attempt(() => readdirSync(`/proc/${pid}/task`)) ?? []) {
      const [, waited, turns] = attempt(() => read(`${pid}/task/${task}/schedstat`).split(" ").map(Number)) ?? [0, 0, 0];
      sum.waited_ms += waited / 1e6;
      sum.turns += turns;
    }
  }
  return sum;
}

/** Milliseconds that all processors have worked so far, for anybody. */
export function busy() {
  const [user, nice, system, , , irq, softirq, steal] = read("stat").split("\n", 1)[0].split(/\s+/).slice(1).map(Number);
  return { ran_ms: ((user + nice + system + irq + softirq) * 1000) / TICKS_PER_S, stolen_ms: (steal * 1000) / TICKS_PER_S };
}

/** Bytes and packets that have gone over the loopback interface so far, with all their headers. */
export function loopback() {
  const numbers = read("net/dev").split("\n").find((line) => line.trim().startsWith("lo:"))?.split(":")[1].trim().split(/\s+/).map(Number) ?? [];
  return { bytes: numbers[8], packets: numbers[9] };
}

/** What follows the name of a process, which may have spaces in it. @param {string} stat */
const afterName = (stat) => stat.slice(stat.lastIndexOf(")") + 2).split(" ");

/** Nothing where the process has ended meanwhile. @template T @param {() => T} code */
function attempt(code) {
  try {
    return code();
  } catch {
    return undefined;
  }
}

/**
 * How much each number has grown. @template {Record<string, number>} T
 * @param {T} before @param {T} after @returns {T}
 */
export const grown = (before, after) =>
  /** @type {T} */ (Object.fromEntries(Object.entries(after).map(([name, value]) => [name, value - before[name]])));
