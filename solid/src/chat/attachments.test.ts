import { attachmentLimits } from "@outcrop/client";
import { describe, expect, it, vi } from "vitest";
import { chatError, counter, FakeClient, FakeClock, MemoryStorage } from "../test/fake-client.ts";
import { admit, decodedBytes, excessOf, imageBudget, mediaTypeOf, pickable, type SentFile } from "./attachments.ts";
import { makeChat } from "./chat.ts";
import { makeDraftFiles } from "./draft-files.ts";
import { makeOutbox, MAX_OUTBOX_BYTES } from "./outbox.ts";
import { pageStorage } from "./storage.ts";

const AT = "2026-11-23T12:00:00.000Z";
const NOTE: SentFile = { name: "note.txt", mediaType: "text/plain", bytes: 2, data: "SGk=" };
const PNG = new Uint8Array([0x89, 0x50, 0x4e, 0x47, 1, 2, 3, 4, 5, 6, 7, 8]);

const file = (name: string, size = 10, type = "") => ({ name, type, size });
const info = (name: string, mediaType: string, bytes = 10) => ({ name, mediaType, bytes });

describe("what can be attached", () => {
  it("has a media type by its name, whatever the browser makes of it", () => {
    expect(mediaTypeOf(file("a.CSV", 1, "application/vnd.ms-excel"))).toBe("text/csv");
    expect(mediaTypeOf(file("README.md"))).toBe("text/markdown");
    expect(mediaTypeOf(file("image", 1, "image/PNG; x=y"))).toBe("image/png");
    expect(mediaTypeOf(file("x"))).toBe("");
  });

  it("is offered by the picker, all of it", () => {
    const offered = pickable().split(",");
    expect(offered).toEqual(expect.arrayContaining([...attachmentLimits.mediaTypes, ".md", ".docx", ".jpg"]));
  });

  it("is of a type that is read, and has something in it", () => {
    const { admitted, problems } = admit([file("a.png"), file("b.zip"), file("c.txt", 0), file("d.pdf")], []);
    expect(admitted.map(({ name }) => name)).toEqual(["a.png", "d.pdf"]);
    expect(problems).toEqual([{ kind: "wrong_type", name: "b.zip" }, { kind: "empty", name: "c.txt" }]);
  });

  it("are so many files, and of them so many documents", () => {
    const before = Array.from({ length: attachmentLimits.maxDocuments - 1 }, (_, index) => info(`${index}.pdf`, "application/pdf"));
    const documents = admit([file("a.pdf"), file("b.pdf"), file("c.png")], before);
    expect(documents.admitted.map(({ name }) => name)).toEqual(["a.pdf", "c.png"]);
    expect(documents.problems).toEqual([{ kind: "too_many_documents", name: "b.pdf", most: 5 }]);
    const images = Array.from({ length: attachmentLimits.maxFiles }, (_, index) => info(`${index}.png`, "image/png"));
    expect(admit([file("a.png")], images).problems).toEqual([{ kind: "too_many", name: "a.png", most: 20 }]);
  });

  it("is so large, a document at once and all files together when they have been read", () => {
    const large = admit([file("a.pdf", attachmentLimits.maxTotalBytes + 1), file("a.png", 9_000_000)], []);
    expect(large.admitted.map(({ name }) => name)).toEqual(["a.png"]);
    expect(large.problems).toEqual([{ kind: "too_large", name: "a.pdf", excess: 1, most: attachmentLimits.maxTotalBytes }]);
    const half = attachmentLimits.maxTotalBytes / 2;
    expect(excessOf([info("a", "image/png", half), info("b", "image/png", half)])).toBeUndefined();
    expect(excessOf([info("a", "image/png", half), info("b", "image/png", half + 51_200)])).toEqual({ excess: 51_200, most: attachmentLimits.maxTotalBytes });
  });

  it("images share what room there is", () => {
    const total = attachmentLimits.maxTotalBytes;
    expect(imageBudget(1, 0)).toBe(total / 2);
    expect(imageBudget(7, 0)).toBe(total / 7);
    expect(imageBudget(2, total - 200_000)).toBe(100_000);
    expect(imageBudget(20, total)).toBe(48 * 1024);
  });

  it.each([["", 0], ["SA==", 1], ["SGk=", 2], ["SGkh", 3], ["SGkhIQ==", 4]])("counts the bytes in base64: %s", (text, bytes) => {
    expect(decodedBytes(text)).toBe(bytes);
  });
});

describe("the files of a draft", () => {
  it("are read in their order", async () => {
    const files = makeDraftFiles({ newKey: counter("f") });
    const done = files.add([new File(["Hi"], "note.txt"), new File([PNG], "dot.webp", { type: "image/webp" })]);
    expect(files.reading()).toBe(2);
    await done;
    expect(files.reading()).toBe(0);
    expect(files.items()).toEqual([
      { key: "f1", ...NOTE },
      { key: "f2", name: "dot.webp", mediaType: "image/png", bytes: 12, data: "iVBORwECAwQFBgcI" },
    ]);
    files.remove("f1");
    expect(files.items().map(({ key }) => key)).toEqual(["f2"]);
  });

  it("are refused with a reason, also where one is not what its name says", async () => {
    const files = makeDraftFiles({ newKey: counter("f") });
    await files.add([new File(["x"], "a.zip"), new File(["no image"], "a.png")]);
    expect(files.items()).toEqual([]);
    expect(files.problems()).toEqual([{ kind: "wrong_type", name: "a.zip" }, { kind: "unreadable", name: "a.png" }]);
  });

  it("counts those that are still being read", async () => {
    const files = makeDraftFiles({ newKey: counter("f") });
    const documents = (count: number) => Array.from({ length: count }, (_, index) => new File(["x"], `${index}.txt`));
    await Promise.all([files.add(documents(4)), files.add(documents(2))]);
    expect(files.items()).toHaveLength(5);
    expect(files.problems()).toHaveLength(1);
  });

  it("makes a large image smaller and gives it a picture, where the browser can", async () => {
    const sizes: [number, number, string][] = [];
    class FakeCanvas {
      constructor(readonly width: number, readonly height: number) {}
      getContext = () => ({ drawImage: () => {} });
      async convertToBlob({ type }: { type: string }) {
        sizes.push([this.width, this.height, type]);
        return new Blob(["small"], { type });
      }
    }
    const close = vi.fn();
    vi.stubGlobal("OffscreenCanvas", FakeCanvas);
    vi.stubGlobal("createImageBitmap", async () => ({ width: 3136, height: 1000, close }));
    const files = makeDraftFiles({ newKey: counter("f") });
    await files.add([new File([new Uint8Array([0xff, 0xd8, 0xff, 0, 0, 0, 0, 0])], "photo.JPG")]);
    vi.unstubAllGlobals();
    expect(files.items()).toMatchObject([{ name: "photo.JPG", mediaType: "image/jpeg", bytes: 5, thumbnail: expect.stringMatching(/^data:image\/webp/) }]);
    expect(sizes).toContainEqual([1568, 500, "image/jpeg"]);
    expect(close).toHaveBeenCalledOnce();
  });
});

describe("a message with files", () => {
  function chatWith(storage = new MemoryStorage(), prefix = "k", prepare: (client: FakeClient) => void = () => {}) {
    const client = new FakeClient();
    prepare(client);
    const outbox = makeOutbox(pageStorage(storage));
    const chat = makeChat({ client, sessionId: "s1", clock: new FakeClock().read, newKey: counter(prefix), outbox });
    return { client, chat, outbox, storage };
  }

  it("is sent with them, also without text", () => {
    const { client, chat } = chatWith();
    expect(chat.send("", [NOTE])).toBe(true);
    expect(client.lastStream.request).toMatchObject({ message: "", attachments: [{ name: "note.txt", mediaType: "text/plain", data: "SGk=" }] });
    expect(chat.state().messages[0]).toMatchObject({ text: "", files: [NOTE] });
  });

  it("that failed is asked again with them", async () => {
    const { client, chat } = chatWith();
    chat.send("Read", [NOTE]);
    await client.lastStream.fail(chatError("throttled", "Wait.", { retryable: true }));
    expect(chat.retry()).toBe(true);
    expect(client.streams.map(({ request }) => request.attachments)).toEqual([[{ name: "note.txt", mediaType: "text/plain", data: "SGk=" }], [{ name: "note.txt", mediaType: "text/plain", data: "SGk=" }]]);
  });

  it("lets their data go with the next message", async () => {
    const { client, chat } = chatWith();
    chat.send("Read", [NOTE]);
    await client.lastStream.done("Hi");
    chat.send("And now?");
    expect(chat.state().messages[0]).toMatchObject({ files: [{ name: "note.txt", bytes: 2 }] });
    expect(chat.state().messages[0]).not.toHaveProperty("files.0.data");
  });

  it("from history has their names, and cannot be asked again from there", async () => {
    const { client, chat } = chatWith();
    const attachments = [{ name: "note.txt", mediaType: "text/plain", bytes: 2 }];
    const error = { code: "interrupted", message: "It was cut.", retryable: true } as const;
    client.histories.set("s1", {
      sessionId: "s1",
      hasMore: false,
      messages: [{ messageId: "q", role: "user", content: "Read", timestamp: AT, attachments }, { messageId: "a", role: "assistant", content: "", timestamp: AT, error }],
    });
    await chat.loadHistory();
    expect(chat.state().messages[0]).toMatchObject({ files: attachments });
    expect(chat.retry()).toBe(false);
  });

  it("outlives the page with them where there is room", () => {
    const { storage, client } = chatWith();
    chatWith(storage, "a").chat.send("Read", [NOTE]);
    const next = chatWith(storage, "b");
    expect(client.streams).toEqual([]);
    expect(next.client.lastStream.request).toMatchObject({ id: "a2", resent: true, message: "Read", attachments: [{ data: "SGk=" }] });
    expect(next.chat.state().messages[0]).toMatchObject({ files: [NOTE] });
  });

  const large = { ...NOTE, data: "A".repeat(MAX_OUTBOX_BYTES / 2), bytes: 786_432 };

  it.each<[string, "known" | "unknown" | "new"]>([
    ["is not sent again, and the person is told", "unknown"],
    ["is not sent again in a conversation that the proxy has not made, and the person is told", "new"],
    ["is left to the history where the proxy has it", "known"],
  ])("for which there is no room %s", async (_, how) => {
    const { storage } = chatWith();
    chatWith(storage, "a").chat.send("Read", [large]);
    const asked = { messageId: "q", requestId: how === "known" ? "a2" : "other", role: "user", content: "Read", timestamp: AT } as const;
    const { client, chat, outbox } = chatWith(storage, "b", (next) => {
      next.histories.set("s1", how === "new" ? chatError("session_not_found", "No.") : { sessionId: "s1", hasMore: false, messages: [asked] });
    });
    expect(outbox.waiting()).toMatchObject([{ id: "a2", text: "Read", files: [{ name: "note.txt" }] }]);
    await chat.loadHistory();
    expect(client.streams).toEqual([]);
    expect(outbox.waiting()).toEqual([]);
    const told = [{ text: "Read", files: [{ name: "note.txt" }] }, { phase: "failed", failure: { message: expect.stringContaining("Attach them again"), retryable: false } }];
    const stored = { key: "q", text: "Read" };
    expect(chat.state().messages).toMatchObject({ known: [stored], unknown: [stored, ...told], new: told }[how]);
    expect(chat.state().history.phase).toBe("loaded");
  });

  it.each([
    { files: [] }, { files: "x" }, { files: [null] }, { files: [{ ...NOTE, bytes: "2" }] }, { files: [{ ...NOTE, data: 1 }] }, { files: [{ ...NOTE, thumbnail: "https://example.com/x.png" }] },
  ])("is none where storage holds something else (%#)", (more) => {
    const { storage, outbox } = chatWith();
    storage.values.set("outcrop.outbox", JSON.stringify([{ id: "a", sessionId: "s1", text: "Read", at: 1, ...more }]));
    expect(outbox.waiting()).toEqual([]);
  });
});
