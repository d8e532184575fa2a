import assert from "node:assert/strict";
import { test } from "node:test";
import { figureLines, withTable } from "../lib/figures.mjs";

test("lines of figures are found behind the name of their test, and no others", () => {
  const output = "running 2 tests\ntest abuse::storm::all ... abuse: storm: 3\nok\nabuse: pings: 4\nnot abuse: x\n";
  assert.deepEqual(figureLines(output, "abuse:"), ["abuse: storm: 3", "abuse: pings: 4"]);
});

test("the table takes the place of the last one and nothing else changes", () => {
  const page = "# A\n<!-- figures -->\nold\n<!-- /figures -->\nend\n";
  const once = withTable(page, [{ figure: "cuts: 1|2", command: "c" }], "a machine");
  assert.match(once, /^# A\n<!-- figures -->\n\nMeasured on a machine\.\n\n[^]*\| cuts: 1\\\|2 \| `c` \|\n\n<!-- \/figures -->\nend\n$/);
  assert.equal(withTable(once, [{ figure: "cuts: 1|2", command: "c" }], "a machine"), once);
  assert.throws(() => withTable("no markers", [], ""), /has no/);
});
