// The pages' server: the npm package as it is published, and an empty page that runs `page.js`.

import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { createServer } from "node:http";
import { dirname, extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";

import { PACKAGE, VECTORS } from "./places.mjs";

const HERE = dirname(fileURLToPath(import.meta.url));
const TYPES = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".json": "application/json",
  ".wasm": "application/wasm",
};
/** @type {Record<string, string>} */
const FOLDERS = { "/taiinet/": PACKAGE, "/vectors/": VECTORS };
const BLANK = `<!doctype html><html lang="en"><title>test</title><link rel="icon" href="data:,">
<script type="module" src="/page.js"></script></html>`;

/**
 * Serves on a free port of 127.0.0.1.
 * @returns {Promise<{ url: string, close(): void }>}
 */
export async function serve() {
  const server = createServer(async (request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? "/", "http://x");
    const path = normalize(decodeURIComponent(pathname));
    const policy = searchParams.get("policy");
    if (path === "/") return response.writeHead(200, { "content-type": TYPES[".html"], ...(policy && { "content-security-policy": policy }) }).end(BLANK);
    const [folder] = Object.keys(FOLDERS).filter((folder) => path.startsWith(folder));
    const file = folder ? join(FOLDERS[folder], path.slice(folder.length)) : join(HERE, path);
    const found = (await stat(file).catch(() => undefined))?.isFile();
    if (!found) return response.writeHead(404).end(`no ${path}`);
    const type = TYPES[/** @type {keyof typeof TYPES} */ (extname(file))] ?? "application/octet-stream";
    response.writeHead(200, { "content-type": type, "cache-control": "no-store" });
    createReadStream(file).pipe(response);
  });
  await new Promise((done) => server.listen(0, "127.0.0.1", () => done(undefined)));
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  return { url: `http://127.0.0.1:${port}/`, close: () => server.closeAllConnections() ?? server.close() };
}
