// The npm package `peer` as its manual starts it, on a free port; prints its address.
import { PeerServer } from "peer";

const server = PeerServer({ host: "127.0.0.1", port: 0, path: "/" }, (http) =>
  console.log(`127.0.0.1:${http.address().port}`),
);
server.on("error", (error) => console.error(`peer: ${error}`));
