import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { budget, chatError, counter, FakeClient, FakeClock, settled, usageResponse } from "../test/fake-client.ts";
import { makeBudgets } from "./budgets.ts";
import { makeConversations } from "./conversations.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const of = (spent: number) => () => usageResponse([], { budgets: [budget(spent)] });

describe("budgets", () => {
  it("are asked for when the page is connected, and after each answer where there are any", async () => {
    const client = new FakeClient();
    client.report = of(1);
    const conversations = makeConversations({ client, storage: null, clock: new FakeClock().read, newId: counter("s") });
    expect(client.queries).toEqual([]);
    client.open();
    await settled();
    expect(conversations.budgets()).toEqual([budget(1)]);
    client.report = of(2);
    conversations.current().send("Hello");
    await client.lastStream.done("Hi");
    expect(conversations.budgets()).toEqual([budget(2)]);
    expect(client.queries).toHaveLength(2);
    conversations.dispose();
  });

  it("are not asked for again where there are none, until one refuses", async () => {
    const client = new FakeClient();
    const conversations = makeConversations({ client, storage: null, clock: new FakeClock().read, newId: counter("s") });
    client.open();
    await settled();
    conversations.current().send("Hello");
    await client.lastStream.done("Hi");
    expect(client.queries).toHaveLength(1);
    client.report = of(5_000_000_000);
    conversations.current().send("Again");
    await client.lastStream.fail(chatError("budget_exceeded", "Used up.", { retryAfterMs: 1_000 }));
    expect(conversations.budgets()).toEqual([budget(5_000_000_000)]);
    conversations.dispose();
  });

  it("are asked for anew when one begins anew, and no longer once nobody looks", async () => {
    const client = new FakeClient();
    const clock = new FakeClock();
    client.report = of(1);
    const { budgets, refresh, dispose } = makeBudgets({ client, clock: clock.read });
    await refresh();
    client.report = () => usageResponse([], { budgets: [budget(0, { renewsAt: "2026-11-25T00:00:00.000Z" })] });
    await vi.advanceTimersByTimeAsync(12 * 3_600_000);
    expect(budgets()[0]?.spent).toBe(0);
    dispose();
    await vi.advanceTimersByTimeAsync(72 * 3_600_000);
    expect(client.queries).toHaveLength(2);
  });

  it("stay as they were known where they cannot be had", async () => {
    const client = new FakeClient();
    client.report = of(1);
    const { budgets, refresh, dispose } = makeBudgets({ client, clock: new FakeClock().read });
    await refresh();
    client.report = () => chatError("invalid_request", "This proxy does not count.");
    await refresh();
    expect(budgets()).toEqual([budget(1)]);
    dispose();
  });
});
