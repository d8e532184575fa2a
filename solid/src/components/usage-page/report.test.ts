import { describe, expect, it } from "vitest";
import type { UsageResponse } from "@outcrop/client";
import { chatError, FakeClient, FakeClock, HELLO, session, settled, usageResponse, usageSum } from "../../test/fake-client.ts";
import { groupsOf, makeReports, scopesOf } from "./report.ts";
import { makeTitles } from "./titles.ts";

const ROWS = [{ key: "m", ...usageSum(2) }];

function setUp() {
  const client = new FakeClient();
  const reports = makeReports({ client, choice: { range: "7d", group: "model", scope: "own" }, clock: new FakeClock().read });
  return { client, reports };
}

describe("a report", () => {
  it("is asked for twice: for the table, and over time; its end is left to the proxy's clock", async () => {
    const { client, reports } = setUp();
    await reports.reload();
    const from = "2026-11-17T00:00:00.000Z";
    expect(client.queries).toEqual([{ from, groupBy: "model" }, { from, groupBy: "day" }]);
    expect(reports.state()).toMatchObject({ phase: "loaded", report: { step: "day" } });
  });

  it("by day is asked for once, and one of today comes by the hour", async () => {
    const { client, reports } = setUp();
    await reports.load({ range: "month", group: "day", scope: "own" });
    await reports.load({ range: "today", group: "day", scope: "own" });
    expect(client.queries.map((query) => query.groupBy)).toEqual(["day", "day", "hour"]);
  });

  it("keeps its figures while they are asked for again, but not under another name", async () => {
    const { client, reports } = setUp();
    client.report = () => usageResponse(ROWS);
    await reports.reload();
    const again = reports.reload();
    expect(reports.state()).toMatchObject({ phase: "loading", report: { table: { rows: ROWS } } });
    await again;
    const other = reports.load({ range: "7d", group: "user", scope: "own" });
    expect(reports.state().report).toBeUndefined();
    await other;
  });

  it("that fails says why, keeps what it had, and can be asked for again", async () => {
    const { client, reports } = setUp();
    client.report = () => usageResponse(ROWS);
    await reports.reload();
    client.report = () => chatError("internal", "The store is full.");
    await reports.reload();
    expect(reports.state()).toMatchObject({ phase: "failed", failure: { message: "The store is full." }, report: { table: { rows: ROWS } } });
    client.report = () => usageResponse(ROWS);
    await reports.reload();
    expect(reports.state().phase).toBe("loaded");
    expect(reports.state().failure).toBeUndefined();
  });

  it("that comes late gives way to the one that was asked for after it", async () => {
    const { client, reports } = setUp();
    let late: (report: UsageResponse) => void = () => {};
    client.report = (query) => (query.groupBy === "model" ? new Promise((resolve) => (late = resolve)) : usageResponse(ROWS));
    const first = reports.reload();
    await reports.load({ range: "7d", group: "day", scope: "own" });
    late(usageResponse([]));
    await first;
    expect(reports.state().report).toMatchObject({ choice: { group: "day" }, table: { rows: ROWS } });
  });
});

describe("the usage of others", () => {
  it("is for those whose role lets them see it, where people show tokens", () => {
    const as = (role: "user" | "administrator" | "operator") => ({ ...HELLO, expiresInMs: 1_000, principal: { ...HELLO.principal, role } });
    expect([as("user"), as("administrator"), as("operator")].map(scopesOf)).toEqual([["own"], ["own", "organization"], ["own", "organization", "all"]]);
    expect([undefined, { ...HELLO, principal: { ...HELLO.principal, role: "operator" as const } }].map(scopesOf)).toEqual([["own"], ["own"]]);
    expect(groupsOf("all")).toContain("organization");
    expect(groupsOf("organization")).not.toContain("organization");
  });

  it("is asked for in both reports", async () => {
    const { client, reports } = setUp();
    await reports.load({ range: "7d", group: "user", scope: "organization" });
    expect(client.queries.map(({ groupBy, scope }) => [groupBy, scope])).toEqual([["user", "organization"], ["day", "organization"]]);
  });
});

describe("titles", () => {
  it("are asked for until all that are wanted are known, and no further", async () => {
    const client = new FakeClient();
    client.pageSize = 1;
    client.sessions = [session("a"), session("b"), session("c")];
    const titles = makeTitles(client);
    await titles.find(["a", "b"]);
    expect([titles.titleOf("b")?.title, titles.titleOf("c")]).toEqual(["About b", undefined]);
    await titles.find(["b", "a"]);
    expect(client.listed).toEqual([undefined, "a"]);
  });

  it("of a conversation that is gone say so, once all are known", async () => {
    const client = new FakeClient();
    client.sessions = [session("a")];
    const titles = makeTitles(client);
    expect(titles.titleOf("gone")).toBeUndefined();
    await titles.find(["gone"]);
    expect(titles.titleOf("gone")).toEqual({ isThere: false });
  });

  it("that cannot be had are left out", async () => {
    const client = new FakeClient();
    client.refusal = chatError("internal", "No.");
    const titles = makeTitles(client);
    await titles.find(["a"]);
    await settled();
    expect(titles.titleOf("a")).toBeUndefined();
  });
});
