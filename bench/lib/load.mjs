// Calls of the load generator. Each gives what it printed.

import { run, start, stop, until } from "./children.mjs";
import { API_KEY, LOAD } from "./programs.mjs";

/** Many answers at once. `server` is one of `startOutcrop`, `startNode`, or the emulator itself for no proxy at all. */
export function streams(server, scenario, { streams, spreadMs = 0, windowMs }) {
  const window = windowMs === undefined ? [] : ["--window-ms", windowMs];
  const stamped = scenario.stamped ? ["--stamped"] : [];
  return measured("streams", server, scenario, ["--streams", streams, "--spread-ms", spreadMs, ...window, ...stamped]);
}

/** One answer after the other. */
export function turns(server, scenario, { turns, warmUp }) {
  return measured("turns", server, scenario, ["--turns", turns, "--warm-up", warmUp]);
}

/** Opens sockets that do nothing, runs `work`, closes them. */
export async function withIdle(server, sockets, work) {
  const child = start(LOAD, ["idle", "--server", server.address, "--sockets", String(sockets)], { stdin: "pipe" });
  try {
    const line = await until(child, () => child.stdoutText.match(/^.*\n/)?.[0], `${sockets} sockets are open`, 60_000);
    const { open } = JSON.parse(line);
    if (open !== sockets) throw new Error(`${open} of ${sockets} sockets are open`);
    return await work();
  } finally {
    await stop(child);
  }
}

async function measured(command, server, scenario, args) {
  const target = server.pid === undefined
    ? ["--bedrock", server.address, "--api-key", API_KEY]
    : ["--server", server.address, "--pid", server.pid];
  const asked = ["--prompt", scenario.prompt, "--tokens", scenario.tokens];
  const text = await run(LOAD, [command, ...target, ...asked, ...args].map(String));
  return JSON.parse(text);
}
