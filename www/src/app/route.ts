import { createSignal, onCleanup, type Accessor } from "solid-js";

export type Page = "overview" | "chat" | "usage";

export interface Route {
  readonly page: Page;
  /** The conversation that the address names. */
  readonly sessionId?: string;
}

/** What an address names: `#/`, `#/chat`, `#/chat/` and a conversation's id, or `#/usage`. */
export function routeOf(hash: string): Route {
  if (hash === "#/usage") return { page: "usage" };
  const sessionId = /^#\/chat\/([A-Za-z0-9_-]{1,128})$/.exec(hash)?.[1];
  if (sessionId !== undefined) return { page: "chat", sessionId };
  return { page: hash === "#/chat" ? "chat" : "overview" };
}

/** The address of a conversation. */
export function sessionAddress(sessionId: string): string {
  return `#/chat/${sessionId}`;
}

/** The page in the address. `onSession` hears of a conversation that is named there; the address is the chat's then. */
export function createRoute(onSession: (sessionId: string) => void): Accessor<Page> {
  const read = (): Page => {
    const { page, sessionId } = routeOf(location.hash);
    if (sessionId !== undefined) {
      onSession(sessionId);
      // Which conversation is open changes without the address from here on.
      history.replaceState(history.state, "", "#/chat");
    }
    return page;
  };
  const [page, setPage] = createSignal(read());
  const onChange = () => setPage(read());
  window.addEventListener("hashchange", onChange);
  onCleanup(() => window.removeEventListener("hashchange", onChange));
  return page;
}
