import { cleanup, fireEvent, render, screen, within } from "@solidjs/testing-library";
import type { ToolInfo, ToolUse } from "@outcrop/client";
import { afterEach, describe, expect, it, vi } from "vitest";
import { makeChat } from "../../chat/chat.ts";
import { chatError, counter, FakeClient, FakeClock, HELLO, settled, USAGE } from "../../test/fake-client.ts";
import { ChatPanel } from "./ChatPanel.tsx";

afterEach(() => {
  cleanup();
  vi.useRealTimers();
});

const TOOLS: ToolInfo[] = [
  { name: "forecast", server: "weather", title: "Forecast", description: "The weather of the next days.", approval: "never" },
  { name: "send_mail", server: "mail", description: "Sends a message.", approval: "always" },
  { name: "file_ticket", server: "tracker", title: "File a ticket", approval: "session" },
];

const CALL: ToolUse = { toolUseId: "t1", name: "forecast", server: "weather", input: { city: "Oslo" }, status: "running" };
const MAIL: ToolUse = { toolUseId: "t2", name: "send_mail", server: "mail", input: { to: "ann@example.com" }, status: "pending_approval" };

async function setUp(...calls: ToolUse[]) {
  const client = new FakeClient();
  const clock = new FakeClock();
  const chat = makeChat({ client, sessionId: "s1", clock: clock.read, newKey: counter("k"), model: () => "m", price: () => ({ input: 3e9, output: 15e9, cacheRead: 3e8, cacheWrite5m: 3.75e9 }) });
  const { container } = render(() => <ChatPanel chat={chat} connection={{ state: "open", server: { ...HELLO, tools: TOOLS } }} />);
  const box = screen.getByRole<HTMLTextAreaElement>("textbox", { name: "Message" });
  if (calls.length > 0) chat.send("Hello");
  for (const call of calls) await client.lastStream.tool(call);
  const line = (index = 0) => container.querySelectorAll(".oc-tool > summary")[index] as HTMLElement;
  const words = (index = 0) => [...line(index).children].map((part) => part.textContent).filter((text) => text !== "");
  const body = (index = 0) => container.querySelectorAll(".oc-tool")[index]?.querySelector(".oc-tool-body") ?? null;
  const announced = () => container.querySelector('[aria-live="polite"]')?.textContent;
  const card = (index = 0) => container.querySelectorAll(".oc-approval")[index] as HTMLElement;
  return { client, clock, chat, container, box, line, words, body, announced, card };
}

describe("a silence of the proxy", () => {
  it.each([[CALL, ""], [MAIL, "Waits for you."]])("is the tool's or the person's while one is waited for", async (call, words) => {
    const { client, container } = await setUp(call);
    await client.lastStream.give({ type: "status", state: "stalled", messageId: "m1" });
    expect(container.querySelector(".oc-waiting")?.textContent).toBe(words);
    await client.lastStream.tool({ ...call, status: "succeeded" });
    await client.lastStream.give({ type: "status", state: "stalled", messageId: "m1" });
    expect(container.querySelector(".oc-waiting")?.textContent).toContain("Bedrock is silent");
  });
});

describe("a tool call", () => {
  it("is a line with its title, server, arguments, state and duration", async () => {
    const { client, words, body } = await setUp(CALL);
    expect(words()).toEqual(["Forecast", "weather", "Oslo", "running…"]);
    expect(body()).toBeNull();
    await client.lastStream.tool({ ...CALL, status: "succeeded", durationMs: 1_400 });
    expect(words()).toEqual(["Forecast", "weather", "Oslo", "done", "1.4 s"]);
  });

  it("that no server has is called by its name", async () => {
    const { server: _, ...nameless } = { ...CALL, name: "nothing" };
    const { words } = await setUp(nameless);
    expect(words()).toEqual(["nothing", "Oslo", "running…"]);
  });

  it("opens with its arguments as they are written, and then laid out with its result", async () => {
    const { client, line, body } = await setUp({ ...CALL, input: {}, status: "preparing", partialInput: '{"city": "O' });
    fireEvent.click(line());
    expect(body()?.querySelector("pre")?.textContent).toBe('{"city": "O');
    await client.lastStream.tool({ ...CALL, status: "succeeded", result: { text: '{"mm":3}', files: [{ name: "map.png", mediaType: "image/png", bytes: 2_048 }] } });
    expect([...(body()?.querySelectorAll("pre") ?? [])].map((pre) => pre.textContent)).toEqual(['{\n  "city": "Oslo"\n}', '{\n  "mm": 3\n}']);
    expect(within(screen.getByRole("list", { name: "Files in the result" })).getByText("map.png")).toBeTruthy();
    fireEvent.click(line());
    expect(body()).toBeNull();
  });

  it("folds a long result, and says where the proxy has cut it", async () => {
    const text = Array.from({ length: 40 }, (_, index) => `line ${index}`).join("\n");
    const { line, body } = await setUp({ ...CALL, status: "succeeded", result: { text, truncated: true } });
    fireEvent.click(line());
    const result = () => body()?.querySelector('pre[aria-label="Result"]')?.textContent;
    expect(result()).toBe(`${text.split("\n").slice(0, 12).join("\n")}\n…`);
    fireEvent.click(screen.getByRole("button", { name: "Show all" }));
    expect(result()).toBe(text);
    expect(body()?.textContent).toContain("This is the beginning of the result.");
  });

  it.each<[string, Partial<ToolUse>, string]>([
    ["failed", { status: "failed", result: { text: "503" } }, "Error503"],
    ["failed without a word", { status: "failed" }, "It failed and did not say why."],
    ["denied", { status: "denied", result: { text: "Nobody answered in time." } }, "Why it was not calledNobody answered in time."],
    ["of unknown outcome", { status: "unknown_outcome" }, "It may or may not have had its effect."],
    ["done without a word", { status: "succeeded" }, "It returned nothing."],
    ["allowed", { status: "succeeded", result: { text: "x" }, approved: true }, "A person allowed it."],
  ])("that is %s says so", async (_, more, words) => {
    const { line, body } = await setUp({ ...CALL, ...more });
    fireEvent.click(line());
    expect(body()?.textContent).toContain(words);
  });

  it("stands in one group with those beside it, between the texts", async () => {
    const { client, container } = await setUp(CALL, { ...CALL, toolUseId: "t9" });
    await client.lastStream.token("\n\nIt rains.");
    expect([...(container.querySelector(".oc-answer")?.children ?? [])].map((child) => child.className)).toEqual(["oc-tools", "oc-markdown", "oc-waiting"]);
    expect(screen.getByRole("group", { name: "2 tool calls" }).children).toHaveLength(2);
  });

  it("that an answer left behind is not said to run", async () => {
    const { client, words } = await setUp(CALL, MAIL);
    await client.lastStream.fail(chatError("interrupted", "It was cut."));
    expect(words(0)).toContain("outcome unknown");
    expect(words(1)).toContain("not called");
    expect(screen.queryByRole("button", { name: "Allow" })).toBeNull();
  });

  it("is announced in few words when it begins, waits and ends", async () => {
    const { client, announced } = await setUp(CALL);
    expect(announced()).toBe("Using Forecast.");
    await client.lastStream.tool(MAIL);
    expect(announced()).toBe("May Claude use send_mail? Allow or deny.");
    await client.lastStream.tool({ ...CALL, status: "failed" });
    expect(announced()).toBe("Forecast: failed.");
  });

  it("keeps the elements of the text before it while the text after it grows", async () => {
    const { client, container } = await setUp(CALL);
    await client.lastStream.token("One");
    const [call, text] = [container.querySelector(".oc-tool"), container.querySelector(".oc-markdown p")];
    await client.lastStream.token(" two");
    expect(container.querySelector(".oc-tool")).toBe(call);
    expect(container.querySelector(".oc-markdown p")).toBe(text);
  });
});

describe("approval", () => {
  it("shows all of what would be called, and sends what the person decides", async () => {
    const { client, card, words, body } = await setUp(MAIL);
    expect(words()).toContain("waits for you");
    expect(screen.getByText("Waits for you.")).toBeTruthy();
    expect(card().textContent).toContain("May Claude use send_mail of mail?");
    expect(card().textContent).toContain("Sends a message.");
    expect(card().querySelector("pre")?.textContent).toBe('{\n  "to": "ann@example.com"\n}');
    fireEvent.click(screen.getByRole("button", { name: "Allow" }));
    expect(client.decisions).toEqual([{ toolUseId: "t2", messageId: "m1", approved: true }]);
    expect(screen.getByRole("button", { name: "Allowing…" }).getAttribute("aria-disabled")).toBe("true");
    fireEvent.click(screen.getByRole("button", { name: "Deny" }));
    expect(client.decisions).toHaveLength(1);
    await client.lastStream.tool({ ...MAIL, status: "running", approved: true });
    expect(words()).toContain("running…");
    expect(body()).toBeNull();
  });

  it("for a conversation says so", async () => {
    await setUp({ ...MAIL, name: "file_ticket", server: "tracker" });
    expect(screen.getByRole("button", { name: "Allow in this conversation" })).toBeTruthy();
  });

  it("is denied for good", async () => {
    const { client, words } = await setUp(MAIL);
    fireEvent.click(screen.getByRole("button", { name: "Deny" }));
    expect(client.decisions).toMatchObject([{ approved: false }]);
    await client.lastStream.tool({ ...MAIL, status: "denied" });
    expect(words()).toContain("denied");
    expect(screen.queryByRole("button", { name: "Allow" })).toBeNull();
  });

  it("that does not arrive says what to do next", async () => {
    const { client } = await setUp(MAIL);
    client.refusal = chatError("overloaded", "Too many requests wait.");
    fireEvent.click(screen.getByRole("button", { name: "Allow" }));
    await settled();
    expect(screen.getByRole("alert").textContent).toBe("Your decision did not arrive: Too many requests wait. Choose again, or stop the answer.");
    client.refusal = undefined;
    fireEvent.click(screen.getByRole("button", { name: "Allow" }));
    expect(client.decisions).toHaveLength(2);
    expect(screen.queryByRole("alert")).toBeNull();
  });

  it("hides nothing in the arguments", async () => {
    const { card } = await setUp({ ...MAIL, input: { to: "ann\u202eexample\u0000\u{e0041}" } });
    expect(card().querySelector("pre")?.textContent).toContain("ann\\u202eexample\\u0000\\udb40\\udc41");
  });

  it("takes the focus from an empty composer to the card, where Enter does nothing, and gives it back", async () => {
    const { client, card, box } = await setUp(MAIL);
    expect(document.activeElement).toBe(card());
    await client.lastStream.tool({ ...MAIL, toolUseId: "t3" });
    expect(document.activeElement).toBe(card(0));
    await client.lastStream.tool({ ...MAIL, status: "running" });
    expect(document.activeElement).toBe(card(0));
    await client.lastStream.tool({ ...MAIL, toolUseId: "t3", status: "denied" });
    expect(document.activeElement).toBe(box);
  });

  it("does not take the focus from somebody who writes, or who is elsewhere on the page", async () => {
    const { client, chat, box } = await setUp(CALL);
    chat.setDraft("I am wri");
    await client.lastStream.tool(MAIL);
    expect(document.activeElement).toBe(box);
    await client.lastStream.tool({ ...MAIL, status: "running" });
    chat.setDraft("");
    box.blur();
    await client.lastStream.tool({ ...MAIL, toolUseId: "t3" });
    expect(document.activeElement).toBe(document.body);
  });

  it("is there again after a reload", async () => {
    const { client, chat, card } = await setUp();
    const message = { messageId: "m1", role: "assistant", content: "", timestamp: "2026-11-23T12:00:00.000Z", parts: [{ type: "tool_use", ...MAIL }] } as const;
    client.histories.set("s1", { sessionId: "s1", hasMore: false, messages: [], inProgress: { message: { ...message, parts: [...message.parts] }, seq: 3 } });
    await chat.loadHistory();
    fireEvent.click(within(card()).getByRole("button", { name: "Allow" }));
    expect(client.decisions).toEqual([{ toolUseId: "t2", messageId: "m1", approved: true }]);
  });
});

describe("reasoning", () => {
  it("is shown while it comes, folded when text begins, and says how long it took", async () => {
    const { client, clock, chat, container } = await setUp();
    chat.send("Hello");
    const details = () => container.querySelector<HTMLDetailsElement>(".oc-reasoning");
    await client.lastStream.reasoning("The person says hello.");
    expect(details()?.textContent).toBe("Thinking…The person says hello.");
    clock.now += 12_000;
    await client.lastStream.token("Hi");
    expect([details()?.open, details()?.textContent]).toEqual([false, "Thought for 12.0 s"]);
    fireEvent.click(details()?.querySelector("summary") as HTMLElement);
    expect(details()?.textContent).toContain("The person says hello.");
  });

  it("that was closed by hand stays closed, and that was not seen has no duration", async () => {
    const { client, chat, container } = await setUp();
    const message = { messageId: "m0", role: "assistant" as const, content: "x", timestamp: "2026-11-23T12:00:00.000Z" };
    client.histories.set("s1", { sessionId: "s1", hasMore: false, messages: [{ ...message, parts: [{ type: "reasoning", text: "Hm" }, { type: "text", text: "x" }] }] });
    await chat.loadHistory();
    expect(container.querySelector(".oc-reasoning")?.textContent).toBe("Reasoning");
    chat.send("Hello");
    await client.lastStream.reasoning("H");
    const latest = [...container.querySelectorAll<HTMLDetailsElement>(".oc-reasoning")].at(-1);
    fireEvent.click(latest?.querySelector("summary") as HTMLElement);
    await client.lastStream.reasoning("m");
    expect(latest?.open).toBe(false);
  });
});

describe("an answer", () => {
  it("that used as many tools as it may can go on", async () => {
    const { client, chat } = await setUp(CALL);
    await client.lastStream.done("So far.", { stopReason: "tool_limit" });
    expect(screen.getByText("It stopped because it used as many tools as one answer may.")).toBeTruthy();
    fireEvent.click(screen.getByRole("button", { name: "Go on" }));
    expect(client.lastStream.request.message).toBe("Go on.");
    await client.lastStream.done("Done.");
    expect(screen.queryByRole("button", { name: "Go on" })).toBeNull();
    expect(chat.state().messages).toHaveLength(4);
  });

  it("says what caching saved, or cost, and nothing where that is nothing", async () => {
    const { client, chat, container } = await setUp();
    const used = () => [...container.querySelectorAll(".oc-meta")].at(-1)?.textContent;
    const total = () => container.querySelector(".oc-gauge-total")?.textContent;
    chat.send("Hello");
    await client.lastStream.done("Hi");
    expect([used(), total()].join()).not.toContain("cach");
    chat.send("Hello");
    await client.lastStream.done("Hi", { usage: { ...USAGE, cacheWriteInputTokens: 10_000 } });
    expect(used()).toContain("caching cost $0.0075 more");
    chat.send("Hello");
    await client.lastStream.done("Hi", { usage: { ...USAGE, cacheReadInputTokens: 10_000 } });
    expect(used()).toContain("10.1K in10K of it cached");
    expect(used()).toContain("caching saved $0.027");
    expect(total()).toContain("caching saved $0.020");
  });
});

describe("the list of tools", () => {
  it("is by server, with what each does and whether it asks", async () => {
    const { container } = await setUp();
    const list = container.querySelector(".oc-tool-list");
    expect([...(list?.querySelectorAll("summary, dt, dd") ?? [])].map((item) => item.textContent)).toEqual([
      "3 tools", "weather", "ForecastThe weather of the next days.", "mail", "send_mailasks each timeSends a message.", "tracker", "File a ticketasks once in a conversation",
    ]);
  });

  it("is not there where there are none", () => {
    const { container } = render(() => <ChatPanel chat={makeChat({ client: new FakeClient() })} connection={{ state: "open", server: HELLO }} />);
    expect(container.querySelector(".oc-tool-list")).toBeNull();
  });
});
