// The figures of a real mesh beside those of a simulated one, and why they differ.

/** @param {any} real @param {any} simulated */
export function compared(real, simulated) {
  return [JSON.stringify(real), JSON.stringify(simulated)];
}
