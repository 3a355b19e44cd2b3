// What code sees that `evaluate` runs in a page.

/** Of `page.js`. */
declare var inPage: any;
/** Of the tests themselves. */
declare var connections: RTCPeerConnection[];
declare var memories: WebAssembly.Memory[];
declare var rounds: { count: number; first: number; rates: number[] };
declare var bareChannel: { count: number; first: number; last: number; connection: RTCPeerConnection };
