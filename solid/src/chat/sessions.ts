import type { Session, SessionsResponse } from "@outcrop/client";
import { createSignal, type Accessor } from "solid-js";
import type { Client } from "./client.ts";
import { failureOf, type Failure } from "./failure.ts";
import { pageClock } from "./ids.ts";

/** The list of conversations. */
export interface SessionsState {
  /** The latest first. */
  readonly items: readonly Session[];
  readonly hasMore: boolean;
  readonly phase: "idle" | "loading" | "loaded" | "failed";
  /** Why the last thing asked for did not happen. */
  readonly failure?: Failure;
}

export type SessionsEvent =
  | { type: "requested" }
  | { type: "first_page"; page: SessionsResponse }
  | { type: "next_page"; page: SessionsResponse }
  | { type: "updated"; session: Session }
  | { type: "deleted"; sessionId: string }
  | { type: "failed"; failure: Failure };

export const NO_SESSIONS: SessionsState = { items: [], hasMore: false, phase: "idle" };

/** The list after an event. Pure. */
export function reduceSessions(state: SessionsState, event: SessionsEvent): SessionsState {
  switch (event.type) {
    case "requested":
      return { items: state.items, hasMore: state.hasMore, phase: "loading" };
    case "first_page":
      return { ...refreshed(state, event.page), phase: "loaded" };
    case "next_page":
      return { items: joined(state.items, event.page.sessions), hasMore: event.page.hasMore, phase: "loaded" };
    case "updated":
      return { ...state, items: state.items.map((item) => (item.sessionId === event.session.sessionId ? event.session : item)) };
    case "deleted":
      return { ...state, items: state.items.filter((item) => item.sessionId !== event.sessionId) };
    case "failed":
      return { ...state, phase: "failed", failure: event.failure };
  }
}

/** The list with its first page anew: what was loaded beyond that stays, since a person may be looking at it. */
function refreshed({ items, hasMore }: SessionsState, page: SessionsResponse): Pick<SessionsState, "items" | "hasMore"> {
  const last = page.sessions.at(-1);
  // What is newer than the end of the page and not on it is gone.
  const older = page.hasMore && last !== undefined ? items.filter((item) => item.updatedAt <= last.updatedAt) : [];
  const all = joined(page.sessions, older);
  return { items: all, hasMore: all.length > page.sessions.length ? hasMore : page.hasMore };
}

function joined(items: readonly Session[], more: readonly Session[]): Session[] {
  const known = new Set(items.map((item) => item.sessionId));
  return [...items, ...more.filter((item) => !known.has(item.sessionId))];
}

/** The list of conversations. */
export interface Sessions {
  readonly state: Accessor<SessionsState>;
  /** Loads the first page anew. */
  refresh(): Promise<void>;
  /** Loads the page after the last one, where there is one. */
  loadMore(): Promise<void>;
  /** Loads all that are missing, up to `MAX_SESSIONS` together, page after page. */
  loadAll(): Promise<void>;
  readonly isLoadingAll: Accessor<boolean>;
  /** Resolves with whether it was done; a failure is in the state. */
  rename(sessionId: string, title: string): Promise<boolean>;
  /** Resolves with whether it was done; a failure is in the state. */
  remove(sessionId: string): Promise<boolean>;
}

/** How many conversations one page has. */
const SESSIONS_PAGE = 30;

/** How many the proxy gives at a time at most. */
const LARGEST_PAGE = 100;

/** How many conversations are loaded to be searched. */
export const MAX_SESSIONS = 1_000;

/** The list of conversations of a client. Nothing is asked for until `refresh()`. */
export function makeSessions(options: { client: Client; clock?: () => number }): Sessions {
  const { client, clock = pageClock } = options;
  const [state, setState] = createSignal(NO_SESSIONS);
  const [isLoadingAll, setLoadingAll] = createSignal(false);
  let latest = 0;

  function dispatch(event: SessionsEvent): void {
    setState((current) => reduceSessions(current, event));
  }

  async function attempt(action: () => Promise<void>): Promise<boolean> {
    try {
      await action();
      return true;
    } catch (error) {
      dispatch({ type: "failed", failure: failureOf(error, clock()) });
      return false;
    }
  }

  /** Beside `refresh()`, which goes on meanwhile: it keeps the end of the list, and this adds to it. */
  async function loadAll(): Promise<void> {
    for (;;) {
      const { items, hasMore } = state();
      const before = items.at(-1)?.sessionId;
      const room = MAX_SESSIONS - items.length;
      if (!hasMore || before === undefined || room <= 0) return;
      dispatch({ type: "next_page", page: await client.listSessions({ before, limit: Math.min(room, LARGEST_PAGE) }) });
      if (state().items.at(-1)?.sessionId === before) return;
    }
  }

  return {
    state,
    isLoadingAll,
    async loadAll() {
      if (isLoadingAll()) return;
      setLoadingAll(true);
      await attempt(loadAll);
      setLoadingAll(false);
    },
    async refresh() {
      const request = ++latest;
      dispatch({ type: "requested" });
      await attempt(async () => {
        const page = await client.listSessions({ limit: SESSIONS_PAGE });
        if (request === latest) dispatch({ type: "first_page", page });
      });
    },
    async loadMore() {
      const { items, hasMore, phase } = state();
      const before = items.at(-1)?.sessionId;
      if (!hasMore || phase === "loading" || before === undefined) return;
      const request = ++latest;
      dispatch({ type: "requested" });
      await attempt(async () => {
        const page = await client.listSessions({ before, limit: SESSIONS_PAGE });
        if (request === latest) dispatch({ type: "next_page", page });
      });
    },
    rename: (sessionId, title) =>
      attempt(async () => dispatch({ type: "updated", session: await client.renameSession(sessionId, title) })),
    remove: (sessionId) =>
      attempt(async () => {
        await client.deleteSession(sessionId);
        dispatch({ type: "deleted", sessionId });
      }),
  };
}
