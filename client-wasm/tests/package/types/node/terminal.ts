import { ChatClient } from "@outcrop/client";
import { readFile } from "node:fs/promises";

class Socket {
  constructor(readonly url: string | URL, readonly protocols?: string | string[]) {}
  send(data: string | Buffer): void {}
  close(code?: number, reason?: string): void {}
}

const client = new ChatClient({ url: new URL("wss://chat.example/ws"), WebSocket: Socket, module: () => readFile("module.wasm") });
for await (const chunk of client.streamMessage({ message: "Hello" })) {
  if (chunk.type === "token") process.stdout.write(chunk.content);
}
// @ts-expect-error What cannot be sent on is no socket.
new ChatClient({ WebSocket: class { close(): void {} } });
