// As much of IndexedDB as identity.ts uses: one store, in memory, that all tabs share.

/** What the store holds, by name. */
export const kept = new Map();

class Request {
  result = undefined;
  error = null;
}

function transaction() {
  const one = { oncomplete: undefined, onabort: undefined, error: null };
  const request = (work) => {
    const made = new Request();
    queueMicrotask(() => {
      try {
        made.result = work();
        one.oncomplete?.();
      } catch (error) {
        one.error = error;
        one.onabort?.();
      }
    });
    return made;
  };
  const store = {
    get: (name) => request(() => kept.get(name)),
    put: (value, name) => request(() => kept.set(name, value) && name),
    add: (value, name) =>
      request(() => {
        if (kept.has(name)) throw new DOMException("it is there", "ConstraintError");
        return kept.set(name, value) && name;
      }),
  };
  return Object.assign(one, { objectStore: () => store });
}

export const indexedDB = {
  open() {
    const made = new Request();
    made.result = { transaction, createObjectStore() {} };
    queueMicrotask(() => made.onsuccess?.());
    return made;
  },
};
