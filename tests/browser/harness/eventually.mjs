// Waiting for conditions: no test sleeps and hopes.

/** Far longer than anything should take, also on a machine that is busy with other tests. */
const PATIENCE_MS = 40_000;
const GLANCE_MS = 25;

/**
 * Waits until `condition` gives something (not undefined, null or false), and gives that.
 *
 * @template T
 * @param {string} what is waited for, to be read in a failure
 * @param {() => T | Promise<T>} condition looked at again and again; what it throws counts as "not yet"
 * @param {{ within?: number, state?: () => unknown }} [options] milliseconds; what to show in a failure
 * @returns {Promise<NonNullable<T>>}
 */
export async function eventually(what, condition, { within = PATIENCE_MS, state } = {}) {
  const deadline = Date.now() + within;
  let fault;
  for (;;) {
    try {
      fault = undefined;
      const value = await condition();
      if (value !== undefined && value !== null && value !== false) return value;
    } catch (error) {
      fault = error;
    }
    if (Date.now() > deadline) {
      let seen = "";
      if (state) {
        const shown = await Promise.resolve().then(state).catch(String);
        seen = `\nlast seen: ${typeof shown === "string" ? shown : JSON.stringify(shown)}`;
      }
      throw new Error(`in ${within / 1000} s not: ${what}${seen}`, fault ? { cause: fault } : undefined);
    }
    await pause(GLANCE_MS);
  }
}

/** @param {number} ms */
export const pause = (ms) => new Promise((done) => setTimeout(done, ms));
