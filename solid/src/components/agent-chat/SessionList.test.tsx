import { cleanup, fireEvent, render, screen, within } from "@solidjs/testing-library";
import { createRoot } from "solid-js";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { makeConversations } from "../../chat/conversations.ts";
import { FakeClient, session, settled } from "../../test/fake-client.ts";
import { createToday } from "../common/day.ts";
import { SessionList } from "./SessionList.tsx";

const MINUTE = 60_000;
/** Late in the evening, in local time. */
const EVENING = new Date(2026, 10, 23, 23, 50).getTime();
const daysBefore = (days: number) => new Date(2026, 10, 23 - days, 12).toISOString();

beforeEach(() => void vi.useFakeTimers({ now: EVENING }));
afterEach(() => {
  cleanup();
  vi.useRealTimers();
});

async function setUp(sessions = [session("a", { updatedAt: daysBefore(0) }), session("b", { updatedAt: daysBefore(1) }), session("c", { updatedAt: daysBefore(1) }), session("d", { updatedAt: daysBefore(40) })], pageSize = 30) {
  const client = new FakeClient();
  Object.assign(client, { sessions, pageSize });
  const conversations = makeConversations({ client, storage: null });
  const picked = vi.fn();
  const { container } = render(() => <SessionList conversations={conversations} onPick={picked} />);
  client.open();
  await settled();
  return { client, container, picked };
}

const box = () => screen.getByRole<HTMLInputElement>("searchbox", { name: "Search conversations" });
const search = async (text: string) => {
  fireEvent.input(box(), { target: { value: text } });
  for (let turn = 0; turn < 20; turn += 1) await settled();
};
/** The list as one reads it, without the times. */
const lines = (container: HTMLElement) => [...container.querySelectorAll("h3, .oc-session-title")].map((element) => element.textContent);
const told = () => screen.getByRole("status").textContent;

describe("the list of conversations", () => {
  it("stands under headings by date", async () => {
    const { container } = await setUp();
    expect(lines(container)).toEqual(["Today", "About a", "Yesterday", "About b", "About c", "October 2026", "About d"]);
    expect(screen.getAllByRole("listitem")).toHaveLength(4);
    expect(screen.getByRole("navigation", { name: "Conversations" })).toBeTruthy();
  });

  it("stands under others after midnight, and what is being written there stays", async () => {
    const { container } = await setUp();
    fireEvent.click(screen.getByRole("button", { name: "Rename About a" }));
    fireEvent.input(screen.getByRole("textbox", { name: "Title" }), { target: { value: "Rivers" } });
    vi.advanceTimersByTime(9 * MINUTE);
    expect(lines(container)[0]).toBe("Today");
    vi.advanceTimersByTime(MINUTE);
    expect(lines(container)).toEqual(["Yesterday", "Previous 7 days", "About b", "About c", "October 2026", "About d"]);
    expect(screen.getByRole<HTMLInputElement>("textbox", { name: "Title" }).value).toBe("Rivers");
  });

  it("keeps what is being written when the conversation goes to another place", async () => {
    const { client, container } = await setUp();
    fireEvent.click(screen.getByRole("button", { name: "Rename About c" }));
    fireEvent.input(screen.getByRole("textbox", { name: "Title" }), { target: { value: "Rivers" } });
    client.sessions = [session("c", { updatedAt: new Date(EVENING).toISOString() }), ...client.sessions.filter(({ sessionId }) => sessionId !== "c")];
    client.open();
    await settled();
    expect(lines(container)).toEqual(["Today", "About a", "Yesterday", "About b", "October 2026", "About d"]);
    expect(within(screen.getAllByRole("listitem")[0] as HTMLElement).getByRole<HTMLInputElement>("textbox").value).toBe("Rivers");
  });
});

describe("the search", () => {
  it("is there once there is something to be found", async () => {
    await setUp([]);
    expect(screen.queryByRole("searchbox")).toBeNull();
  });

  it("finds titles whatever their capitals and marks, and untitled ones by what they are called", async () => {
    const { container } = await setUp([session("a", { title: "Über Flüsse", updatedAt: daysBefore(0) }), session("b", { updatedAt: daysBefore(2) }), { ...session("c", { updatedAt: daysBefore(2) }), title: undefined as never }]);
    await search(" UBER flü");
    expect(lines(container)).toEqual(["Today", "Über Flüsse"]);
    await search("untit");
    expect(lines(container)).toEqual(["Previous 7 days", "Untitled"]);
    await search("  ");
    expect(lines(container)).toHaveLength(5);
  });

  it("says when there is none, and is emptied with Esc, which goes no further", async () => {
    const { container } = await setUp();
    const heard = vi.fn();
    container.addEventListener("keydown", heard);
    await search("volcanoes ");
    expect(screen.getByText("No conversation is called “volcanoes”.")).toBeTruthy();
    expect(screen.queryByRole("listitem")).toBeNull();
    const escape = () => fireEvent.keyDown(box(), { key: "Escape" });
    expect(escape(), "the first is used up").toBe(false);
    expect(box().value).toBe("");
    expect(document.activeElement).toBe(box());
    expect(screen.getAllByRole("listitem")).toHaveLength(4);
    expect(escape(), "the second is for what is around").toBe(true);
  });

  it("is emptied with its button", async () => {
    await setUp();
    expect(screen.queryByRole("button", { name: "Clear the search" })).toBeNull();
    await search("About a");
    fireEvent.click(screen.getByRole("button", { name: "Clear the search" }));
    expect(screen.getAllByRole("listitem")).toHaveLength(4);
    expect(document.activeElement).toBe(box());
  });

  it("tells a screen reader what was found once nobody types any more", async () => {
    await setUp();
    for (const text of ["a", "ab", "about"]) {
      await search(text);
      vi.advanceTimersByTime(500);
      expect(told()).toBe("");
    }
    vi.advanceTimersByTime(100);
    expect(told()).toBe("4 conversations found.");
    await search("about a");
    vi.advanceTimersByTime(600);
    expect(told()).toBe("1 conversation found.");
    await search("volcanoes");
    vi.advanceTimersByTime(600);
    expect(told()).toBe("No conversation is called “volcanoes”.");
    await search("");
    vi.advanceTimersByTime(0);
    expect(told()).toBe("");
  });

  it("looks through what has not been loaded yet, and does not speak before it has", async () => {
    const { client } = await setUp(Array.from({ length: 90 }, (_, index) => session(`n${index}`)));
    let answer = () => {};
    const { listSessions } = client;
    client.listSessions = async (request) => {
      await new Promise<void>((resolve) => (answer = resolve));
      return listSessions.call(client, request);
    };
    await search("n75");
    expect(screen.getByText("Searching…")).toBeTruthy();
    expect(screen.queryByText(/No conversation/)).toBeNull();
    expect(screen.queryByRole("button", { name: "Show more" })).toBeNull();
    for (let page = 0; page < 2; page += 1) {
      answer();
      await settled();
    }
    expect(screen.getByText("About n75")).toBeTruthy();
    expect(screen.queryByText("Searching…")).toBeNull();
    const asked = client.listed.length;
    await search("n7");
    expect(client.listed).toHaveLength(asked);
  });

  it("says how far it looks where there are more", async () => {
    await setUp(Array.from({ length: 1_100 }, (_, index) => session(`n${index}`)), 100);
    await search("n1050");
    expect(screen.getByText("No conversation is called “n1050”.")).toBeTruthy();
    expect(screen.getByText("Only the latest 1,000 conversations are searched.")).toBeTruthy();
  });

  it("gets the focus when what it found is called otherwise or is gone", async () => {
    await setUp();
    await search("About b");
    fireEvent.click(screen.getByRole("button", { name: "Rename About b" }));
    const title = screen.getByRole<HTMLInputElement>("textbox", { name: "Title" });
    title.value = "Rivers";
    fireEvent.submit(title.closest("form") as HTMLFormElement);
    await settled();
    expect(screen.queryByRole("listitem")).toBeNull();
    expect(document.activeElement).toBe(box());
    await search("Rivers");
    fireEvent.click(screen.getByRole("button", { name: "Delete Rivers" }));
    fireEvent.click(screen.getByRole("button", { name: "Delete" }));
    await settled();
    expect(document.activeElement).toBe(box());
    await search("");
    expect(screen.getAllByRole("listitem")).toHaveLength(3);
  });
});

it("today ends at midnight, also where timers have stood still", () => {
  let now = EVENING;
  const { today, dispose } = createRoot((dispose) => ({ today: createToday(() => now), dispose }));
  expect(today()).toBe(new Date(2026, 10, 23).getTime());
  now += 5 * 24 * 60 * MINUTE;
  vi.advanceTimersByTime(15 * MINUTE);
  expect(today()).toBe(new Date(2026, 10, 28).getTime());
  dispose();
  expect(vi.getTimerCount()).toBe(0);
});
