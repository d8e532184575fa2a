import type { ConnectionStatus, ServerHello } from "@outcrop/client";
import { createSignal, type Accessor } from "solid-js";
import { isServer } from "solid-js/web";
import type { Client } from "./client.ts";
import { failureOf } from "./failure.ts";
import { pageClock } from "./ids.ts";

/** Where the connection stands, with waits as points in time and the proxy's last greeting kept while it is away. */
export interface Connection {
  readonly state: ConnectionStatus["state"];
  readonly server?: ServerHello;
  /** When the next attempt is made, in milliseconds since the epoch. */
  readonly retryAt?: number;
  /** Why it was lost, ended for good, or could not begin. */
  readonly reason?: string;
  /** The proxy's close code, where it ended the connection for good. */
  readonly code?: number;
  /** How long it took from the first attempt to the greeting, in milliseconds. */
  readonly connectMs?: number;
}

/** The connection after a status of the client. Pure. */
export function reduceConnection(before: Connection & { since?: number }, status: ConnectionStatus, now: number): Connection & { since?: number } {
  const server = status.state === "open" ? status.server : before.server;
  const since = status.state === "connecting" ? now : before.since;
  const connectMs = status.state === "open" && since !== undefined ? now - since : before.connectMs;
  return {
    state: status.state,
    ...(server === undefined ? {} : { server }),
    ...(since === undefined ? {} : { since }),
    ...(connectMs === undefined ? {} : { connectMs }),
    ...(status.state === "reconnecting" ? { retryAt: now + status.retryInMs } : {}),
    ...("reason" in status && status.reason !== undefined ? { reason: status.reason } : {}),
    ...("code" in status && status.code !== undefined ? { code: status.code } : {}),
  };
}

/** Whether the proxy wants another token: there was none, or it was refused (4500) or revoked (4503). */
export function isSignedOut(connection: { state: string; code?: number }): boolean {
  return connection.state === "closed" && (connection.code === 4500 || connection.code === 4503);
}

/** Connects a client and follows its connection until `dispose()`. On a server nothing connects: the page does, once it is there. */
export function makeConnection(options: { client: Client; clock?: () => number; onOpen?: () => void }): {
  connection: Accessor<Connection>;
  dispose: () => void;
} {
  const { client, clock = pageClock } = options;
  const [connection, setConnection] = createSignal<Connection>({ state: "idle" });
  const dispose = client.on("status", (status) => {
    setConnection((before) => reduceConnection(before, status, clock()));
    if (status.state === "open") options.onOpen?.();
  });
  const connected = isServer ? undefined : client.connect();
  connected?.catch((error: unknown) => {
    const { code, message } = failureOf(error, clock());
    setConnection((before) => ({ ...before, reason: message, ...(code === "load_failed" ? { state: "closed" } : {}) }));
  });
  return { connection, dispose };
}
