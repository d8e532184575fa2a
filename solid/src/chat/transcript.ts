import type { Message } from "@outcrop/client";
import type { Client } from "./client.ts";

/** A conversation as the proxy has it. */
export interface Transcript {
  readonly sessionId: string;
  readonly title?: string;
  /** The oldest first. */
  readonly messages: readonly Message[];
  /** Whether older messages are left out. */
  readonly isCut: boolean;
}

const PAGE_MESSAGES = 100;

/** How many messages are loaded at most. */
export const MAX_TRANSCRIPT_MESSAGES = 10_000;

/** Loads all of a conversation, the latest 10,000 messages of a longer one. Rejects as `client.history()` does. */
export async function loadTranscript(client: Pick<Client, "history">, sessionId: string, title?: string): Promise<Transcript> {
  const pages: Message[][] = [];
  let before: string | undefined;
  let hasMore = true;
  for (let count = 0; hasMore && count < MAX_TRANSCRIPT_MESSAGES; count += PAGE_MESSAGES) {
    const page = await client.history({ sessionId, limit: PAGE_MESSAGES, ...(before === undefined ? {} : { before }) });
    pages.unshift(page.messages);
    before = page.messages[0]?.messageId;
    hasMore = page.hasMore && before !== undefined;
  }
  return { sessionId, ...(title === undefined ? {} : { title }), messages: pages.flat(), isCut: hasMore };
}
