// Several servers in one terminal: each line carries its server's name, and the end of one ends all.

import { createInterface } from "node:readline";
import { endAllChildren, exitCode, startChild } from "./children.mjs";

/** Runs all `servers` (`{ name, command, args, cwd, env }`) until one ends or a signal comes; returns the code of the first to end. */
export async function runTogether(servers, out = process.stdout) {
  const width = Math.max(...servers.map(({ name }) => name.length));
  const ends = servers.map(({ name, command, args, cwd, env }) => {
    const child = startChild(command, args, { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream, crlfDelay: Infinity }).on("line", (line) => out.write(`${name.padEnd(width)} │ ${line}\n`));
    }
    return exitCode(child);
  });
  const code = await Promise.race(ends);
  await endAllChildren();
  return code;
}
