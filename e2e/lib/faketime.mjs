// The time that programs and pages of a picture have: always the same, in UTC.

import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";

/** A Thursday in the middle of a month, at noon. */
export const NOON = Date.UTC(2026, 0, 15, 12);

/**
 * The environment in which a program's clock begins at noon, of so many days before. Only the time of day is another: what it waits for takes as long as ever.
 * Debian has the library in `libfaketime`; `LIBFAKETIME` is its path elsewhere.
 */
export function atNoon({ daysBefore = 0 } = {}) {
  const begin = new Date(NOON - daysBefore * 86_400_000).toISOString().replace("T", " ").slice(0, 19);
  return { LD_PRELOAD: library(), FAKETIME: `@${begin}`, FAKETIME_DONT_FAKE_MONOTONIC: "1", NO_FAKE_STAT: "1", TZ: "UTC" };
}

function library() {
  const candidates = [process.env.LIBFAKETIME, ...readdirSync("/usr/lib").map((folder) => join("/usr/lib", folder, "faketime/libfaketime.so.1"))];
  const found = candidates.find((path) => path && existsSync(path));
  if (found === undefined) throw new Error("libfaketime is missing: install Debian's libfaketime (npm test does), or set LIBFAKETIME to the path of libfaketime.so.1");
  return found;
}
