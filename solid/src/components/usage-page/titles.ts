import { createSignal, type Accessor } from "solid-js";
import type { Client } from "../../chat/client.ts";

/** The title of a conversation, where it has one, and whether it is there; undefined while that is not known. */
export type Title = { readonly title?: string | undefined; readonly isThere: boolean } | undefined;

/** How many conversations are asked for at a time: the most the proxy gives. */
const PAGE = 100;

/** How many pages are asked for at most: a proxy's store may hold any number of conversations. */
const MAX_PAGES = 20;

/** The titles of conversations, asked for until all that are wanted are known. */
export function makeTitles(client: Client): { titleOf: (sessionId: string) => Title; find: (sessionIds: readonly string[]) => Promise<void>; isComplete: Accessor<boolean> } {
  const [titles, setTitles] = createSignal<ReadonlyMap<string, string | undefined>>(new Map());
  const [isComplete, setComplete] = createSignal(false);
  let latest = 0;

  async function find(sessionIds: readonly string[]): Promise<void> {
    if (sessionIds.every((id) => titles().has(id))) return;
    const request = ++latest;
    const found = new Map<string, string | undefined>();
    let before: string | undefined;
    try {
      for (let page = 0; page < MAX_PAGES; page += 1) {
        const { sessions, hasMore } = await client.listSessions({ limit: PAGE, ...(before === undefined ? {} : { before }) });
        if (request !== latest) return;
        for (const { sessionId, title } of sessions) found.set(sessionId, title);
        setTitles(new Map(found));
        before = sessions.at(-1)?.sessionId;
        if (!hasMore || before === undefined) {
          setComplete(true);
          return;
        }
        if (sessionIds.every((id) => found.has(id))) return;
      }
    } catch {
      // Without titles the rows show ids, and the figures are the same.
    }
  }

  function titleOf(sessionId: string): Title {
    if (titles().has(sessionId)) return { title: titles().get(sessionId), isThere: true };
    return isComplete() ? { isThere: false } : undefined;
  }

  return { titleOf, find, isComplete };
}
