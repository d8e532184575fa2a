import { describe, expect, it } from "vitest";
import { usageSum, USAGE, usageResponse } from "../../test/fake-client.ts";
import { toCsv, toJson } from "./export.ts";
import { sortBy, sorted, type Column, type NamedRow } from "./rows.ts";

const unpriced = { ...USAGE, totalTokens: 1_000 };
delete (unpriced as { costNanoUsd?: number }).costNanoUsd;

const ROWS: NamedRow[] = [
  { key: "b", name: "Beta", ...usageSum(2) },
  { key: "a", name: 'Al"pha, the first', ...usageSum(3, { estimatedCalls: 1 }) },
  { key: "c", name: "=cmd()", ...usageSum(1, { unpricedCalls: 1, toolCalls: 7, usage: unpriced }) },
];
const { compare } = new Intl.Collator("en");
const keys = (column: Column, isDescending: boolean) => sorted(ROWS, { column, isDescending }, compare).map((row) => row.key).join("");

describe("the order of the rows", () => {
  it("is by any column, either way", () => {
    expect(keys("name", false)).toBe("cab");
    expect(keys("turns", false)).toBe("cba");
    expect(keys("cost", true)).toBe("abc");
    expect(keys("tokens", true)).toBe("cab");
    expect(keys("output", true)).toBe("abc");
    expect(keys("input", true)).toBe("abc");
    expect(keys("tools", true)).toBe("cba");
  });

  it("puts a cost that is unknown below every one that is known", () => {
    expect(keys("cost", false)).toBe("cba");
  });

  it("of days is that of the calendar, whatever they are called", () => {
    const days = ["2026-11-23", "2026-11-09", "2026-12-01"].map((key) => ({ key, name: key.slice(8), ...usageSum(1) }));
    expect(sorted(days, { column: "name", isDescending: true }, compare).map((row) => row.key)).toEqual(["2026-12-01", "2026-11-23", "2026-11-09"]);
  });

  it("turns round when its column is chosen again", () => {
    const byCost = sortBy({ column: "name", isDescending: false }, "cost");
    expect(byCost).toEqual({ column: "cost", isDescending: true });
    expect(sortBy(byCost, "cost")).toEqual({ column: "cost", isDescending: false });
    expect(sortBy(byCost, "name")).toEqual({ column: "name", isDescending: false });
  });
});

describe("what is taken along", () => {
  const report = usageResponse(ROWS);

  it("is the table as it stands, with exact costs and the total", () => {
    const lines = toCsv("model", ROWS, report.total).split("\r\n");
    expect(lines[0]).toMatch(/^model,name,answers,calls,.*,cost_usd$/);
    expect(lines[1]).toBe("b,Beta,2,2,0,0,0,100,300,0,0,0,400,0.0048");
    expect(lines.at(-2)).toBe("total,,6,6,1,1,7,300,900,0,0,0,2000,0.012");
    expect(lines.at(-1)).toBe("");
  });

  it("quotes what needs it, leaves an unknown cost empty, and lets no title be a formula", () => {
    const lines = toCsv("session", ROWS, report.total).split("\r\n");
    expect(lines[2]).toContain('"Al""pha, the first"');
    expect(lines[3]).toBe("c,'=cmd(),1,1,0,1,7,50,150,0,0,0,1000,");
  });

  it("as JSON is what the proxy said, in the table's order", () => {
    const json = JSON.parse(toJson("model", ROWS, report));
    expect(json).toEqual({ from: report.from, to: report.to, groupBy: "model", rows: ROWS, total: report.total, budgets: [] });
  });
});
