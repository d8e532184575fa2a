// What the figures were made on and with. No names of machines, people or folders.

import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { arch, cpus, loadavg, platform, totalmem } from "node:os";
import { join } from "node:path";
import { BENCH, CHROMIUM, ROOT } from "./programs.mjs";

export function machine() {
  const { dependencies } = JSON.parse(readFileSync(join(BENCH, "package.json"), "utf8"));
  return {
    date: new Date().toISOString().slice(0, 10),
    cpu: `${cpus().length} cores, ${cpus()[0].model.trim()}, ${Math.round(totalmem() / 1024 ** 3)} GiB, ${platform()} ${arch()}`,
    load: loadavg()[0].toFixed(1),
    versions: [
      version("rustc", ["--version"], /^rustc [\d.]+/),
      `Node ${process.versions.node}`,
      ...["ws", "@aws-sdk/client-bedrock-runtime", "@tanstack/ai-client"].map((name) => `${name} ${dependencies[name]}`),
      ...["hyper", "tokio", "tungstenite", "aws-sdk-bedrockruntime"].map((name) => `${name} ${locked(name)}`),
      version(CHROMIUM, ["--version"], /Chromium [\d.]+/),
    ].filter((text) => text !== null),
  };
}

function version(command, args, pattern) {
  try {
    return execFileSync(command, args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).match(pattern)?.[0] ?? null;
  } catch {
    return null;
  }
}

function locked(name) {
  return readFileSync(join(ROOT, "Cargo.lock"), "utf8").match(new RegExp(`^name = "${name}"\nversion = "([^"]+)"$`, "m"))?.[1] ?? "?";
}
