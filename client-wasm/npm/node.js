// The package in Node, Deno and Bun. What differs there: fetch does not read files, so the module is read from the disk.

import { readFile } from "node:fs/promises";
import { ChatClient as Client } from "./index.js";

export * from "./index.js";

const module = () => readFile(new URL("outcrop_client_bg.wasm", import.meta.url));

export class ChatClient extends Client {
  constructor(options) {
    super({ module, ...options });
  }
}
