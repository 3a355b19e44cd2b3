import { connect } from "/demo.js";

// The peer of this page passes documents on like any other; it asks for none itself.
await connect();
