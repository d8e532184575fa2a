import { cleanup, fireEvent, render, screen, within } from "@solidjs/testing-library";
import { createSignal } from "solid-js";
import { afterEach, describe, expect, it, vi } from "vitest";
import { makeChat } from "../../chat/chat.ts";
import type { Connection } from "../../chat/connection.ts";
import { chatError, counter, FakeClient, FakeClock, HELLO, settled, USAGE } from "../../test/fake-client.ts";
import { ChatPanel } from "./ChatPanel.tsx";

afterEach(() => {
  cleanup();
  vi.useRealTimers();
});

function setUp(connection: Connection = { state: "open", server: HELLO }) {
  const client = new FakeClient();
  const clock = new FakeClock();
  const chat = makeChat({ client, sessionId: "s1", clock: clock.read, newKey: counter("k") });
  const [shown, setShown] = createSignal(connection);
  const { container } = render(() => <ChatPanel chat={chat} connection={shown()} />);
  const box = screen.getByRole<HTMLTextAreaElement>("textbox", { name: "Message" });
  const type = (text: string) => fireEvent.input(box, { target: { value: text } });
  const press = (key: string, more = {}) => fireEvent.keyDown(box, { key, ...more });
  const say = (text: string) => {
    type(text);
    press("Enter");
  };
  return { client, clock, chat, box, type, press, say, container, setConnection: setShown };
}

describe("the composer", () => {
  it("has the focus from the start", () => {
    const { box } = setUp();
    expect(document.activeElement).toBe(box);
  });

  it("sends with Enter and is empty then", () => {
    const { client, box, say } = setUp();
    say("Hello");
    expect(client.lastStream.request.message).toBe("Hello");
    expect(box.value).toBe("");
  });

  it.each([{ shiftKey: true }, { isComposing: true }])("does not send with Enter and %j", (more) => {
    const { client, box, type, press } = setUp();
    type("Hello");
    press("Enter", more);
    expect(client.streams).toHaveLength(0);
    expect(box.value).toBe("Hello");
  });

  it("keeps the draft while an answer is under way", () => {
    const { client, box, say } = setUp();
    say("one");
    say("two");
    expect(client.streams).toHaveLength(1);
    expect(box.value).toBe("two");
  });

  it("brings back the last message with ↑, only where it is empty", async () => {
    const { client, box, say, type, press } = setUp();
    press("ArrowUp");
    expect(box.value).toBe("");
    say("Hello");
    await client.lastStream.done("Hi");
    type("x");
    press("ArrowUp");
    expect(box.value).toBe("x");
    type("");
    press("ArrowUp");
    expect(box.value).toBe("Hello");
  });

  it("walks through earlier messages with ↑ and ↓, and back to the empty box", async () => {
    const { client, box, say, press } = setUp();
    for (const text of ["one", "two", "two", "three"]) {
      say(text);
      await client.lastStream.done("Yes.");
    }
    const walk = (...keys: string[]) => keys.map((key) => (press(key), box.value));
    expect(walk("ArrowUp", "ArrowUp", "ArrowUp", "ArrowUp", "ArrowDown", "ArrowDown", "ArrowDown", "ArrowDown")).toEqual(["three", "two", "one", "one", "two", "three", "", ""]);
  });

  it("leaves the arrows to a text that was changed, and where the caret is within it", async () => {
    const { client, box, say, type, press } = setUp();
    say("one");
    await client.lastStream.done("Yes.");
    press("ArrowUp");
    type("one!");
    press("ArrowUp");
    expect(box.value).toBe("one!");
    type("");
    press("ArrowUp");
    box.setSelectionRange(1, 1);
    press("ArrowDown");
    expect(box.value).toBe("one");
  });

  it("says how much too long a message is, counted in characters, and does not send it", () => {
    const { client, say } = setUp();
    say("🙂".repeat(101));
    expect(client.streams).toHaveLength(0);
    expect(screen.getByText("1 character too long.")).toBeTruthy();
    expect(screen.getByRole<HTMLButtonElement>("button", { name: "Send" }).disabled).toBe(true);
  });

  it("sends while the connection is being made again, and not once it is closed", () => {
    const { client, say, setConnection } = setUp({ state: "reconnecting", server: HELLO });
    say("one");
    expect(client.streams).toHaveLength(1);
    setConnection({ state: "closed" });
    expect(screen.getByText(/Reload the page/)).toBeTruthy();
  });
});

describe("an answer", () => {
  it("appears as it comes and ends with what it used", async () => {
    const { client, say, container } = setUp();
    say("Hello");
    expect(screen.getByText("Thinking…")).toBeTruthy();
    await client.lastStream.token("Good **da");
    const article = container.querySelector(".oc-answer") as HTMLElement;
    expect(article.getAttribute("aria-busy")).toBe("true");
    expect(screen.queryByText("Thinking…")).toBeNull();
    await client.lastStream.done("Good **day**");
    expect(within(article).getByText("day").tagName).toBe("STRONG");
    expect(article.getAttribute("aria-busy")).toBe("false");
    expect(article.querySelector(".oc-usage")?.textContent).toBe("50 in150 out$0.0024");
  });

  it("that waits for the connection says so, and no longer when it is back or something has come", async () => {
    const { client, say, container, setConnection } = setUp({ state: "reconnecting" });
    say("Hello");
    expect(container.querySelector('[aria-live="polite"]')?.textContent).toBe("Your message waits for the connection.");
    expect(screen.getByText("Waiting for the connection. Your message goes out when it is back.")).toBeTruthy();
    setConnection({ state: "open", server: HELLO });
    expect(screen.getByText("Thinking…")).toBeTruthy();
    await client.lastStream.give({ type: "status", state: "queued", messageId: "m1" });
    setConnection({ state: "offline" });
    expect(screen.getByText("Waiting for the connection. The answer comes when it is back.")).toBeTruthy();
    setConnection({ state: "open", server: HELLO });
    await client.lastStream.token("Good ");
    setConnection({ state: "offline" });
    expect(screen.queryByText(/Waiting for the connection/)).toBeNull();
  });

  it("without a price is unpriced, and an estimate says so", async () => {
    const { client, say, container } = setUp();
    const usage = { ...USAGE, source: "estimated" as const };
    delete (usage as { costNanoUsd?: number }).costNanoUsd;
    say("Hello");
    await client.lastStream.done("Hi", { usage });
    expect(container.querySelector(".oc-usage")?.textContent).toBe("50 in150 outunpricedestimated");
  });

  it.each([
    ["the button", () => fireEvent.click(screen.getByRole("button", { name: "Stop" }))],
    ["Esc", () => fireEvent.keyDown(screen.getByRole("textbox", { name: "Message" }), { key: "Escape" })],
  ])("is stopped by %s and says so", async (_, stop) => {
    const { client, say, container } = setUp();
    say("Hello");
    await client.lastStream.token("Good ");
    stop();
    expect(client.lastStream.signal?.aborted).toBe(true);
    expect(screen.getByText("counting what it used…")).toBeTruthy();
    await client.lastStream.done("Good ", { stopReason: "cancelled" });
    expect(screen.getByText("Stopped")).toBeTruthy();
    expect(container.querySelector(".oc-answer .oc-markdown")?.textContent?.trim()).toBe("Good");
  });

  it("is announced when it begins and when it has ended, not by the token", async () => {
    const { client, say, container } = setUp();
    const announcer = container.querySelector('[aria-live="polite"]') as HTMLElement;
    say("Hello");
    expect(announcer.textContent).toBe("Claude is answering.");
    await client.lastStream.token("Good ");
    expect(announcer.textContent).toBe("Claude is answering.");
    await client.lastStream.done("Good **day**");
    expect(announcer.textContent).toBe("Good day");
  });
});

describe("what was said", () => {
  const WITH_IDS = { sessionId: "s1", hasMore: false, messages: (["q1", "a1", "q2", "a2"] as const).map((messageId) => ({ messageId, role: messageId.startsWith("q") ? ("user" as const) : ("assistant" as const), content: `About ${messageId}`, timestamp: "2026-11-23T12:00:00.000Z" })) };

  async function withHistory() {
    const setup = setUp();
    setup.client.histories.set("s1", WITH_IDS);
    await setup.chat.loadHistory();
    const edit = (index: number) => fireEvent.click(screen.getAllByRole("button", { name: "Edit message" })[index] as HTMLElement);
    const givingWay = () => [...setup.container.querySelectorAll("[data-giving-way]")].map((item) => item.querySelector(".oc-question-text, .oc-markdown")?.textContent);
    return { ...setup, edit, givingWay };
  }

  it("is changed in the box, which says what gives way, and sent in its place", async () => {
    const { client, box, edit, givingWay, type, press } = await withHistory();
    type("a draft");
    edit(0);
    expect([document.activeElement, box.value]).toEqual([box, "About q1"]);
    expect(screen.getByText(/You are changing an earlier message/).getAttribute("role")).toBe("status");
    expect(givingWay()).toEqual(["About a1", "About q2", "About a2"]);
    press("ArrowUp");
    type("About something else");
    press("Enter");
    await settled();
    expect(client.lastStream.request).toMatchObject({ message: "About something else", replaces: "q1" });
    expect([box.value, givingWay()]).toEqual(["a draft", []]);
  });

  it("is left as it was with Esc or the button, and the draft comes back", async () => {
    const { client, box, edit, givingWay, type, press } = await withHistory();
    type("a draft");
    edit(1);
    press("Escape");
    expect([box.value, givingWay()]).toEqual(["a draft", []]);
    edit(1);
    fireEvent.click(screen.getByRole("button", { name: "Keep it as it was" }));
    expect([box.value, document.activeElement]).toEqual(["a draft", box]);
    expect(client.streams).toEqual([]);
  });

  it("is answered again, and the focus stays with the conversation", async () => {
    const { client, box } = await withHistory();
    fireEvent.click(screen.getByRole("button", { name: "Ask again" }));
    expect(client.lastStream.request).toMatchObject({ messageId: "a2" });
    expect(document.activeElement).toBe(box);
    expect(screen.queryByRole("button", { name: /Ask again|Edit message/ })).toBeNull();
    await client.lastStream.fail(chatError("rate_limited", "One user may send 2 messages a minute.", { retryable: true }));
    expect(screen.getByRole("alert").textContent).toContain("One user may send 2 messages a minute.");
    expect(screen.getByText("About a2")).toBeTruthy();
  });
});

describe("a change that is refused", () => {
  it("is told below what was said, and can be changed further", async () => {
    const { client, chat, box, type, press } = setUp();
    client.histories.set("s1", { sessionId: "s1", hasMore: false, messages: [{ messageId: "q1", role: "user", content: "one", timestamp: "2026-11-23T12:00:00.000Z" }, { messageId: "a1", role: "assistant", content: "First.", timestamp: "2026-11-23T12:00:00.000Z" }] });
    await chat.loadHistory();
    fireEvent.click(screen.getByRole("button", { name: "Edit message" }));
    type("uno");
    press("Enter");
    await settled();
    type("the next");
    await client.lastStream.fail(chatError("rate_limited", "One user may send 2 messages a minute.", { retryable: true }));
    expect([screen.getByText("one").textContent, box.value]).toEqual(["one", "the next"]);
    fireEvent.click(screen.getByRole("button", { name: "Change it further" }));
    expect([box.value, document.activeElement]).toEqual(["uno", box]);
    press("Escape");
    expect(box.value).toBe("the next");
  });
});

describe("a failure", () => {
  it("says what happened and what to do, and is retried", async () => {
    const { client, say } = setUp();
    say("Hello");
    await client.lastStream.token("Good ");
    await client.lastStream.fail(chatError("model_access_denied", "Ask for access to the model in us-west-2.", { retryable: true }));
    const alert = screen.getByRole("alert");
    expect(alert.textContent).toContain("No access to this model");
    expect(alert.textContent).toContain("Ask for access to the model in us-west-2.");
    expect(alert.textContent).toContain("what had come until then");
    fireEvent.click(within(alert).getByRole("button", { name: "Retry" }));
    expect(client.streams.map(({ request }) => request.messageId ?? request.message)).toEqual(["Hello", "m1"]);
    expect(screen.queryByRole("alert")).toBeNull();
  });

  it("that cannot be retried offers no retry", async () => {
    const { client, say } = setUp();
    say("Hello");
    await client.lastStream.fail(chatError("budget_exceeded", "Ask for more."));
    expect(within(screen.getByRole("alert")).queryByRole("button")).toBeNull();
  });

  it("for want of budget says when it renews and what to do until then", async () => {
    const client = new FakeClient();
    const chat = makeChat({ client, sessionId: "s1" });
    render(() => <ChatPanel chat={chat} />);
    chat.send("Hello");
    await client.lastStream.fail(chatError("budget_exceeded", "Your daily budget of $5.00 is used up.", { retryable: true, retryAfterMs: 3 * 3_600_000 }));
    const alert = screen.getByRole("alert");
    expect(alert.textContent).toContain("Your daily budget of $5.00 is used up.");
    expect(alert.textContent).toMatch(/It renews (today|tomorrow|on .*) at \d/);
    expect(alert.textContent).toContain("a cheaper model");
    expect(within(alert).getByRole("button").getAttribute("aria-disabled")).toBe("true");
  });

  it("that asks to wait counts down before its retry works", async () => {
    vi.useFakeTimers();
    const client = new FakeClient();
    const chat = makeChat({ client, sessionId: "s1" });
    render(() => <ChatPanel chat={chat} />);
    chat.send("Hello");
    await client.lastStream.fail(chatError("throttled", "Wait a moment.", { retryable: true, retryAfterMs: 2_000 }));
    const button = screen.getByRole("button", { name: "Retry in 2 s" });
    fireEvent.click(button);
    expect(client.streams).toHaveLength(1);
    vi.advanceTimersByTime(1_000);
    expect(button.textContent).toContain("Retry in 1 s");
    vi.advanceTimersByTime(1_250);
    expect(button.textContent).not.toContain("in");
    fireEvent.click(button);
    expect(client.streams).toHaveLength(2);
  });
});

describe("a message that is one too many", () => {
  it("says so and counts down to when it can be sent again", async () => {
    vi.useFakeTimers();
    const client = new FakeClient();
    const chat = makeChat({ client, sessionId: "s1" });
    render(() => <ChatPanel chat={chat} />);
    chat.send("Hello");
    await client.lastStream.fail(chatError("rate_limited", "One user may send 2 messages a minute.", { retryable: true, retryAfterMs: 29_001 }));
    const alert = screen.getByRole("alert");
    expect(alert.textContent).toContain("One user may send 2 messages a minute.");
    const button = within(alert).getByRole("button", { name: "Send again in 30 s" });
    expect(button.getAttribute("aria-disabled")).toBe("true");
    vi.advanceTimersByTime(28_000);
    expect(button.textContent).toContain("Send again in 2 s");
    fireEvent.click(button);
    expect(client.streams).toHaveLength(1);
    vi.advanceTimersByTime(1_250);
    expect(button.getAttribute("aria-disabled")).toBe("false");
    fireEvent.click(within(alert).getByRole("button", { name: "Send again" }));
    expect(client.streams).toHaveLength(2);
    expect(client.lastStream.request.message).toBe("Hello");
    expect(screen.queryByRole("alert")).toBeNull();
  });

  it("that will always be too much cannot be sent again", async () => {
    const { client, say } = setUp();
    say("Hello");
    await client.lastStream.fail(chatError("rate_limited", "Send less at once.", { retryable: false }));
    expect(within(screen.getByRole("alert")).queryByRole("button")).toBeNull();
  });
});

describe("an empty conversation", () => {
  it("offers prompts that are sent at once", () => {
    const { client } = setUp();
    const prompt = screen.getAllByRole("listitem")[0] as HTMLElement;
    fireEvent.click(within(prompt).getByRole("button"));
    expect(client.lastStream.request.message).toBe(prompt.textContent);
    expect(screen.queryByText("What would you like to know?")).toBeNull();
  });

  it("offers the emulator's commands in demo mode only", () => {
    setUp();
    expect(screen.queryByText("/help")).toBeNull();
    cleanup();
    setUp({ state: "open", server: { ...HELLO, demo: true } });
    expect(screen.getByText("/help")).toBeTruthy();
  });
});

it("text of any direction decides its own", async () => {
  const { client, say, container } = setUp();
  say("שלום");
  await client.lastStream.done("مرحبا");
  expect(container.querySelector(".oc-question-text")?.getAttribute("dir")).toBe("auto");
  expect(container.querySelector(".oc-answer p")?.getAttribute("dir")).toBe("auto");
});
