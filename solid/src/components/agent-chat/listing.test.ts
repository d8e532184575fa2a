import { describe, expect, it } from "vitest";
import { makeFormats } from "../../format/formats.ts";
import { english } from "../../texts/english.ts";
import { folded, headingOf } from "./listing.ts";

const TODAY = new Date(2026, 2, 30).getTime();
const { monthName } = makeFormats("en-GB");
const heading = (...date: [number, number, number, number?, number?]) => headingOf(new Date(...date).getTime(), TODAY, english.sessions.days, monthName);

describe("the heading of a conversation", () => {
  it.each<[string, ReturnType<typeof heading>]>([
    ["Today", heading(2026, 2, 30, 0, 0)],
    ["Today", heading(2026, 2, 30, 23, 59)],
    ["Yesterday", heading(2026, 2, 29, 23, 59)],
    ["Yesterday", heading(2026, 2, 29, 0, 0)],
    ["Previous 7 days", heading(2026, 2, 28, 23, 59)],
    ["Previous 7 days", heading(2026, 2, 23, 0, 0)],
    ["Previous 30 days", heading(2026, 2, 22, 23, 59)],
    ["Previous 30 days", heading(2026, 1, 28, 0, 0)],
    ["February 2026", heading(2026, 1, 27, 23, 59)],
    ["December 2025", heading(2025, 11, 31)],
  ])("goes by days of the calendar, whatever the hour: %s", (expected, found) => {
    expect(found).toBe(expected);
  });

  it("is today's where the proxy's clock is ahead", () => {
    expect(heading(2026, 2, 31, 0, 1)).toBe("Today");
  });

  it("has months as the locale writes them", () => {
    const at = new Date(2025, 9, 5).getTime();
    expect(headingOf(at, TODAY, english.sessions.days, makeFormats("de").monthName)).toBe("Oktober 2025");
  });
});

describe("a title", () => {
  it.each([
    ["Über Flüsse", "uber flusse"],
    ["CRÈME BRÛLÉE", "creme brulee"],
    ["İstanbul", "istanbul"],
    ["Ωμέγα", "ωμεγα"],
    ["e\u0301te\u0301", "ete"],
  ])("is looked for without marks and capitals: %s", (title, expected) => {
    expect(folded(title)).toBe(expected);
  });
});
