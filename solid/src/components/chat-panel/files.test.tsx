import { cleanup, fireEvent, render, screen, waitFor } from "@solidjs/testing-library";
import { attachmentLimits } from "@outcrop/client";
import { afterEach, describe, expect, it } from "vitest";
import { makeChat } from "../../chat/chat.ts";
import { chatError, counter, FakeClient, FakeClock, HELLO } from "../../test/fake-client.ts";
import { ChatPanel } from "./ChatPanel.tsx";

afterEach(cleanup);

function setUp() {
  const client = new FakeClient();
  const chat = makeChat({ client, sessionId: "s1", clock: new FakeClock().read, newKey: counter("k") });
  const { container } = render(() => <ChatPanel chat={chat} connection={{ state: "open", server: HELLO }} />);
  const box = screen.getByRole<HTMLTextAreaElement>("textbox", { name: "Message" });
  const send = () => screen.getByRole<HTMLButtonElement>("button", { name: "Send" });
  const drop = container.querySelector(".oc-drop") as HTMLElement;
  const names = () => [...container.querySelectorAll(".oc-composer .oc-file-name")].map((name) => name.textContent);
  /** The files have been read. */
  const ready = (count: number) => waitFor(() => expect(names()).toHaveLength(count));
  return { client, chat, container, box, send, drop, names, ready };
}

const note = (name = "note.txt") => new File(["Hi"], name);
const carrying = (files: File[], types = ["Files"]) => ({ files, types });

describe("attaching", () => {
  it("works with the picker: chips with name and size, sent and gone", async () => {
    const { client, container, ready, names, send, box } = setUp();
    const input = container.querySelector('input[type="file"]') as HTMLInputElement;
    Object.defineProperty(input, "files", { value: [note(), note("b.md")] });
    fireEvent.change(input);
    await ready(2);
    expect(screen.getByRole("list", { name: "Files to send" }).textContent).toBe("note.txt2 bytesb.md2 bytes");
    expect(document.activeElement).toBe(box);
    fireEvent.click(send());
    expect(client.lastStream.request.attachments).toEqual([{ name: "note.txt", mediaType: "text/plain", data: "SGk=" }, { name: "b.md", mediaType: "text/markdown", data: "SGk=" }]);
    expect(names()).toEqual([]);
    expect(screen.getByRole("list", { name: "Attached files" }).textContent).toBe("note.txt2 bytesb.md2 bytes");
    expect(container.querySelector(".oc-question-text")).toBeNull();
  });

  it("works by dropping, with a zone to be seen meanwhile", async () => {
    const { container, drop, ready } = setUp();
    const leaveTo = (relatedTarget: Element | null) => drop.dispatchEvent(Object.defineProperty(new Event("dragleave", { bubbles: true }), "relatedTarget", { value: relatedTarget }));
    fireEvent.dragEnter(drop, { dataTransfer: carrying([], ["text/plain"]) });
    expect(screen.queryByText(/Drop files/)).toBeNull();
    fireEvent.dragEnter(drop, { dataTransfer: carrying([]) });
    expect(screen.getByText(/Drop files to attach them/)).toBeTruthy();
    leaveTo(container.querySelector(".oc-messages"));
    expect(screen.getByText(/Drop files to attach them/)).toBeTruthy();
    leaveTo(document.body);
    expect(screen.queryByText(/Drop files/)).toBeNull();
    fireEvent.drop(drop, { dataTransfer: carrying([note()]) });
    await ready(1);
  });

  it("works by pasting files; text that comes with a picture of itself stays text", async () => {
    const { box, names, ready, chat } = setUp();
    fireEvent.paste(box, { clipboardData: carrying([note("table.png")], ["text/plain", "Files"]) });
    expect(chat.files.reading()).toBe(0);
    fireEvent.paste(box, { clipboardData: carrying([note()]) });
    await ready(1);
    expect(names()).toEqual(["note.txt"]);
  });

  it("says why a file is not taken", async () => {
    const { drop, names } = setUp();
    fireEvent.drop(drop, { dataTransfer: carrying([note("a.zip")]) });
    expect(screen.getByRole("alert").textContent).toContain("a.zip is of a type that cannot be read.");
    expect(names()).toEqual([]);
  });

  it("refuses to send what is too large together, and says what to do", async () => {
    const { client, drop, ready, send, box } = setUp();
    const half = () => new File(["x".repeat(attachmentLimits.maxTotalBytes / 2 + 1)], "half.txt");
    fireEvent.drop(drop, { dataTransfer: carrying([half(), half()]) });
    await ready(2);
    expect(screen.getByRole("alert").textContent).toBe("The files are 2 bytes too large together: a message takes 700 KB of them. Remove some, or send them one after the other.");
    expect(send().disabled).toBe(true);
    fireEvent.keyDown(box, { key: "Enter" });
    expect(client.streams).toEqual([]);
    fireEvent.click(screen.getAllByRole("button", { name: "Remove half.txt" })[0] as HTMLElement);
    expect(screen.queryByRole("alert")).toBeNull();
    expect(send().disabled).toBe(false);
  });

  it("gives the focus on when a chip is removed, at last to the composer", async () => {
    const { drop, ready, box } = setUp();
    fireEvent.drop(drop, { dataTransfer: carrying([note("a.txt"), note("b.txt")]) });
    await ready(2);
    fireEvent.click(screen.getByRole("button", { name: "Remove a.txt" }));
    expect(document.activeElement).toBe(screen.getByRole("button", { name: "Remove b.txt" }));
    fireEvent.click(screen.getByRole("button", { name: "Remove b.txt" }));
    expect(document.activeElement).toBe(box);
  });

  it("leaves ↑ the text alone, and says after a failure that the files have to be attached again where they are gone", async () => {
    const { client, chat, box, names } = setUp();
    const message = { messageId: "q", role: "user" as const, content: "Read", timestamp: "2026-11-23T12:00:00.000Z", attachments: [{ name: "note.txt", mediaType: "text/plain", bytes: 2 }] };
    const error = { code: "interrupted", message: "It was cut.", retryable: true } as const;
    client.histories.set("s1", { sessionId: "s1", hasMore: false, messages: [message, { ...message, messageId: "a", role: "assistant", content: "", error, attachments: [] }] });
    await chat.loadHistory();
    expect(screen.getByRole("alert").textContent).toContain("To ask again, attach the files once more");
    expect(screen.queryByRole("button", { name: "Retry" })).toBeNull();
    fireEvent.keyDown(box, { key: "ArrowUp" });
    expect([box.value, names()]).toEqual(["Read", []]);
  });

  it("sends the files again with a retry", async () => {
    const { client, drop, ready, send } = setUp();
    fireEvent.drop(drop, { dataTransfer: carrying([note()]) });
    await ready(1);
    fireEvent.click(send());
    await client.lastStream.fail(chatError("throttled", "Wait.", { retryable: true }));
    fireEvent.click(screen.getByRole("button", { name: "Retry" }));
    expect(client.lastStream.request.attachments).toHaveLength(1);
  });
});
