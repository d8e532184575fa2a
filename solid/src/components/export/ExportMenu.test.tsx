import { cleanup, fireEvent, render, screen } from "@solidjs/testing-library";
import { afterEach, describe, expect, it, vi } from "vitest";
import { makeConversations } from "../../chat/conversations.ts";
import { loadTranscript, MAX_TRANSCRIPT_MESSAGES } from "../../chat/transcript.ts";
import { makeFormats } from "../../format/formats.ts";
import { chatError, FakeClient, session, settled, USAGE } from "../../test/fake-client.ts";
import { english } from "../../texts/english.ts";
import { ExportMenu } from "./ExportMenu.tsx";
import { fileName, toMarkdown } from "./transcript.ts";

const download = vi.hoisted(() => vi.fn());
vi.mock("../common/download.ts", () => ({ download }));
afterEach(() => {
  cleanup();
  download.mockReset();
});

const timestamp = "2026-11-23T12:00:00.000Z";
const MESSAGES = [
  { messageId: "q1", role: "user" as const, content: "Compare *two* things", timestamp, attachments: [{ name: "a.csv", mediaType: "text/csv", bytes: 2 }] },
  {
    messageId: "a1",
    role: "assistant" as const,
    content: "Let me look.\n\n| a | b |",
    timestamp,
    model: "anthropic.claude-3-5-sonnet-20241022-v2:0",
    usage: USAGE,
    parts: [
      { type: "reasoning" as const, text: "Hm." },
      { type: "text" as const, text: "Let me look." },
      { type: "tool_use" as const, toolUseId: "t1", name: "get_usage", input: { from: "2026-11-01" }, status: "succeeded" as const },
      { type: "text" as const, text: "| a | b |" },
    ],
  },
  { messageId: "a2", role: "assistant" as const, content: "", timestamp, error: { code: "throttled" as const, message: "Wait.", retryable: true } },
];

describe("a conversation as Markdown", () => {
  it("has what was said as it was written, calls in a line, how answers ended and what they used", () => {
    const text = toMarkdown({ sessionId: "s1", title: "Two things", messages: MESSAGES, isCut: false }, english, makeFormats("en-GB"));
    const at = makeFormats("en-GB").dateAndTime(Date.parse(timestamp));
    expect(text.split("\n\n")).toEqual([
      "# Two things",
      `## You, ${at}`,
      "- a.csv",
      "Compare *two* things",
      `## Claude 3.5 Sonnet (2024-10), ${at}`,
      "Let me look.",
      "> get_usage · 2026-11-01 · done",
      "| a | b |",
      "*50 in, 150 out, US$0.0024*",
      `## Claude, ${at}`,
      "*Bedrock is throttling requests: Wait.*\n",
    ]);
  });

  it("is a file of its title's name, or of its id", () => {
    const named = (title?: string) => fileName({ sessionId: "s1", messages: [], isCut: false, ...(title === undefined ? {} : { title }) }, "md");
    expect(["Zürich: was / wo?", "../..", undefined, "x".repeat(99)].map(named)).toEqual(["Zürich-was-wo.md", "s1.md", "s1.md", `${"x".repeat(60)}.md`]);
  });
});

describe("the whole of a conversation", () => {
  const page = (first: number, count: number) => Array.from({ length: count }, (_, index) => ({ messageId: `m${first + index}`, role: "user" as const, content: "x", timestamp }));

  it("is loaded page by page", async () => {
    const client = new FakeClient();
    client.histories.set("s1", { sessionId: "s1", messages: page(3, 2), hasMore: true });
    client.histories.set("m3", { sessionId: "s1", messages: page(1, 2), hasMore: false });
    const { messages, isCut } = await loadTranscript(client, "s1");
    expect([messages.map(({ messageId }) => messageId), isCut]).toEqual([["m1", "m2", "m3", "m4"], false]);
  });

  it("has an end, and says so", async () => {
    let asked = 0;
    const history = async () => ({ sessionId: "s1", messages: page((asked += 1) * -100, 100), hasMore: true });
    const { messages, isCut } = await loadTranscript({ history } as never, "s1");
    expect([messages.length, isCut]).toEqual([MAX_TRANSCRIPT_MESSAGES, true]);
  });
});

describe("the menu", () => {
  async function setUp() {
    const client = new FakeClient();
    client.sessions = [session("s1", { title: "Two things" })];
    const conversations = makeConversations({ client, storage: null });
    client.open();
    await settled();
    render(() => <ExportMenu conversations={conversations} />);
    const button = screen.getByRole<HTMLButtonElement>("button", { name: "Export conversation" });
    client.histories.set("s1", { sessionId: "s1", messages: MESSAGES, hasMore: false });
    return { client, conversations, button };
  }

  it("has nothing to give of an empty conversation", async () => {
    const { conversations, button } = await setUp();
    expect(button.disabled).toBe(true);
    conversations.open("s1");
    await settled();
    expect(button.disabled).toBe(false);
  });

  it("gives the open one as JSON with all that is stored, closes and gives the focus back", async () => {
    const { conversations, button } = await setUp();
    conversations.open("s1");
    await settled();
    fireEvent.click(button);
    const item = screen.getByRole("button", { name: "As JSON" });
    item.focus();
    fireEvent.click(item);
    await settled();
    expect(download).toHaveBeenCalledOnce();
    const [name, type, text] = download.mock.calls[0] as string[];
    expect([name, type]).toEqual(["Two-things.json", "application/json"]);
    expect(JSON.parse(text ?? "")).toEqual({ sessionId: "s1", title: "Two things", messages: MESSAGES, isCut: false });
    expect([button.getAttribute("aria-expanded"), document.activeElement]).toEqual(["false", button]);
  });

  it("says why nothing was exported, and closes with Esc", async () => {
    const { client, conversations, button } = await setUp();
    conversations.open("s1");
    await settled();
    client.histories.set("s1", chatError("overloaded", "Too many requests wait."));
    fireEvent.click(button);
    fireEvent.click(screen.getByRole("button", { name: "As Markdown" }));
    await settled();
    expect(screen.getByRole("alert").textContent).toBe("Not exported. Too many requests wait.");
    expect(download).not.toHaveBeenCalled();
    fireEvent.keyDown(screen.getByRole("alert"), { key: "Escape" });
    expect(screen.queryByRole("alert")).toBeNull();
  });
});
