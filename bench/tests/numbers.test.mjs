import assert from "node:assert/strict";
import { test } from "node:test";
import { alternate, median, shown, spread } from "../lib/numbers.mjs";

test("the median is the middle value, or the mean of the middle two", () => {
  assert.equal(median([3, 1, 2]), 2);
  assert.equal(median([4, 1, 2, 3]), 2.5);
});

test("the spread is half of the range over the median", () => {
  assert.equal(spread([90, 100, 110]), 0.1);
  assert.equal(spread([7]), 0);
});

test("numbers keep the digits that tell figures apart", () => {
  assert.deepEqual([0.0234, 1.234, 12.34, 123.4, 17_920, 1_234_567.8].map(shown), ["0.023", "1.23", "12.3", "123", "17,920", "1,234,568"]);
});

test("subjects take turns, in the other order every second round", async () => {
  const order = [];
  const subject = (name) => () => order.push(name);
  const results = await alternate(3, { a: subject("a"), b: subject("b") });
  assert.equal(order.join(""), "abbaab");
  assert.deepEqual(results, { a: [1, 4, 5], b: [2, 3, 6] });
});
