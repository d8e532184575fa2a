import { cleanup, fireEvent, render, screen } from "@solidjs/testing-library";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FakeClient } from "../../test/fake-client.ts";
import { CollapsibleAgentChat } from "./CollapsibleAgentChat.tsx";
import { hotkeyLabel, matchesHotkey } from "./hotkey.ts";

beforeEach(() => {
  localStorage.clear();
  sessionStorage.clear();
});
afterEach(cleanup);

function setUp(props: { hotkey?: string | null } = {}) {
  const client = new FakeClient();
  const { container, unmount } = render(() => <CollapsibleAgentChat client={client} {...props} />);
  const placement = () => container.querySelector<HTMLElement>(".oc-collapsible")?.dataset["placement"];
  const corner = () => [...container.querySelectorAll<HTMLElement>(".oc-collapsible")].flatMap(({ dataset }) => [dataset["block"], dataset["inline"]]);
  const hotkey = (more: KeyboardEventInit = {}) => fireEvent.keyDown(document, { key: "k", ctrlKey: true, ...more });
  const launcher = () => container.querySelector(".oc-launcher") as HTMLButtonElement;
  return { client, placement, corner, hotkey, launcher, unmount };
}

describe("the chat behind its launcher", () => {
  it("opens with the focus in the composer and gives it back when minimised", () => {
    const { placement, launcher } = setUp();
    expect(placement()).toBe("minimised");
    fireEvent.click(launcher());
    expect(placement()).toBe("floating");
    expect(document.activeElement).toBe(screen.getByRole("textbox", { name: "Message" }));
    fireEvent.keyDown(document.activeElement as Element, { key: "Escape" });
    expect(placement()).toBe("minimised");
    expect(document.activeElement).toBe(launcher());
  });

  it("is toggled by the hotkey", () => {
    const { placement, hotkey } = setUp();
    hotkey();
    expect(placement()).toBe("floating");
    hotkey({ ctrlKey: false, metaKey: true });
    expect(placement()).toBe("minimised");
    hotkey({ shiftKey: true });
    expect(placement()).toBe("minimised");
  });

  it("has another hotkey, or none", () => {
    const { placement, hotkey } = setUp({ hotkey: null });
    hotkey();
    expect(placement()).toBe("minimised");
  });

  it("is pinned, and the page is told how much room to leave", () => {
    const { placement, hotkey, unmount } = setUp();
    const room = () => document.documentElement.style.getPropertyValue("--oc-dock-width");
    hotkey();
    expect(room()).toBe("0px");
    fireEvent.click(screen.getByRole("button", { name: "Pin to the side" }));
    expect(placement()).toBe("pinned");
    expect(room()).toBe("min(26rem, 100vw - 20rem)");
    expect(document.documentElement.dataset["ocDock"]).toBe("end");
    unmount();
    expect(room()).toBe("");
    expect(document.documentElement.dataset["ocDock"]).toBeUndefined();
  });

  it("comes back as it was left, pinned after minimising too", () => {
    const first = setUp();
    first.hotkey();
    fireEvent.click(screen.getByRole("button", { name: "Pin to the side" }));
    first.unmount();
    const second = setUp();
    expect(second.placement()).toBe("pinned");
    second.hotkey();
    second.hotkey();
    expect(second.placement()).toBe("pinned");
  });

  it("ignores what another program left in its storage", () => {
    localStorage.setItem("outcrop.placement", '{"open":');
    expect(setUp().placement()).toBe("minimised");
  });

  it("goes to another corner with Alt and an arrow key, says so, and is still there the next time", () => {
    const first = setUp();
    fireEvent.keyDown(first.launcher(), { key: "ArrowLeft", altKey: true });
    expect(first.corner()).toEqual(["end", "start"]);
    expect(screen.getByText("Chat moved to the bottom left.").role).toBe("status");
    first.hotkey();
    fireEvent.keyDown(screen.getByRole("button", { name: "Minimise" }), { key: "ArrowUp", altKey: true });
    expect(first.corner()).toEqual(["start", "start"]);
    fireEvent.keyDown(screen.getByRole("textbox", { name: "Message" }), { key: "ArrowDown", altKey: true });
    first.unmount();
    expect(setUp().corner()).toEqual(["start", "start"]);
  });

  it("opens another conversation from its list, which Esc closes first", () => {
    const { placement, hotkey } = setUp();
    hotkey();
    const toggle = screen.getByRole("button", { name: "Conversations" });
    fireEvent.click(toggle);
    expect(screen.getByRole("navigation", { name: "Conversations" }).contains(document.activeElement)).toBe(true);
    fireEvent.keyDown(document.activeElement as Element, { key: "Escape" });
    expect(screen.queryByRole("navigation")).toBeNull();
    expect(placement()).toBe("floating");
    expect(document.activeElement).toBe(toggle);
  });

  it("stops an answer with the first Esc and minimises with the next", async () => {
    const { client, placement, hotkey } = setUp();
    hotkey();
    const box = screen.getByRole("textbox", { name: "Message" });
    fireEvent.input(box, { target: { value: "Hello" } });
    fireEvent.keyDown(box, { key: "Enter" });
    fireEvent.keyDown(box, { key: "Escape" });
    expect(client.lastStream.signal?.aborted).toBe(true);
    expect(placement()).toBe("floating");
    await client.lastStream.done("", { stopReason: "cancelled" });
    fireEvent.keyDown(box, { key: "Escape" });
    expect(placement()).toBe("minimised");
  });

  it("keeps the draft while minimised", () => {
    const { hotkey } = setUp();
    hotkey();
    fireEvent.input(screen.getByRole("textbox", { name: "Message" }), { target: { value: "half a thou" } });
    hotkey();
    hotkey();
    expect(screen.getByRole<HTMLTextAreaElement>("textbox", { name: "Message" }).value).toBe("half a thou");
  });

  it("shows that an answer came while it was minimised", async () => {
    const { client, hotkey, launcher } = setUp();
    hotkey();
    const box = screen.getByRole("textbox", { name: "Message" });
    fireEvent.input(box, { target: { value: "Hello" } });
    fireEvent.keyDown(box, { key: "Enter" });
    hotkey();
    expect(launcher().textContent).toContain("Answering");
    await client.lastStream.done("Good day");
    expect(launcher().textContent).toContain("New answer");
    hotkey();
    hotkey();
    expect(launcher().textContent).not.toContain("New answer");
  });
});

describe("the hotkey", () => {
  it("is Ctrl or Cmd and nothing else", () => {
    const press = (init: KeyboardEventInit) => matchesHotkey(new KeyboardEvent("keydown", { key: "K", ...init }), "k");
    expect([press({ ctrlKey: true }), press({ metaKey: true }), press({}), press({ ctrlKey: true, altKey: true }), press({ ctrlKey: true, metaKey: true })]).toEqual([true, true, false, false, false]);
  });

  it("is written as people of the platform write it", () => {
    expect(["MacIntel", "Linux x86_64"].map((platform) => hotkeyLabel("k", (key) => `Strg ${key}`, platform))).toEqual(["⌘K", "Strg K"]);
  });
});
