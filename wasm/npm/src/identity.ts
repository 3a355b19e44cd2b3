// The secret key of this origin: made at first use, kept in IndexedDB, wrapped by a WebCrypto key
// whose bytes no script can read. That protects a copy of what scripts can read (a backup, a dump of
// the database by a script), not the key from scripts of this origin: they can unwrap it, as we do. It
// must be unwrapped, since WebCrypto has no X25519 of an Ed25519 key and no Ed25519 in all browsers.

import { TaiiNetError } from "./errors.js";

const DATABASE = "taiinet";
const STORE = "identities";
const SEED_BYTES = 32;
/** Longer than any database takes; some browsers' never answers. */
const ANSWER_MS = 4000;

interface StoredIdentity {
  /** Not extractable. */
  wrapping: CryptoKey;
  iv: Uint8Array<ArrayBuffer>;
  wrapped: ArrayBuffer;
}

/** Where a secret key is kept. */
export interface Vault {
  /** Why the key is not kept; undefined if it is. */
  readonly warning?: string;
  /** Whether other tabs have the same key. */
  readonly isKept: boolean;
  /** A copy of the key, made if there is none; to be wiped. */
  seed(): Promise<Uint8Array<ArrayBuffer>>;
  replace(seed: Uint8Array<ArrayBuffer>): Promise<void>;
}

/** The vault of a named identity; one in memory where nothing can be kept. */
export async function openVault(name: string): Promise<Vault> {
  try {
    const database = await open();
    const vault = new DatabaseVault(database, name);
    (await vault.load()).fill(0);
    return vault;
  } catch (error) {
    if (error instanceof TaiiNetError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    return new MemoryVault(`this browser keeps no data here (${reason}), so the identity lasts until the page is closed; identity.export() can save it`);
  }
}

/** A key that lives and dies with the page. */
export class MemoryVault implements Vault {
  readonly warning?: string;
  readonly isKept = false;
  #seed = fresh();

  constructor(warning?: string) {
    if (warning !== undefined) this.warning = warning;
  }

  async seed(): Promise<Uint8Array<ArrayBuffer>> {
    return this.#seed.slice();
  }

  async replace(seed: Uint8Array<ArrayBuffer>): Promise<void> {
    this.#seed.fill(0);
    this.#seed = seed.slice();
  }
}

class DatabaseVault implements Vault {
  readonly isKept = true;
  readonly #database: IDBDatabase;
  readonly #name: string;

  constructor(database: IDBDatabase, name: string) {
    this.#database = database;
    this.#name = name;
  }

  seed(): Promise<Uint8Array<ArrayBuffer>> {
    return this.load().catch(notKept);
  }

  /** As {@link seed}; what it throws is the browser's. */
  async load(): Promise<Uint8Array<ArrayBuffer>> {
    const kept = await this.#request<StoredIdentity | undefined>("readonly", (store) => store.get(this.#name));
    if (kept) return unwrap(kept);
    const seed = fresh();
    // Two tabs may come here at once: the first to add wins, and both read what it added.
    const added = await wrap(seed);
    seed.fill(0);
    await this.#request("readwrite", (store) => store.add(added, this.#name)).catch((error: unknown) => {
      if ((error as DOMException | null)?.name !== "ConstraintError") throw error;
    });
    return this.load();
  }

  async replace(seed: Uint8Array<ArrayBuffer>): Promise<void> {
    const kept = await wrap(seed);
    await this.#request("readwrite", (store) => store.put(kept, this.#name)).catch(notKept);
  }

  #request<T>(mode: IDBTransactionMode, make: (store: IDBObjectStore) => IDBRequest): Promise<T> {
    return answered((resolve, reject) => {
      const transaction = this.#database.transaction(STORE, mode);
      const request = make(transaction.objectStore(STORE));
      // Only what is committed is kept.
      transaction.oncomplete = () => resolve(request.result as T);
      transaction.onabort = () => reject(transaction.error ?? request.error);
    });
  }
}

function notKept(error: unknown): never {
  if (error instanceof TaiiNetError) throw error;
  throw new TaiiNetError("identity", `the kept identity cannot be reached: ${error instanceof Error ? error.message : String(error)}; reload the page`);
}

/** As a promise of the browser's database, which is to answer. */
function answered<T>(ask: (resolve: (value: T) => void, reject: (error: unknown) => void) => void): Promise<T> {
  let timer: ReturnType<typeof setTimeout>;
  const answer = new Promise<T>((resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`IndexedDB has not answered within ${ANSWER_MS / 1000} s`)), ANSWER_MS);
    ask(resolve, reject);
  });
  return answer.finally(() => clearTimeout(timer));
}

function open(): Promise<IDBDatabase> {
  return answered((resolve, reject) => {
    if (typeof indexedDB === "undefined") throw new Error("there is no IndexedDB");
    const request = indexedDB.open(DATABASE, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE);
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
    request.onblocked = () => reject(new Error("another tab blocks the database"));
  });
}

async function wrap(seed: Uint8Array<ArrayBuffer>): Promise<StoredIdentity> {
  const wrapping = await crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
  const iv = crypto.getRandomValues(new Uint8Array(12));
  return { wrapping, iv, wrapped: await crypto.subtle.encrypt({ name: "AES-GCM", iv }, wrapping, seed) };
}

async function unwrap({ wrapping, iv, wrapped }: StoredIdentity): Promise<Uint8Array<ArrayBuffer>> {
  const seed = new Uint8Array(await crypto.subtle.decrypt({ name: "AES-GCM", iv }, wrapping, wrapped));
  if (seed.length !== SEED_BYTES) throw new TaiiNetError("identity", "the kept identity is damaged; clear this site's data to start afresh");
  return seed;
}

function fresh(): Uint8Array<ArrayBuffer> {
  return crypto.getRandomValues(new Uint8Array(SEED_BYTES));
}
