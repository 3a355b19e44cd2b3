// How the build alters what it takes in: less of it, and asynchronous.

import { readFileSync } from "node:fs";

/** Key files have a passphrase (scrypt): age's other kinds of recipients, and their curves, are never
 *  called. They are two thirds of it. */
export const unused = {
  name: "unused",
  setup(build) {
    build.onResolve({ filter: /^@noble\/(post-quantum\/hybrid|curves\/(nist|ed25519))\.js$/ }, ({ path }) => ({ path, namespace: "unused", sideEffects: false }));
    build.onLoad({ filter: /./, namespace: "unused" }, () => ({ contents: "export const MLKEM768P256 = null, MLKEM768X25519 = null, p256 = null, x25519 = null;" }));
  },
};

/** Scrypt takes seconds, in which the page would stand still: age is made to use the one that pauses every 10 ms (it
 *  awaits what its recipients do already), and that to pause by a message. Where it has `scheduler.yield`, it would go on
 *  before all timers and messages of others; timers alone come once a second in hidden pages. */
export const patient = {
  name: "patient",
  setup(build) {
    build.onLoad({ filter: /age-encryption\/dist\/recipients\.js$/ }, ({ path }) => {
      const parts = readFileSync(path, "utf8").split(/(?=^export )/m);
      const contents = parts.map((part) => {
        if (!/^export class Scrypt/.test(part)) return part;
        return replaced(replaced(part, /^ {4}(?=(un)?wrapFileKey\()/m, "    async "), "= scrypt(", "= await scryptAsync(");
      });
      return { contents: replaced(contents.join(""), "import { scrypt }", "import { scryptAsync }") };
    });
    build.onLoad({ filter: /@noble\/hashes\/utils\.js$/ }, ({ path }) => {
      const original = readFileSync(path, "utf8");
      // Versions that other dependencies bring along have no such pause.
      if (!original.includes("scheduler?.yield")) return { contents: original };
      const contents = replaced(original, "typeof host.scheduler?.yield === 'function'", "false");
      return { contents: `${replaced(contents, "host.setTimeout(resolve, 0)", "pauseByMessage(resolve)")}${pauseByMessage}` };
    });
  },
};

function pauseByMessage(resume) {
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = () => (port1.close(), resume());
  port2.postMessage(0);
}

function replaced(text, what, by) {
  const changed = text.replace(what, by);
  if (changed === text) throw new Error(`a dependency has changed: ${what} is not there`);
  return changed;
}
