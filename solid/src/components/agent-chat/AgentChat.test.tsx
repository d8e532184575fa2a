import { cleanup, fireEvent, render, screen, within } from "@solidjs/testing-library";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { chatError, FakeClient, HELLO, session, settled, USAGE } from "../../test/fake-client.ts";
import { AgentChat } from "./AgentChat.tsx";

beforeEach(() => {
  sessionStorage.clear();
  localStorage.clear();
});
afterEach(() => {
  cleanup();
  vi.useRealTimers();
});

async function setUp(prepare: (client: FakeClient) => void = () => {}) {
  const client = new FakeClient();
  client.sessions = [session("a"), session("b")];
  prepare(client);
  const { container } = render(() => <AgentChat client={client} />);
  client.open();
  await settled();
  const row = (id: string) => screen.getByText(`About ${id}`).closest("li") as HTMLElement;
  return { client, container, row };
}

describe("the list of conversations", () => {
  it("opens one with its messages", async () => {
    const { client, row } = await setUp();
    const timestamp = "2026-11-23T12:00:00.000Z";
    client.histories.set("b", { sessionId: "b", hasMore: false, messages: [{ messageId: "m1", role: "user", content: "Earlier", timestamp }] });
    fireEvent.click(within(row("b")).getByText("About b"));
    await settled();
    expect(screen.getByText("Earlier")).toBeTruthy();
    expect(within(row("b")).getByRole("button", { current: true })).toBeTruthy();
  });

  it("renames one, and leaves it with Esc", async () => {
    const { row } = await setUp();
    fireEvent.click(screen.getByRole("button", { name: "Rename About a" }));
    const input = screen.getByRole<HTMLInputElement>("textbox", { name: "Title" });
    fireEvent.keyDown(input, { key: "Escape" });
    expect(screen.queryByRole("textbox", { name: "Title" })).toBeNull();
    fireEvent.click(within(row("a")).getByRole("button", { name: "Rename About a" }));
    const again = screen.getByRole<HTMLInputElement>("textbox", { name: "Title" });
    fireEvent.input(again, { target: { value: "Rivers" } });
    fireEvent.submit(again.closest("form") as HTMLFormElement);
    await settled();
    expect(screen.getByText("Rivers")).toBeTruthy();
  });

  it("deletes one only after a question", async () => {
    const { client } = await setUp();
    fireEvent.click(screen.getByRole("button", { name: "Delete About a" }));
    await settled();
    expect(document.activeElement?.textContent).toBe("Keep");
    fireEvent.click(screen.getByRole("button", { name: "Keep" }));
    expect(client.sessions).toHaveLength(2);
    fireEvent.click(screen.getByRole("button", { name: "Delete About a" }));
    fireEvent.click(screen.getByRole("button", { name: "Delete" }));
    await settled();
    expect(client.sessions.map((item) => item.sessionId)).toEqual(["b"]);
    expect(screen.queryByText("About a")).toBeNull();
  });

  it("gives the focus to the next one when one is deleted, and at last to a new one", async () => {
    const { row } = await setUp();
    const remove = async (name: string) => {
      fireEvent.click(screen.getByRole("button", { name: `Delete ${name}` }));
      fireEvent.click(screen.getByRole("button", { name: "Delete" }));
      await settled();
    };
    await remove("About a");
    expect(document.activeElement).toBe(within(row("b")).getByText("About b").closest("button"));
    await remove("About b");
    expect(document.activeElement?.textContent).toContain("New conversation");
  });

  it("says why something was refused", async () => {
    const { client } = await setUp();
    client.refusal = chatError("rate_limited", "Wait a minute.");
    fireEvent.click(screen.getByRole("button", { name: "Delete About a" }));
    fireEvent.click(screen.getByRole("button", { name: "Delete" }));
    await settled();
    expect(screen.getByRole("alert").textContent).toContain("Wait a minute.");
    expect(screen.getByText("About a")).toBeTruthy();
  });

  it("shows more where there is more", async () => {
    await setUp((client) => (client.pageSize = 1));
    expect(screen.queryByText("About b")).toBeNull();
    fireEvent.click(screen.getByRole("button", { name: "Show more" }));
    await settled();
    expect(screen.getByText("About b")).toBeTruthy();
    expect(screen.queryByRole("button", { name: "Show more" })).toBeNull();
  });
});

describe("the header", () => {
  it("counts down to the next attempt to connect", async () => {
    vi.useFakeTimers();
    const { client, container } = await setUp();
    expect(screen.getByText("Connected")).toBeTruthy();
    client.become({ state: "reconnecting", attempt: 1, retryInMs: 3_000, reason: "the socket closed" });
    expect(container.querySelector(".oc-connection")?.textContent).toBe("Reconnectingin 3 s");
    vi.advanceTimersByTime(2_000);
    expect(container.querySelector(".oc-connection")?.textContent).toBe("Reconnectingin 1 s");
    client.become({ state: "offline" });
    expect(container.querySelector(".oc-connection")?.textContent).toBe("Offline");
    client.become({ state: "closed", code: 4500, reason: "The token was refused." });
    expect(container.querySelector(".oc-connection")?.getAttribute("title")).toBe("The token was refused.");
  });

  it("sums what the page has used", async () => {
    const { client, container } = await setUp();
    client.use({ turns: 2, totalTokens: 12_345, costNanoUsd: 42_000_000 });
    expect(container.querySelector(".oc-total")?.textContent).toContain("12.3K tokens$0.042");
  });

  it("sends the next message to the model that was chosen", async () => {
    const { client } = await setUp();
    const picker = screen.getByRole<HTMLSelectElement>("combobox", { name: "Model" });
    expect(picker.value).toBe(HELLO.models[0]?.model);
    fireEvent.change(picker, { target: { value: HELLO.models[1]?.model } });
    const box = screen.getByRole("textbox", { name: "Message" });
    fireEvent.input(box, { target: { value: "Hello" } });
    fireEvent.keyDown(box, { key: "Enter" });
    expect(client.lastStream.request.model).toBe(HELLO.models[1]?.model);
    await client.lastStream.done("Hi", { usage: USAGE });
  });
});

describe("demo mode", () => {
  it("is said once, and only where it is so", async () => {
    const { client } = await setUp();
    expect(screen.queryByRole("region", { name: "Demo mode" })).toBeNull();
    client.open({ demo: true });
    expect(screen.getByRole("region", { name: "Demo mode" }).textContent).toContain("answers come from the built-in emulator, not from Bedrock");
  });
});
