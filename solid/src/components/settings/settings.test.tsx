import { cleanup, fireEvent, render, screen } from "@solidjs/testing-library";
import { createSignal, Show } from "solid-js";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { makeConversations } from "../../chat/conversations.ts";
import { FakeClient, HELLO, settled } from "../../test/fake-client.ts";
import { AgentChat } from "../agent-chat/AgentChat.tsx";
import { CollapsibleAgentChat } from "../collapsible-agent-chat/CollapsibleAgentChat.tsx";
import { SettingsButton } from "./SettingsButton.tsx";
import { SettingsDialog } from "./SettingsDialog.tsx";

const OF_THE_PAGE = "Of the page";

beforeEach(() => {
  sessionStorage.clear();
  localStorage.clear();
});
afterEach(cleanup);

/** A page with settings, opened. The proxy takes instructions of 20 characters. */
function setUp({ most = 20 as number | null } = {}) {
  const client = new FakeClient();
  const conversations = makeConversations({ client });
  client.open({ limits: { ...HELLO.limits, ...(most === null ? {} : { maxSystemPromptChars: most }) } });
  const keys = vi.fn();
  render(() => {
    const [shown, setShown] = createSignal(false);
    return (
      <div onKeyDown={keys}>
        <SettingsButton onOpen={() => setShown(true)} />
        <Show when={shown()}><SettingsDialog conversations={conversations} onClose={() => setShown(false)}><p>{OF_THE_PAGE}</p></SettingsDialog></Show>
      </div>
    );
  });
  fireEvent.click(screen.getByRole("button", { name: "Settings" }));
  return { client, conversations, settings: conversations.settings, keys };
}

const dialog = () => screen.queryByRole<HTMLDialogElement>("dialog", { name: "Settings" });
const instructions = () => screen.getByRole<HTMLTextAreaElement>("textbox", { name: "Your instructions" });
const write = (text: string) => fireEvent.input(instructions(), { target: { value: text } });
const described = () => document.getElementById(instructions().getAttribute("aria-describedby") ?? "")?.textContent;

describe("the settings", () => {
  it("are a modal dialog with what the page adds, which its button, a press beside it and the browser close", () => {
    setUp();
    const button = screen.getAllByRole("button", { name: "Settings" })[0] as HTMLElement;
    expect(dialog()?.open).toBe(true);
    expect(dialog()?.textContent).toContain(OF_THE_PAGE);
    fireEvent.click(screen.getByRole("button", { name: "Close" }));
    expect(dialog()).toBeNull();
    fireEvent.click(button);
    fireEvent.mouseDown(screen.getByText(OF_THE_PAGE));
    expect(dialog()?.open).toBe(true);
    fireEvent.mouseDown(dialog() as HTMLElement);
    expect(dialog()).toBeNull();
  });

  it("keep Esc to themselves, and leave other keys to the page", () => {
    const { keys } = setUp();
    fireEvent.keyDown(screen.getByRole("button", { name: "Close" }), { key: "Escape" });
    expect(keys).not.toHaveBeenCalled();
    fireEvent.keyDown(screen.getByRole("button", { name: "Close" }), { key: "a" });
    expect(keys).toHaveBeenCalledOnce();
  });

  it("have each model with its price, and say which is the default", () => {
    const { conversations } = setUp();
    const [first, second] = screen.getAllByRole<HTMLInputElement>("radio");
    expect(first?.closest("label")?.textContent).toBe("Claude 3.5 Sonnet (2024-10)Default$3 in, $15 out per million tokens");
    expect(second?.closest("label")?.textContent).toBe("Claude 3 Haikuno known price");
    expect([first?.checked, second?.checked]).toEqual([true, false]);
    fireEvent.click(second as HTMLElement);
    expect(conversations.effectiveModel()).toBe(HELLO.models[1]?.model);
    conversations.settings.setModel(HELLO.models[0]?.model);
    expect([first?.checked, second?.checked]).toEqual([true, false]);
  });

  it("have the person's own instructions, which count down to what the proxy takes", () => {
    const { settings } = setUp();
    expect(described()).toMatch(/^Claude is told them/);
    write("Be brief.");
    expect(settings.systemPrompt()).toBe("Be brief.");
    expect(described()).toMatch(/^Claude is told them/);
    write("x".repeat(18));
    expect(described()).toBe("2 characters left.");
    write("😀".repeat(19));
    expect(described()).toBe("1 character left.");
    write(` ${"x".repeat(20)}\n`);
    expect(described()).toBe("0 characters left.");
    expect(settings.systemPrompt().trim()).toHaveLength(20);
  });

  it("refuse instructions that are too long, and go on with those before", () => {
    const { settings } = setUp();
    write("Be brief.");
    write("x".repeat(21));
    expect(described()).toBe("1 character too long: at most 20 can be used. Until it fits, the last text that did is used.");
    expect(instructions().getAttribute("aria-invalid")).toBe("true");
    expect(settings.systemPrompt()).toBe("Be brief.");
    write("x".repeat(20));
    expect(instructions().getAttribute("aria-invalid")).toBe("false");
    expect(settings.systemPrompt()).toBe("x".repeat(20));
  });

  it.each([0, null])("have none where the proxy takes none: %s", (most) => {
    setUp({ most });
    expect(screen.queryByRole("textbox")).toBeNull();
    expect(dialog()).not.toBeNull();
  });

  it("turn streaming off and on", () => {
    const { settings } = setUp();
    const box = screen.getByRole<HTMLInputElement>("checkbox", { name: "Show answers while they are written" });
    expect(box.checked).toBe(true);
    fireEvent.click(box);
    expect(settings.streaming()).toBe(false);
    fireEvent.click(box);
    expect(settings.streaming()).toBe(true);
  });
});

describe("the button of the settings", () => {
  it("is in the whole chat, and what is set there goes with the next message", async () => {
    const client = new FakeClient();
    render(() => <AgentChat client={client} pageSettings={<p>{OF_THE_PAGE}</p>} />);
    client.open({ limits: { ...HELLO.limits, maxSystemPromptChars: 20 } });
    fireEvent.click(screen.getByRole("button", { name: "Settings" }));
    expect(dialog()?.textContent).toContain(OF_THE_PAGE);
    write("Be brief.");
    fireEvent.click(screen.getByRole("checkbox"));
    fireEvent.click(screen.getByRole("button", { name: "Close" }));
    const message = screen.getByRole("textbox", { name: "Message" });
    fireEvent.input(message, { target: { value: "Hello" } });
    fireEvent.keyDown(message, { key: "Enter" });
    expect(client.lastWhole.request).toMatchObject({ message: "Hello", systemPrompt: "Be brief." });
    await client.lastWhole.done("Good day");
    await settled();
    expect(screen.getByText("Good day", { selector: "p" })).toBeTruthy();
  });

  it("is in the chat behind its launcher, which stays open under them", () => {
    render(() => <CollapsibleAgentChat client={new FakeClient()} pageSettings={<p>{OF_THE_PAGE}</p>} />);
    fireEvent.click(screen.getByRole("button", { name: /Ask Claude/ }));
    fireEvent.click(screen.getByRole("button", { name: "Settings" }));
    expect(dialog()?.textContent).toContain(OF_THE_PAGE);
    fireEvent.keyDown(dialog() as HTMLElement, { key: "Escape" });
    fireEvent.keyDown(document, { key: "k", ctrlKey: true });
    expect(screen.getByRole("dialog", { name: "Claude" })).toBeTruthy();
    fireEvent.click(screen.getByRole("button", { name: "Close" }));
    fireEvent.keyDown(document, { key: "k", ctrlKey: true });
    expect(screen.queryByRole("dialog", { name: "Claude" })).toBeNull();
  });
});
