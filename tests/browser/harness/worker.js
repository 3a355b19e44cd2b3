// A peer in a worker or service worker. It is told what to do by messages, and answers by their ports.

import { TaiiNet } from "/taiinet/index.js";

let peer;
const statuses = [];
const documents = [];
const published = [];

addEventListener("message", ({ data, ports: [port] }) => {
  if (data.start) {
    peer = new TaiiNet(data.start);
    peer.on("status", ({ state, problem, advice }) => statuses.push({ state, problem, advice }));
    peer.subscribe({}).on("data", ({ data }) => documents.push(data));
  }
  if (data.publish) peer.publish(data.publish).then((id) => published.push(id), (error) => published.push(String(error)));
  port.postMessage({ webRtc: typeof RTCPeerConnection, peerId: peer.identity.peerId, statuses, documents, published });
});
