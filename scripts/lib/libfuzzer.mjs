// What libFuzzer is told and what it says.

import { Advice } from "./failures.mjs";

/** The arguments of `npm run fuzz`: names of targets, a number of seconds, `--keep`. */
export function readArguments(args, known, defaultSeconds) {
  const names = args.filter((word) => known.includes(word));
  const numbers = args.filter((word) => /^\d+$/.test(word)).map(Number);
  const keep = args.includes("--keep");
  const other = args.find((word) => !known.includes(word) && !/^\d+$/.test(word) && word !== "--keep");
  if (other !== undefined) throw new Advice(`npm run fuzz knows ${known.join(", ")}, a number of seconds and --keep; not ${other}.`);
  if (numbers.length > 1 || numbers[0] === 0) throw new Advice("One number of seconds, above 0: it holds for each target.");
  if (keep && numbers.length > 0) throw new Advice("--keep runs nothing: it takes no seconds.");
  return { names: names.length === 0 ? known : [...new Set(names)], seconds: numbers[0] ?? defaultSeconds, keep };
}

/** A run's last lines as one: `1,234 executions (56/s) · coverage 789 · 3 new inputs`. */
export function readStatistics(lines) {
  const stat = (name) => Number(lines.findLast((line) => line.startsWith(`stat::${name}:`))?.split(":").at(-1));
  const coverage = coverageIn(lines);
  const all = [stat("number_of_executed_units"), stat("average_exec_per_sec"), stat("new_units_added"), coverage];
  if (all.some((number) => !Number.isFinite(number))) throw new Error(`no statistics in:\n${lines.slice(-12).join("\n")}`);
  const [executions, perSecond, added] = all.map((number) => number.toLocaleString("en"));
  return `${executions} executions (${perSecond}/s) · coverage ${coverage} · ${added} new inputs`;
}

/** The newest line of progress; empty if there was none. */
export function lastProgress(lines) {
  return lines.findLast((line) => /^#\d+\s/.test(line))?.replaceAll(/\s+/g, " ") ?? "";
}

/** The number of edges reached, from the newest line that has it; NaN if none has. */
function coverageIn(lines) {
  return Number(lines.findLast((line) => /\bcov: \d+/.test(line))?.match(/\bcov: (\d+)/)[1]);
}

/** What a program said when it panicked: the line that says where, and what follows up to the backtrace. */
export function panicLines(lines) {
  const start = lines.findLastIndex((line) => /^thread .* panicked at /.test(line));
  if (start < 0) return lines.filter((line) => line.includes("ERROR: libFuzzer"));
  const rest = lines.slice(start);
  const end = rest.findIndex((line) => /^(note: |stack backtrace:|==\d+==)/.test(line));
  return end < 0 ? rest : rest.slice(0, end);
}
