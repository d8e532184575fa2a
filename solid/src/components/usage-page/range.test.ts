import { describe, expect, it } from "vitest";
import { makeFormats } from "../../format/formats.ts";
import { rangeStart, shortStepName, stepKey, stepName, stepsBetween, type Range } from "./range.ts";

const NOON = Date.UTC(2026, 10, 23, 12, 30);
const iso = (at: number) => new Date(at).toISOString();

it.each<[Range, string]>([
  ["today", "2026-11-23T00:00:00.000Z"],
  ["7d", "2026-11-17T00:00:00.000Z"],
  ["30d", "2026-10-25T00:00:00.000Z"],
  ["month", "2026-11-01T00:00:00.000Z"],
])("%s begins with a day, UTC", (range, start) => expect(iso(rangeStart(range, NOON))).toBe(start));

it("keys are the proxy's", () => {
  expect([stepKey(NOON, "day"), stepKey(NOON, "hour")]).toEqual(["2026-11-23", "2026-11-23T12:00Z"]);
});

describe("the steps of a report", () => {
  it("are all of them, the last one begun only", () => {
    expect(stepsBetween("2026-11-22T00:00:00.000Z", iso(NOON), "day")).toEqual(["2026-11-22", "2026-11-23"]);
    expect(stepsBetween("2026-11-23T00:00:00.000Z", iso(NOON), "hour")).toHaveLength(13);
  });

  it("do not hold a day of which nothing is asked", () => {
    expect(stepsBetween("2026-11-22T00:00:00.000Z", "2026-11-23T00:00:00.000Z", "day")).toEqual(["2026-11-22"]);
  });

  it("have names", () => {
    const formats = makeFormats("en-GB");
    expect(["2026-11-23T12:00Z", "2026-11-23", "no day"].map((key) => stepName(key, formats))).toEqual(["12:00", expect.stringMatching(/^Mon,? 23 Nov$/), "no day"]);
    expect(["2026-11-23T12:00Z", "2026-11-23"].map((key) => shortStepName(key, formats))).toEqual(["12:00", "23 Nov"]);
  });
});
