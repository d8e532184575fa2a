import assert from "node:assert/strict";
import { test } from "node:test";
import { page, rows, table } from "../lib/report.mjs";
import { boundText, FIGURES, met } from "../lib/targets.mjs";

test("a bound is on our figure or on the ratio to the other's", () => {
  assert.equal(met({ max: 2.7 }, 2.7, undefined), true);
  assert.equal(met({ max: 2.7 }, 2.8, undefined), false);
  assert.equal(met({ lessThanOther: 10 }, 4, 40), true);
  assert.equal(met({ lessThanOther: 10 }, 4.1, 40), false);
  assert.equal(met({ lessThanOther: 10 }, 4, undefined), null);
  assert.equal(boundText({ max: 20_000 }, ""), "20,000");
  assert.equal(boundText({ lessThanOther: 2 }, "µs"), "2 × less");
});

test("what was not measured has no row", () => {
  assert.deepEqual(rows({}), []);
  assert.deepEqual(rows({ size: { ours: [19.5] }, "cpu-turn": { ours: [] } }).map((row) => row.id), ["size"]);
});

test("rows are medians with their verdicts", () => {
  const [row] = rows({ "cpu-burst": { ours: [3, 2, 9], other: [40, 39, 50] } });
  assert.deepEqual([row.ours, row.other, row.reached, row.aimed], [3, 40, true, false]);
  assert.match(table([row]), /13\.3 ×/);
});

test("every figure has a line on the page", () => {
  const results = Object.fromEntries(FIGURES.map(({ id }) => [id, { ours: [1, 1], other: [2, 2] }]));
  const text = page(rows(results), { machine: { date: "2026-01-01", cpu: "2 cores", load: "0.0", versions: ["rustc 1"] }, how: [{ name: "size", how: "Brotli." }], notes: [] });
  for (const { title } of FIGURES) assert.ok(text.includes(`| ${title} |`), title);
});
