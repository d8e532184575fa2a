import { cleanup, fireEvent, render, screen, within } from "@solidjs/testing-library";
import { afterEach, describe, expect, it, vi } from "vitest";
import { makeConversations } from "../../chat/conversations.ts";
import { budget, chatError, FakeClient, FakeClock, session, settled, USAGE, usageResponse, usageSum } from "../../test/fake-client.ts";
import { drawBars, type Bars } from "./bars.ts";
import { UsagePage } from "./UsagePage.tsx";

// There is no canvas here: what is drawn is looked at in a browser.
vi.mock("./bars.ts", () => ({ drawBars: vi.fn(() => ({ show: () => {}, resize: () => {}, mark: () => {}, redraw: () => {}, destroy: () => {} })) }));

afterEach(() => {
  cleanup();
  vi.mocked(drawBars).mockClear();
});

const unpriced = { ...USAGE };
delete (unpriced as { costNanoUsd?: number }).costNanoUsd;

const MODELS = [
  { key: "anthropic.claude-3-5-sonnet-20241022-v2:0", ...usageSum(3) },
  { key: "some.model", ...usageSum(1, { unpricedCalls: 1, usage: unpriced }) },
];

async function setUp(prepare: (client: FakeClient) => void = () => {}) {
  const client = new FakeClient();
  client.report = (query) => usageResponse(query.groupBy === "model" ? MODELS : [{ key: "2026-11-23", ...usageSum(4) }]);
  prepare(client);
  const clock = new FakeClock();
  const conversations = makeConversations({ client, storage: null, clock: clock.read });
  const { container } = render(() => <UsagePage client={client} conversations={conversations} clock={clock.read} sessionHref={(id) => `#/chat/${id}`} />);
  await settled();
  return { client, conversations, container };
}

const table = () => screen.getByRole("table");
const texts = (row: HTMLElement) => [...row.children].map((cell) => cell.textContent);
const names = () => within(table()).getAllByRole("rowheader").map((header) => header.textContent);

describe("the usage page", () => {
  it("shows the rows, and the proxy's own total under them", async () => {
    await setUp();
    const rows = within(table()).getAllByRole("row");
    expect(texts(rows[1] as HTMLElement)).toEqual(["Claude 3.5 Sonnet (2024-10)", "$0.0072", "600", "150", "450", "3"]);
    expect(texts(rows[2] as HTMLElement)).toEqual(["some.model", "unpriced", "200", "50", "150", "1"]);
    expect(texts(rows.at(-1) as HTMLElement)).toEqual(["Total", "$0.0072 + 1 unpriced", "800", "200", "600", "4"]);
    expect(screen.getByText("The price of one call is not known: the cost leaves it out.")).toBeTruthy();
  });

  it("counts tool calls, and says what caching saved by the prices of models", async () => {
    const usage = { ...USAGE, cacheReadInputTokens: 1_000_000 };
    const { client } = await setUp((fake) => {
      fake.report = (query) => usageResponse([{ key: query.groupBy === "user" ? "ann" : "m", ...usageSum(3, { toolCalls: 7, usage }) }]);
      fake.open({ models: [{ model: "m", default: true, price: { input: 3_000_000_000, output: 15_000_000_000, cacheRead: 300_000_000, cacheWrite5m: 3_750_000_000 } }] });
    });
    const rows = within(table()).getAllByRole("row");
    expect(rows.map((row) => texts(row).at(-1))).toEqual(["Tool calls↑", "7", "7"]);
    expect(screen.getByText(/caching saved \$2\.70/)).toBeTruthy();
    fireEvent.click(screen.getByRole("radio", { name: "User" }));
    await settled();
    expect(client.queries.at(-2)).toMatchObject({ groupBy: "user" });
    expect(screen.queryByText(/caching/)).toBeNull();
  });

  it("marks estimates and says what the mark means", async () => {
    await setUp((client) => (client.report = () => usageResponse([{ key: "m", ...usageSum(2, { estimatedCalls: 1 }) }])));
    expect(within(table()).getAllByText("≈ $0.0048")).toHaveLength(2);
    expect(screen.getByText(/Bedrock did not report what one call used/)).toBeTruthy();
  });

  it("draws every day of the time, those without an answer too", async () => {
    await setUp();
    const [cost, tokens] = vi.mocked(drawBars).mock.calls.map(([, bars]) => bars) as [Bars, Bars];
    expect(cost.values).toEqual([[0, 0, 0, 0, 0, 0, 0.0096]]);
    expect(tokens.values.map((values) => values.at(-1))).toEqual([800, 600]);
  });

  it("reads single bars with the arrow keys", async () => {
    await setUp();
    const chart = screen.getByRole("group", { name: /^Cost a day/ });
    const words = () => document.getElementById(chart.getAttribute("aria-describedby") ?? "")?.textContent;
    expect(words()).toBe("$0.0096 in all");
    fireEvent.keyDown(chart, { key: "ArrowLeft" });
    expect(words()).toMatch(/23.*: \$0\.0096, 4 answers$/);
    fireEvent.keyDown(chart, { key: "ArrowLeft" });
    expect(words()).toMatch(/22.*: nothing used$/);
    fireEvent.blur(chart);
    expect(words()).toBe("$0.0096 in all");
  });

  it("sorts by a column, and the other way round", async () => {
    await setUp();
    const tokens = within(table()).getByRole("columnheader", { name: /^Tokens/ });
    fireEvent.click(within(tokens).getByRole("button"));
    expect(tokens.getAttribute("aria-sort")).toBe("descending");
    fireEvent.click(within(tokens).getByRole("button"));
    expect(tokens.getAttribute("aria-sort")).toBe("ascending");
    expect(names()).toEqual(["some.model", "Claude 3.5 Sonnet (2024-10)", "Total"]);
  });

  it("names conversations and links to those that are there", async () => {
    const rows = [{ key: "a", ...usageSum(1) }, { key: "gone", ...usageSum(1) }];
    const { client } = await setUp((fake) => {
      fake.sessions = [session("a")];
      fake.report = () => usageResponse(rows);
    });
    fireEvent.click(screen.getByRole("radio", { name: "Conversation" }));
    await settled();
    await settled();
    expect(client.queries.at(-2)).toMatchObject({ groupBy: "session" });
    expect(within(table()).getByRole("link", { name: "About a" }).getAttribute("href")).toBe("#/chat/a");
    expect(within(table()).getByText("Deleted conversation").closest("a")).toBeNull();
  });

  it("counts what is answered meanwhile", async () => {
    const { client, conversations } = await setUp();
    const before = client.queries.length;
    conversations.current().send("Hello");
    await client.lastStream.done("Hi");
    expect(client.queries.length).toBe(before + 2);
  });

  it("shows budgets with what is left and when they begin anew", async () => {
    await setUp((client) => (client.report = () => usageResponse(MODELS, { budgets: [budget(1_000_000_000, { reserved: 500_000_000 })] })));
    const meter = screen.getByRole("meter", { name: "Your daily budget" });
    expect(meter.getAttribute("aria-valuenow")).toBe("30");
    expect(meter.getAttribute("aria-valuetext")).toMatch(/\$3\.50 of \$5\.00 left, \$1\.00 spent, \$0\.500 set aside for answers under way; renews /);
  });

  it("says that nothing was used, and draws nothing then", async () => {
    await setUp((client) => (client.report = () => usageResponse([])));
    expect(screen.getByText("Nothing was used in this time.")).toBeTruthy();
    expect(screen.queryByRole("table")).toBeNull();
    expect(drawBars).not.toHaveBeenCalled();
  });

  it("says that it is loading", async () => {
    await setUp((client) => (client.report = () => new Promise(() => {})));
    expect(screen.getByRole("status").textContent).toBe("Loading the usage…");
    expect(screen.queryByRole("table")).toBeNull();
  });

  it("says why it failed, and tries again when it is told to", async () => {
    const { client } = await setUp((fake) => (fake.report = () => chatError("upstream_timeout", "The store is slow.")));
    expect(screen.getByRole("alert").textContent).toContain("The store is slow.");
    client.report = () => usageResponse(MODELS);
    fireEvent.click(screen.getByRole("button", { name: "Try again" }));
    await settled();
    expect(screen.queryByRole("alert")).toBeNull();
    expect(names()).toContain("Total");
  });

  it("lets an operator look at everybody, whose conversations have no titles and no links", async () => {
    const { client } = await setUp((client) => {
      client.report = (query) => usageResponse(query.groupBy === "session" ? [{ key: "acme / ann / s1", ...usageSum(1) }] : MODELS);
    });
    expect(screen.queryByRole("group", { name: "Whose" })).toBeNull();
    client.open({ expiresInMs: 60_000, principal: { user: "root", organization: "acme", role: "operator" } });
    await settled();
    fireEvent.click(screen.getByRole("radio", { name: "Everybody" }));
    fireEvent.click(screen.getByRole("radio", { name: "Conversation" }));
    await settled();
    expect(client.queries.at(-2)).toMatchObject({ groupBy: "session", scope: "all" });
    expect(names()[0]).toBe("acme / ann / s1");
    expect(within(table()).queryByRole("link")).toBeNull();
    fireEvent.click(screen.getByRole("radio", { name: "Organization" }));
    fireEvent.click(screen.getByRole("radio", { name: "My organization" }));
    await settled();
    expect(client.queries.at(-2)).toMatchObject({ groupBy: "model", scope: "organization" });
  });
});
