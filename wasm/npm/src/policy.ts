// What the page's Content-Security-Policy forbids (https://www.w3.org/TR/CSP3). The browser tells scripts so by
// an event alone: what is forbidden fails as if it were broken.

interface Violation {
  directive: string;
  /** An address, or `wasm-eval`. */
  uri: string;
}

/** As many as a page has kinds of, and no more of one that goes wrong again and again. */
const KEPT = 64;
const violations: Violation[] = [];
let watching = false;

/** From the first peer on. */
export function watchPolicy(): void {
  if (watching || typeof addEventListener === "undefined") return;
  watching = true;
  addEventListener("securitypolicyviolation", ({ disposition, effectiveDirective: directive, blockedURI: uri }: SecurityPolicyViolationEvent) => {
    if (disposition !== "enforce" || violations.some((known) => known.uri === uri && known.directive === directive)) return;
    violations.push({ directive, uri });
    if (violations.length > KEPT) violations.shift();
  });
}

/** Whether connections to this address are forbidden. */
export function forbidsConnecting(address: string | URL): boolean {
  const wanted = origin(address);
  return violations.some(({ directive, uri }) => directive === "connect-src" && origin(uri) === wanted);
}

/** Whether WebAssembly is forbidden, as one sees by this error or as was told. */
export function forbidsWasm(error: unknown): boolean {
  return violations.some(({ uri }) => uri === "wasm-eval") || (error instanceof WebAssembly.CompileError && /content.security.policy|\bCSP\b/i.test(error.message));
}

/** Scheme, host and port, as they stand in a policy. */
export function origin(address: string | URL): string {
  try {
    const { protocol, host } = new URL(address);
    return `${protocol}//${host}`;
  } catch {
    return String(address);
  }
}
