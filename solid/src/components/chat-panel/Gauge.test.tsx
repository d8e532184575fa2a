import { cleanup, render, screen } from "@solidjs/testing-library";
import type { BudgetState, ModelPrice, Usage } from "@outcrop/client";
import { createSignal } from "solid-js";
import { afterEach, describe, expect, it } from "vitest";
import { makeChat } from "../../chat/chat.ts";
import { budget, chatError, counter, FakeClient, FakeClock, USAGE } from "../../test/fake-client.ts";
import { Gauge } from "./Gauge.tsx";

afterEach(cleanup);

const PRICE: ModelPrice = { input: 3_000_000_000, output: 15_000_000_000 };

function setUp(price: ModelPrice | null | undefined = PRICE) {
  const client = new FakeClient();
  const chat = makeChat({ client, sessionId: "s1", clock: new FakeClock().read, newKey: counter("k"), model: () => "m", price: () => price });
  const [budgets, setBudgets] = createSignal<readonly BudgetState[]>([]);
  const { container } = render(() => <Gauge chat={chat} budgets={budgets()} />);
  const items = () => [...container.querySelectorAll(".oc-gauge-item")].map((item) => [...item.children].map((part) => part.textContent).join(" "));
  return { client, chat, container, setBudgets, items };
}

const estimated: Usage = { ...USAGE, source: "estimated" };
const unpriced: Usage = { ...USAGE };
delete unpriced.costNanoUsd;

describe("the gauge", () => {
  it("is not there before something was used", () => {
    expect(setUp().container.textContent).toBe("");
  });

  it("has the last answer's figures and the conversation's sum", async () => {
    const { client, chat, items, container } = setUp();
    chat.send("Hello");
    await client.lastStream.done("Hi");
    chat.send("Again");
    await client.lastStream.done("Hi", { usage: { ...USAGE, totalTokens: 300, costNanoUsd: 3_600_000 } });
    expect(items()).toEqual(["Last answer 300 tokens $0.0036", "Conversation 500 tokens $0.0060"]);
    expect([...container.querySelectorAll("data")].map((data) => data.value)).toEqual(["0.0036", "0.006"]);
  });

  it("counts along while an answer is written, and marks that as an estimate until Bedrock has counted", async () => {
    const { client, chat, items } = setUp();
    chat.send("12345678");
    expect(items()[0]).toBe("This answer ≈ 2 tokens ≈ <$0.0001");
    await client.lastStream.token("x".repeat(400));
    expect(items()).toEqual(["This answer ≈ 102 tokens ≈ $0.0015", "Conversation ≈ 102 tokens ≈ $0.0015"]);
    await client.lastStream.token("é".repeat(200));
    expect(items()[0]).toBe("This answer ≈ 202 tokens ≈ $0.0030");
    await client.lastStream.done("whatever");
    expect(items()).toEqual(["Last answer 200 tokens $0.0024", "Conversation 200 tokens $0.0024"]);
  });

  it("takes what was sent and written before for input", async () => {
    const { client, chat, items } = setUp();
    chat.send("Hello");
    await client.lastStream.done("Hi");
    chat.send("12345678");
    expect(items()).toEqual(["This answer ≈ 202 tokens ≈ $0.0006", "Conversation ≈ 402 tokens ≈ $0.0030"]);
  });

  it("says unpriced where the model has no price, and never that it is free", async () => {
    const { client, chat, items } = setUp(null);
    chat.send("Hello");
    await client.lastStream.token("x".repeat(40));
    expect(items()).toEqual(["This answer ≈ 12 tokens unpriced", "Conversation ≈ 12 tokens unpriced"]);
    await client.lastStream.done("Hi", { usage: unpriced });
    expect(items()).toEqual(["Last answer 200 tokens unpriced", "Conversation 200 tokens unpriced"]);
    chat.send("Again");
    await client.lastStream.done("Hi");
    expect(items()).toEqual(["Last answer 200 tokens $0.0024", "Conversation 400 tokens $0.0024 + 1 unpriced"]);
  });

  it("says nothing of a cost while prices are not known yet", async () => {
    const { client, chat, items } = setUp(undefined);
    const { container } = render(() => <Gauge chat={makeChat({ client, sessionId: "s2" })} budgets={[]} />);
    expect(container.textContent).toBe("");
    const plain = makeChat({ client, sessionId: "s3" });
    render(() => <Gauge chat={plain} budgets={[]} />);
    plain.send("Hello");
    await client.lastStream.token("x".repeat(40));
    expect(screen.getAllByText("≈ 12 tokens")).toHaveLength(2);
    expect(document.querySelector("data")).toBeNull();
    expect([chat.state().messages, items()]).toEqual([[], []]);
  });

  it("marks an answer whose usage stayed an estimate", async () => {
    const { client, chat, items } = setUp();
    chat.send("Hello");
    chat.stop();
    expect(items()[0]).toMatch(/^This answer ≈/);
    await client.lastStream.done("Hi", { usage: estimated, stopReason: "cancelled" });
    expect(items()).toEqual(["Last answer ≈ 200 tokens ≈ $0.0024", "Conversation ≈ 200 tokens ≈ $0.0024"]);
  });

  it("counts an answer that failed, and still where another took its place", async () => {
    const { client, chat, items } = setUp();
    chat.send("Hello");
    await client.lastStream.fail(Object.assign(chatError("upstream_stream_error", "It broke off.", { retryable: true }), { usage: USAGE }));
    expect(items()).toEqual(["Last answer 200 tokens $0.0024", "Conversation 200 tokens $0.0024"]);
    chat.retry();
    await client.lastStream.done("Hi");
    expect(items()).toEqual(["Last answer 200 tokens $0.0024", "Conversation 400 tokens $0.0048"]);
  });

  it("says so where it does not have the whole conversation", async () => {
    const { client, chat, items } = setUp();
    const timestamp = "2026-11-23T12:00:00.000Z";
    const messages = [{ messageId: "m1", role: "assistant" as const, content: "Hi", timestamp, usage: USAGE }];
    client.histories.set("s1", { sessionId: "s1", hasMore: true, messages });
    await chat.loadHistory();
    expect(items()[1]).toBe("Conversation, as far as shown 200 tokens $0.0024");
  });
});

describe("the budget", () => {
  it("is the one that is nearest its end, in words and as a meter", () => {
    const { setBudgets, container } = setUp();
    setBudgets([budget(1_000_000_000), budget(170_000_000_000, { scope: "organization", period: "month", limit: 200_000_000_000 })]);
    const meter = screen.getByRole("meter", { name: "Your organisation’s monthly budget" });
    expect(meter.getAttribute("aria-valuenow")).toBe("85");
    expect(container.querySelector(".oc-budget")?.getAttribute("data-level")).toBe("low");
    expect(container.textContent).toMatch(/\$30\.00 of \$200\.00 left, renews (today|tomorrow|on)/);
  });

  it("of tokens is in tokens, and one with nothing left says so", () => {
    const { setBudgets, container } = setUp();
    setBudgets([budget(900, { unit: "tokens", limit: 1_000, reserved: 200 })]);
    expect(container.querySelector(".oc-budget")?.getAttribute("data-level")).toBe("none");
    expect(container.textContent).toContain("1,000 tokens used up, renews");
  });
});
