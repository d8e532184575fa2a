import type { PageStorage } from "./storage.ts";

/** What people have written and not sent, by conversation: it outlives a reload. Files are not kept. */
export interface Drafts {
  get(sessionId: string): string;
  /** Keeps a draft, or none where it is empty. One that is too long is not kept. */
  set(sessionId: string, text: string): void;
  clear(): void;
}

const DRAFTS_KEY = "outcrop.drafts";

/** How many drafts are kept; beyond it the one that was written longest ago goes. */
export const MAX_DRAFTS = 20;

/** How long one may be, in UTF-16 units. */
export const MAX_DRAFT_LENGTH = 100_000;

/** Drafts in `storage`. What is found there may be anything: only what is a draft counts. */
export function makeDrafts(storage: PageStorage): Drafts {
  const drafts = new Map(draftsIn(storage.get(DRAFTS_KEY)));
  const keep = () => void storage.set(DRAFTS_KEY, JSON.stringify([...drafts]));

  return {
    get: (sessionId) => drafts.get(sessionId) ?? "",
    set(sessionId, text) {
      const had = drafts.delete(sessionId);
      const isKept = text !== "" && text.length <= MAX_DRAFT_LENGTH;
      if (isKept) drafts.set(sessionId, text);
      for (const oldest of [...drafts.keys()].slice(0, -MAX_DRAFTS)) drafts.delete(oldest);
      if (had || isKept) keep();
    },
    clear() {
      drafts.clear();
      keep();
    },
  };
}

function draftsIn(text: string | null): [string, string][] {
  try {
    const found: unknown = JSON.parse(text ?? "[]");
    return Array.isArray(found) ? found.filter(isDraft).slice(-MAX_DRAFTS) : [];
  } catch {
    return [];
  }
}

function isDraft(value: unknown): value is [string, string] {
  return Array.isArray(value) && value.length === 2 && value.every((part) => typeof part === "string" && part.length <= MAX_DRAFT_LENGTH);
}
