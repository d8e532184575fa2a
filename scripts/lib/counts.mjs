// Reads how many tests a runner ran from what it printed, one reader per runner. A reader returns `{ passed, failed, skipped }`, or
// null when it finds no summary.

import { stripAnsi } from "./step.mjs";

/** Readers by name, for the table of test steps. */
export const READERS = { cargo, nextest, nodeTest, playwright, pytest, vitest };

/** `test result: ok. 3 passed; 0 failed; 1 ignored; …`, once per binary; also wasm-bindgen's runner and doc tests. */
function cargo(output) {
  return sum([...output.matchAll(/^test result: \w+\. (\d+) passed; (\d+) failed; (\d+) ignored/gm)]);
}

/** `Summary [ 1.2s] 25 tests run: 24 passed (1 slow), 1 failed, 2 skipped`; also `1 timed out` and `1 exec failed`. */
function nextest(output) {
  const summary = output.match(/^\s*Summary \[.*$/m)?.[0];
  if (summary === undefined) return null;
  const failed = ["failed", "exec failed", "timed out"].reduce((total, word) => total + number(summary, new RegExp(`(\\d+) ${word}`)), 0);
  return { passed: number(summary, /(\d+) passed/), failed, skipped: number(summary, /(\d+) skipped/) };
}

/** `ℹ pass 3`, or `# pass 3` as TAP. */
function nodeTest(output) {
  if (!/^(ℹ|#) pass \d+/m.test(output)) return null;
  const of = (word) => number(output, new RegExp(`^(?:ℹ|#) ${word} (\\d+)`, "m"));
  return { passed: of("pass"), failed: of("fail") + of("cancelled"), skipped: of("skipped") + of("todo") };
}

/** `12 passed (30.1s)` on a line of its own; failures, flaky tests (which count as failed) and skips on theirs. */
function playwright(output) {
  const of = (word) => number(output, new RegExp(`^\\s*(\\d+) ${word}\\b`, "m"));
  const total = { passed: of("passed"), failed: of("failed") + of("flaky") + of("interrupted"), skipped: of("skipped") + of("did not run") };
  return total.passed + total.failed + total.skipped === 0 ? null : total;
}

/** `=== 3 passed, 1 failed, 2 skipped in 0.31s ===`, or the same without the rule (`-q`). */
function pytest(output) {
  const summary = [...output.matchAll(/^=* ?((?:\d+ \w+(?:, )?)+) in [\d.]+s.*$/gm)].at(-1)?.[1];
  if (summary === undefined) return null;
  const of = (...words) => words.reduce((total, word) => total + number(summary, new RegExp(`(\\d+) ${word}\\b`)), 0);
  return { passed: of("passed", "xfailed"), failed: of("failed", "error", "errors", "xpassed"), skipped: of("skipped") };
}

/** `      Tests  1 failed | 10 passed | 2 skipped (13)`. */
function vitest(output) {
  const summary = output.match(/^\s*Tests {2}.*$/m)?.[0];
  if (summary === undefined) return null;
  return { passed: number(summary, /(\d+) passed/), failed: number(summary, /(\d+) failed/), skipped: number(summary, /(\d+) (?:skipped|todo)/) };
}

/**
 * What one step adds to the totals. A step without a reader is one test. A runner that ended well but ran nothing, or ended badly
 * without naming a failure, counts as one failure: nothing passes by not running.
 */
export function tally(reader, output, succeeded) {
  if (reader === undefined) return { passed: succeeded ? 1 : 0, failed: succeeded ? 0 : 1, skipped: 0 };
  const counts = READERS[reader](stripAnsi(output));
  if (counts === null || counts.passed + counts.failed === 0) return { passed: 0, failed: 1, skipped: counts?.skipped ?? 0 };
  return succeeded ? counts : { ...counts, failed: Math.max(1, counts.failed) };
}

function sum(matches) {
  if (matches.length === 0) return null;
  const at = (index) => matches.reduce((total, match) => total + Number(match[index]), 0);
  return { passed: at(1), failed: at(2), skipped: at(3) };
}

function number(text, pattern) {
  return Number(text.match(pattern)?.[1] ?? 0);
}
