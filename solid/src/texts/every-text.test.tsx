import type { BudgetState, ChatErrorCode, StopReason, ToolInfo, ToolUse, Usage } from "@outcrop/client";
import { cleanup, fireEvent, render, waitFor } from "@solidjs/testing-library";
import type { JSX } from "solid-js";
import { afterAll, afterEach, beforeEach, expect, it, vi } from "vitest";
import { makeChat } from "../chat/chat.ts";
import { failureOfPage, type Fault } from "../chat/failure.ts";
import type { Answer } from "../chat/state.ts";
import { AgentChat } from "../components/agent-chat/AgentChat.tsx";
import { AnswerFailure } from "../components/chat-panel/AnswerFailure.tsx";
import { AnswerView } from "../components/chat-panel/AnswerView.tsx";
import { BudgetMeter } from "../components/chat-panel/BudgetMeter.tsx";
import { ChatPanel } from "../components/chat-panel/ChatPanel.tsx";
import { FileChip } from "../components/chat-panel/FileChip.tsx";
import { MessageList } from "../components/chat-panel/MessageList.tsx";
import { ToolCall } from "../components/chat-panel/ToolCall.tsx";
import { WaitingNote } from "../components/chat-panel/WaitingNote.tsx";
import { CollapsibleAgentChat } from "../components/collapsible-agent-chat/CollapsibleAgentChat.tsx";
import { ConnectionState } from "../components/connection/ConnectionState.tsx";
import { ExportMenu } from "../components/export/ExportMenu.tsx";
import { toMarkdown } from "../components/export/transcript.ts";
import { Markdown } from "../components/markdown/Markdown.tsx";
import { UsagePage } from "../components/usage-page/UsagePage.tsx";
import { makeConversations } from "../chat/conversations.ts";
import { budget, chatError, counter, FakeClient, FakeClock, HELLO, session, settled, USAGE, usageResponse, usageSum } from "../test/fake-client.ts";
import { hasWords, MARKED, NAMES, readAll } from "../test/marked.ts";
import { english } from "./english.ts";
import { TextsProvider, useFormats, useTexts } from "./TextsProvider.tsx";

// There is no canvas here; what is drawn on it comes from the formats.
vi.mock("../components/usage-page/bars.ts", () => ({ drawBars: vi.fn(() => ({ show() {}, resize() {}, mark() {}, redraw() {}, destroy() {} })) }));

// Every text is in marks, and all that comes from the proxy, from a person or from Intl is in Greek or Russian: a Latin letter outside of the
// marks is a word that nobody can replace.
const LOCALE = "ru";
const WORDS = { texts: MARKED, locale: LOCALE };
const NOW = new FakeClock().now;
const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const seen = new Set<string>();

/** Reads the page as it stands. */
function look(): void {
  const { names, rest } = readAll(document.body);
  for (const name of names) seen.add(name);
  expect(rest.filter(hasWords)).toEqual([]);
}

function show(part: () => JSX.Element): void {
  render(() => <TextsProvider {...WORDS}>{part()}</TextsProvider>);
  look();
}

const find = (selector: string, index = 0) => document.querySelectorAll<HTMLElement>(selector)[index] as HTMLElement;

function click(selector: string, index = 0): void {
  fireEvent.click(find(selector, index));
  look();
}

beforeEach(() => {
  vi.useFakeTimers({ now: NOW, toFake: ["Date", "performance"] });
  localStorage.clear();
  sessionStorage.clear();
});
afterEach(() => {
  cleanup();
  vi.useRealTimers();
});
afterAll(() => expect(NAMES.filter((name) => !seen.has(name))).toEqual([]));

const unpriced: Usage = { ...USAGE, source: "estimated", cacheReadInputTokens: 5, cacheWriteInputTokens: 20_000 };
delete unpriced.costNanoUsd;
const PRICE = { input: 3e9, output: 15e9, cacheRead: 3e8, cacheWrite5m: 3.75e9 };
const MODELS = [{ model: "άλφα", default: true, price: PRICE }, { model: "βήτα", default: false }];
const TOOLS: ToolInfo[] = (["never", "always", "session"] as const).map((approval) => ({ name: `εργαλείο-${approval.length}`, server: "ξένος", title: "Τίτλος", description: "Λόγος", approval }));
const ANSWER: Answer = { role: "assistant", key: "k", text: "", parts: [], at: NOW, phase: "sent" };
const call = (more: Partial<ToolUse>): ToolUse => ({ toolUseId: "t", name: "εργαλείο-6", server: "ξένος", input: { "πόλη": "Αθήνα" }, status: "running", ...more });

function openChat(sessionId = "s1") {
  const client = new FakeClient();
  const chat = makeChat({ client, sessionId, clock: () => NOW, newKey: counter("k"), model: () => "άλφα", price: () => PRICE });
  return { client, chat };
}

it("of the whole chat: its conversations, models and connection", async () => {
  const client = new FakeClient();
  client.pageSize = 2;
  client.sessions = [session("a", { title: "Άλφα" }), { ...session("b", { updatedAt: "2026-11-02T12:00:00.000Z" }), title: undefined as never }, session("c", { updatedAt: "2025-11-02T12:00:00.000Z" })];
  render(() => <AgentChat client={client} {...WORDS} />);
  look();
  client.open({ demo: true, models: MODELS, tools: TOOLS });
  await settled();
  look();
  fireEvent.change(find(".oc-picker select"), { target: { value: "βήτα" } });
  look();
  click(".oc-session-actions button", 1);
  click(".oc-session-edit button", 1);
  click(".oc-session-actions button", 2);
  fireEvent.keyDown(find(".oc-session-edit input"), { key: "Escape" });
  client.refusal = chatError("draining", "Λάθος.");
  click(".oc-session-actions button", 1);
  click(".oc-session-edit button");
  await settled();
  look();
});

it("of conversations by date, and of what is looked for among them", async () => {
  const client = new FakeClient();
  const at = (days: number) => ({ title: "Άλφα", updatedAt: new Date(NOW - days * DAY).toISOString() });
  client.sessions = [...[0, 1, 3, 20].map((days) => session(`${days}`, at(days))), ...Array.from({ length: 1_100 }, (_, index) => session(`n${index}`, { title: `Βήτα ${index}`, updatedAt: at(90).updatedAt }))];
  client.pageSize = 100;
  vi.useFakeTimers({ now: NOW });
  render(() => <AgentChat client={client} {...WORDS} />);
  client.open({ models: MODELS });
  await settled();
  look();
  const search = async (text: string) => {
    fireEvent.input(find(".oc-search input"), { target: { value: text } });
    look();
    for (let page = 0; page < 12; page += 1) await settled();
    vi.advanceTimersByTime(1_000);
    look();
  };
  await search("αλφα");
  await search("ωμεγα");
});

it("of settings", async () => {
  const client = new FakeClient();
  render(() => <AgentChat client={client} {...WORDS} />);
  client.open({ models: MODELS, limits: { ...HELLO.limits, maxSystemPromptChars: 2 } });
  click('[aria-haspopup="dialog"]');
  for (const text of ["ωω", "ωωω"]) {
    fireEvent.input(find(".oc-settings textarea"), { target: { value: text } });
    look();
  }
});

it("of an empty list of conversations, and of each state of the connection", async () => {
  const client = new FakeClient();
  render(() => <AgentChat client={client} {...WORDS} />);
  client.open({ models: MODELS });
  await settled();
  look();
  for (const state of ["idle", "connecting", "open", "reconnecting", "offline", "closed"] as const) show(() => <ConnectionState connection={{ state, retryAt: NOW + 5_000, reason: "Λόγος" }} />);
});

it("of the chat behind its launcher", async () => {
  const client = new FakeClient();
  render(() => <CollapsibleAgentChat client={client} hotkey="ω" {...WORDS} />);
  look();
  const arrow = (selector: string, key: string) => {
    fireEvent.keyDown(find(selector), { key, altKey: true });
    look();
  };
  for (const key of ["ArrowUp", "ArrowLeft", "ArrowDown", "ArrowRight"]) arrow(".oc-launcher", key);
  click(".oc-launcher");
  click(".oc-window-header button");
  click(".oc-window-header button");
  click(".oc-pin");
  for (const key of ["ArrowLeft", "ArrowRight"]) arrow(".oc-window-header", key);
  client.open({ models: MODELS });
  fireEvent.input(find("textarea"), { target: { value: "Γεια" } });
  fireEvent.keyDown(find("textarea"), { key: "Enter" });
  click(".oc-window-header > button", 4);
  await client.lastStream.done("Γεια");
  look();
});

it("of the composer and its files", async () => {
  const { client, chat } = openChat();
  const file = (name: string, size = 2, type = "text/plain") => new File(["x".repeat(size)], name, { type });
  render(() => <ChatPanel chat={chat} connection={{ state: "open", server: HELLO }} {...WORDS} />);
  fireEvent.input(find("textarea"), { target: { value: "ω".repeat(101) } });
  look();
  fireEvent.input(find("textarea"), { target: { value: "" } });
  fireEvent.dragEnter(find(".oc-drop"), { dataTransfer: { files: [], types: ["Files"] } });
  look();
  const attach = (...files: File[]) => fireEvent.drop(find(".oc-drop"), { dataTransfer: { files, types: ["Files"] } });
  const read = async (count: number) => {
    look();
    await waitFor(() => expect([chat.draft.files.items().length, chat.draft.files.reading()]).toEqual([count, 0]));
    look();
  };
  attach(file("ά", 2, "application/zip"), file("β", 0), file("γ", 999_999), file("δ", 2, "image/png"), ...["1", "2", "3", "4", "5", "6"].map((name) => file(name)));
  await read(5);
  attach(...Array.from({ length: 16 }, () => new File([new Uint8Array([0x89, 0x50, 0x4e, 0x47])], "ζ", { type: "image/png" })));
  await read(20);
  chat.draft.files.clear();
  attach(file("ά", 400_000), file("β", 400_000));
  await read(2);
  click(".oc-file-remove");
  fireEvent.click(find(".oc-send"));
  look();
  await client.lastStream.done("Γεια");
  chat.send("ω");
  await client.lastStream.done("Γεια");
  look();
  click(".oc-edit");
  click(".oc-editing button");
  const asked = client.lastStream.request.id;
  client.histories.set("s1", { sessionId: "s1", hasMore: false, messages: [{ messageId: "q", role: "user", content: "ω", timestamp: "2026-11-23T12:00:00.000Z", ...(asked === undefined ? {} : { requestId: asked }) }] });
  click(".oc-edit", 1);
  fireEvent.keyDown(find("textarea"), { key: "Enter" });
  await settled();
  await client.lastStream.fail(chatError("overloaded", "Λάθος."));
  look();
  show(() => <FileChip file={{ name: "ά", mediaType: "image/png", bytes: 3 << 20 }} />);
  show(() => <ChatPanel chat={chat} connection={{ state: "closed" }} />);
});

it("of an answer that is written, and that ends in every way", async () => {
  const { client, chat } = openChat();
  vi.spyOn(navigator.clipboard, "writeText").mockResolvedValue().mockRejectedValueOnce(new Error("refused"));
  render(() => <ChatPanel chat={chat} connection={{ state: "offline", server: HELLO }} {...WORDS} />);
  chat.send("Γεια");
  look();
  await client.lastStream.reasoning("Σκέψη");
  look();
  await client.lastStream.token("Γεια");
  chat.stop();
  look();
  await client.lastStream.done("Γεια", { stopReason: "cancelled", usage: unpriced });
  look();
  for (let copy = 0; copy < 2; copy += 1) {
    fireEvent.click(find(".oc-meta .oc-copy"));
    await settled();
    look();
  }
  chat.send("Γεια");
  await client.lastStream.done("λόγος ".repeat(200), { usage: { ...USAGE, cacheWriteInputTokens: 9_000 } });
  look();
  chat.send("Γεια");
  await client.lastStream.done("Γεια", { usage: { ...USAGE, cacheReadInputTokens: 90_000 } });
  look();
  chat.send("Γεια");
  await client.lastStream.fail(chatError("internal", "Λάθος."));
  look();
  chat.send("Γεια");
  await client.lastStream.done("Γεια", { stopReason: "tool_limit" });
  look();
  click(".oc-limit button");
  const endings = ["tool_use", "max_tokens", "guardrail_intervened", "content_filtered", "model_context_window_exceeded"] satisfies StopReason[];
  const view = { connected: true, canRetry: false, canRegenerate: true, canGoOn: false, onRetry: () => {}, onGoOn: () => {} };
  for (const stopReason of endings) show(() => <AnswerView {...view} answer={{ ...ANSWER, text: "Γεια", phase: "complete", stopReason, usage: USAGE }} />);
  show(() => <AnswerView {...view} answer={{ ...ANSWER, parts: [{ type: "reasoning", text: "Σκέψη" }, { type: "reasoning", text: "Σκέψη", startedAt: 0, endedAt: 125_000 }], phase: "complete" }} />);
});

it("of what an answer waits for", () => {
  for (const messageId of [{}, { messageId: "m" }]) show(() => <WaitingNote answer={{ ...ANSWER, ...messageId }} connected={false} />);
  for (const state of ["queued", "retrying", "stalled"] as const) show(() => <WaitingNote answer={{ ...ANSWER, waiting: { state } }} connected />);
  show(() => <WaitingNote answer={{ ...ANSWER, waiting: { state: "retrying", until: NOW + 3_000 } }} connected />);
  show(() => <WaitingNote answer={{ ...ANSWER, parts: [{ type: "tool", call: call({ status: "pending_approval" }) }] }} connected />);
});

it("of every failure", () => {
  const view = { partial: true, canRetry: true, onRetry: () => {} };
  const failed = (code: ChatErrorCode, waitMs?: number) => show(() => <AnswerFailure {...view} failure={{ code, message: "Λάθος.", retryable: true, ...(waitMs === undefined ? {} : { retryAt: NOW + waitMs }) }} />);
  for (const code of Object.keys(english.errors) as ChatErrorCode[]) failed(code);
  for (const wait of [5_000, 5 * MINUTE, 60 * MINUTE, 90 * MINUTE, DAY, 3 * DAY]) failed("budget_exceeded", wait);
  failed("rate_limited", 5_000);
  for (const fault of Object.keys(english.faults) as Fault[]) show(() => <AnswerFailure {...view} failure={failureOfPage(fault)} />);
});

it("of history that comes, that comes not, and that has more", async () => {
  const { client, chat } = openChat();
  render(() => <ChatPanel chat={chat} {...WORDS} />);
  client.histories.set("s1", chatError("overloaded", "Λάθος."));
  const [failed] = [chat.loadHistory(), look()];
  await failed;
  look();
  const message = { messageId: "m", role: "assistant" as const, content: "Γεια", timestamp: "2026-11-23T12:00:00.000Z", usage: USAGE };
  client.histories.set("s1", { sessionId: "s1", hasMore: true, messages: [message] });
  await chat.loadHistory();
  look();
  show(() => <MessageList state={chat.state()} editing={undefined} connected onRetry={() => {}} onGoOn={() => {}} />);
  const scroller = find(".oc-messages", 1);
  for (const [name, value] of Object.entries({ scrollHeight: 900, clientHeight: 100 })) Object.defineProperty(scroller, name, { value });
  for (const scrollTop of [800, 0]) {
    scroller.scrollTop = scrollTop;
    fireEvent.scroll(scroller);
  }
  look();
});

it("of tools", async () => {
  const { client, chat } = openChat();
  render(() => <ChatPanel chat={chat} connection={{ state: "open", server: { ...HELLO, tools: TOOLS } }} {...WORDS} />);
  chat.send("Γεια");
  await client.lastStream.tool(call({}));
  look();
  for (const name of ["εργαλείο-6", "εργαλείο-7"]) await client.lastStream.tool(call({ toolUseId: name, name, status: "pending_approval" }));
  look();
  const { server: _, ...nameless } = call({ toolUseId: "t3", status: "pending_approval" });
  await client.lastStream.tool(nameless);
  look();
  client.refusal = chatError("overloaded", "Λάθος.");
  for (const button of [0, 1]) {
    click(".oc-approval-buttons button", button);
    await settled();
    look();
  }
  await client.lastStream.tool(call({ status: "failed" }));
  look();
  const text = "λόγος\n".repeat(30);
  const files = [{ name: "ά", mediaType: "image/png", bytes: 2_048 }];
  const calls = (["preparing", "running", "succeeded", "failed", "denied", "unknown_outcome"] as const).map((status) => call({ status, durationMs: 850, approved: true }));
  const results = (["succeeded", "failed", "denied"] as const).map((status) => call({ status, durationMs: 1_400, result: { text, truncated: true, files } }));
  for (const each of [...calls, ...results]) {
    cleanup();
    show(() => <ToolCall part={{ type: "tool", call: each }} over={false} />);
    click("summary");
    if (document.querySelector(".oc-link")) click(".oc-link");
  }
  show(() => <ToolCall part={{ type: "tool", call: call({ status: "pending_approval" }) }} over />);
});

it("of a conversation that is exported", async () => {
  const client = new FakeClient();
  const timestamp = "2026-11-23T12:00:00.000Z";
  const messages = [
    { messageId: "q", role: "user" as const, content: "Γεια", timestamp },
    { messageId: "a", role: "assistant" as const, content: "Γεια", timestamp, usage: USAGE, error: { code: "interrupted" as const, message: "Λάθος.", retryable: true } },
  ];
  const conversations = makeConversations({ client, storage: null, clock: () => NOW });
  show(() => <ExportMenu conversations={conversations} />);
  client.histories.set("s1", { sessionId: "s1", hasMore: false, messages });
  conversations.open("s1");
  await settled();
  client.histories.set("s1", chatError("overloaded", "Λάθος."));
  click(".oc-export > button");
  click(".oc-export-menu button");
  await settled();
  look();
  const transcript = { sessionId: "s1", messages, isCut: true };
  show(() => <pre>{toMarkdown(transcript, useTexts()(), useFormats()())}</pre>);
});

it("of Markdown", () => {
  show(() => <Markdown text={"```\n1\n```\n\n```ζ\n1\n```\n\n|α|β|\n|-|-|\n|1|2|\n\n- [ ] α\n- [x] β\n\n![](https://example.com/)\n\n$$\n1\n$$"} />);
});

it("of budgets", () => {
  const budgets: BudgetState[] = (["user", "organization", "proxy"] as const).flatMap((scope) => [budget(1, { scope, reserved: 1 }), budget(1, { scope, period: "month", unit: "tokens" })]);
  for (const each of [...budgets, budget(9e9)]) show(() => <BudgetMeter budgets={[each]} />);
});

it("of the page for usage", async () => {
  const client = new FakeClient();
  client.sessions = [{ ...session("α"), title: undefined as never }];
  const usage = { ...unpriced, costNanoUsd: 1e9 };
  const sum = usageSum(3, { calls: 5, estimatedCalls: 1, unpricedCalls: 1, toolCalls: 7, usage });
  const keys = { model: "άλφα", session: "α", user: "χρήστης", organization: "οργανισμός", day: "2026-11-23", hour: "2026-11-23T09:00Z" };
  client.report = ({ groupBy }) => usageResponse([{ key: keys[groupBy], ...sum }, ...Array.from({ length: 120 }, () => ({ key: "χωρίς", ...sum }))], { budgets: [budget(1, { reserved: 1 })] });
  const conversations = makeConversations({ client, storage: null, clock: () => NOW });
  client.open({ expiresInMs: DAY, principal: { user: "α", organization: "α", role: "operator" }, models: MODELS });
  render(() => <UsagePage client={client} conversations={conversations} clock={() => NOW} {...WORDS} />);
  const loaded = async () => {
    look();
    for (let turn = 0; turn < 4; turn += 1) await settled();
    look();
  };
  await loaded();
  fireEvent.keyDown(find(".oc-usage-plot"), { key: "ArrowLeft" });
  look();
  fireEvent.keyDown(find(".oc-usage-plot"), { key: "ArrowLeft" });
  look();
  for (const [value, index] of [["session", 0], ["day", 0], ["user", 0], ["today", 0], ["all", 0], ["organization", 1]] as const) {
    fireEvent.click(find(`input[value=${value}]`, index));
    await loaded();
  }
  client.report = () => usageResponse([]);
  click(".oc-usage-controls button");
  await loaded();
  client.report = () => chatError("internal", "Λάθος.");
  click(".oc-usage-controls button");
  await loaded();
});
