import { expect, it } from "vitest";
import { counter, FakeClient, MemoryStorage, settled } from "../test/fake-client.ts";
import { forgetConversations, makeConversations } from "./conversations.ts";
import { makeDrafts, MAX_DRAFT_LENGTH, MAX_DRAFTS } from "./drafts.ts";
import { pageStorage } from "./storage.ts";

function page(storage: MemoryStorage, prefix = "a") {
  const client = new FakeClient();
  for (const sessionId of ["s1", "s2"]) client.histories.set(sessionId, { sessionId, messages: [], hasMore: false });
  return { client, conversations: makeConversations({ client, storage, newId: counter(prefix) }) };
}

it("a draft of each conversation outlives the page", () => {
  const storage = new MemoryStorage();
  const { conversations } = page(storage);
  conversations.current().draft.setText("of a new one");
  conversations.open("s1");
  conversations.current().draft.setText("of the first");
  const next = page(storage, "b").conversations;
  expect(next.current().draft.text()).toBe("of the first");
  next.startNew();
  expect(next.current().draft.text()).toBe("of a new one");
  next.open("s2");
  expect(next.current().draft.text()).toBe("");
});

it("that of a conversation that does not exist yet is there in the next new one", () => {
  const storage = new MemoryStorage();
  page(storage).conversations.current().draft.setText("Hello");
  const { conversations } = page(storage, "b");
  expect(conversations.current().draft.text()).toBe("Hello");
  conversations.current().send("Hello");
  conversations.current().draft.sent();
  expect(page(storage, "c").conversations.current().draft.text()).toBe("");
});

it("what is sent beside a draft leaves it", () => {
  const storage = new MemoryStorage();
  const { conversations } = page(storage);
  conversations.current().draft.setText("half written");
  conversations.current().send("A suggestion");
  expect(page(storage, "b").conversations.current().draft.text()).toBe("half written");
});

it("a message that is changed leaves the draft as it is", () => {
  const storage = new MemoryStorage();
  const { conversations } = page(storage);
  const { draft } = conversations.current();
  draft.setText("Hello");
  draft.edit({ role: "user", key: "q", text: "One", at: 0 });
  draft.setText("Two");
  expect(page(storage, "b").conversations.current().draft.text()).toBe("Hello");
});

it("what is deleted and whoever signs out leaves no draft", async () => {
  const storage = new MemoryStorage();
  const { client, conversations } = page(storage);
  client.open();
  await settled();
  conversations.open("s1");
  conversations.current().draft.setText("Secret");
  await conversations.remove("s1");
  expect(JSON.stringify([...storage.values])).not.toContain("Secret");
  conversations.current().draft.setText("Secret");
  expect(JSON.stringify([...storage.values])).toContain("Secret");
  forgetConversations(storage);
  expect(JSON.stringify([...storage.values])).not.toContain("Secret");
});

it("keeps the latest ones, and none that is too long", () => {
  const drafts = makeDrafts(pageStorage(new MemoryStorage()));
  for (let index = 0; index <= MAX_DRAFTS; index += 1) drafts.set(`s${index}`, "x");
  drafts.set("s1", "x".repeat(MAX_DRAFT_LENGTH + 1));
  expect(["s0", "s1", "s2"].map(drafts.get)).toEqual(["", "", "x"]);
});

it.each(["{", "{}", "[1]", '[["s1"]]', '[["s1",2]]', "null"])("takes %s in storage for no drafts", (found) => {
  const storage = new MemoryStorage();
  storage.setItem("outcrop.drafts", found);
  expect(makeDrafts(pageStorage(storage)).get("s1")).toBe("");
});
