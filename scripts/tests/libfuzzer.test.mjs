import assert from "node:assert/strict";
import { test } from "node:test";
import { lastProgress, panicLines, readArguments, readStatistics } from "../lib/libfuzzer.mjs";

const KNOWN = ["fold", "event_stream"];
const read = (...args) => readArguments(args, KNOWN, 120);

test("without arguments every target runs for the usual time", () => {
  assert.deepEqual(read(), { names: KNOWN, seconds: 120, keep: false });
});

test("targets and seconds are taken in any order, each target once", () => {
  assert.deepEqual(read("event_stream", "30", "event_stream"), { names: ["event_stream"], seconds: 30, keep: false });
  assert.deepEqual(read("fold", "--keep"), { names: ["fold"], seconds: 120, keep: true });
});

test("what makes no sense is an error that says what does", () => {
  assert.throws(() => read("flod"), /knows fold, event_stream, a number of seconds and --keep; not flod/);
  assert.throws(() => read("0"), /above 0/);
  assert.throws(() => read("5", "6"), /One number/);
  assert.throws(() => read("--keep", "5"), /takes no seconds/);
});

const DONE = [
  "#65536	pulse  cov: 812 ft: 2000 corp: 300/9Kb lim: 1024 exec/s: 32768 rss: 60Mb",
  "#70001	DONE   cov: 815 ft: 2010 corp: 301/9Kb lim: 1024 exec/s: 35000 rss: 61Mb",
  "Done 70001 runs in 2 second(s)",
  "stat::number_of_executed_units: 70001",
  "stat::average_exec_per_sec:     35000",
  "stat::new_units_added:          12",
];

test("a run is summed up in a line", () => {
  assert.equal(readStatistics(DONE), "70,001 executions (35,000/s) · coverage 815 · 12 new inputs");
  assert.equal(lastProgress(DONE), "#70001 DONE cov: 815 ft: 2010 corp: 301/9Kb lim: 1024 exec/s: 35000 rss: 61Mb");
  assert.throws(() => readStatistics(DONE.slice(0, 4)), /no statistics/);
});

test("of a panic the message is shown and not the backtrace", () => {
  const lines = ["#2 INITED", "thread '<unnamed>' (7) panicked at fuzz_targets/fold.rs:9:5:", "it broke", "note: run with", "==7== ERROR: libFuzzer: deadly signal"];
  assert.deepEqual(panicLines(lines), lines.slice(1, 3));
  assert.deepEqual(panicLines(["#2", "==7== ERROR: libFuzzer: timeout after 10 seconds"]), ["==7== ERROR: libFuzzer: timeout after 10 seconds"]);
});
