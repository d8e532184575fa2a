import { withoutData, type SentFile } from "./attachments.ts";
import type { PageStorage } from "./storage.ts";

/** A message that was sent and that the proxy may not have yet. */
export interface WaitingMessage {
  /** Its idempotency key: sent again under it, the message is answered once. Also the key of its answer on the page. */
  readonly id: string;
  readonly sessionId: string;
  readonly text: string;
  /** What was sent with it. Without their data, for which there was no room, it cannot be sent again. */
  readonly files?: readonly SentFile[];
  /** The model that was asked for, where one was chosen. */
  readonly model?: string;
  /** The proxy's id of the question that it takes the place of, if it takes one's. */
  readonly replaces?: string;
  /** The proxy's id of the answer that is asked for again, if one is; then the text is that of its question. */
  readonly regenerates?: string;
  /** The person's own instructions that it was sent with. */
  readonly systemPrompt?: string;
  /** Whether its answer comes in one piece: sent again under its id, it has to be the same in this too. */
  readonly whole?: true;
  /** When it was sent first, in milliseconds since the epoch. */
  readonly at: number;
}

/**
 * The messages of a tab that wait, one of a conversation. It outlives a reload, so that a page which finds a message here sends it
 * again. One that stays too long does no harm: the proxy has its answer then and gives that.
 */
export interface Outbox {
  /** What is kept: of each conversation at most one message. */
  waiting(): readonly WaitingMessage[];
  /**
   * Keeps a message, in place of the one of its conversation; one too many is not kept. One whose files have no room is kept without their
   * data.
   */
  put(message: WaitingMessage): void;
  /** Forgets the message with this id: the proxy has it. */
  remove(id: string): void;
  /** Forgets all. */
  clear(): void;
}

const OUTBOX_KEY = "outcrop.outbox";

/** How many messages are kept. */
export const MAX_WAITING_MESSAGES = 16;

/** How much room they take; browsers give a page 5 MB or more, at two bytes a character. */
export const MAX_OUTBOX_BYTES = 2 * 1024 * 1024;

/** An outbox in `storage`. What it finds there may be anything: only what is a message counts. */
export function makeOutbox(storage: PageStorage): Outbox {
  function waiting(): readonly WaitingMessage[] {
    const bySession = new Map(messagesIn(storage.get(OUTBOX_KEY)).map((message) => [message.sessionId, message]));
    return [...bySession.values()].slice(-MAX_WAITING_MESSAGES);
  }

  function write(messages: readonly WaitingMessage[]): boolean {
    const text = JSON.stringify(messages);
    return bytesOf(text) <= MAX_OUTBOX_BYTES && storage.set(OUTBOX_KEY, text);
  }

  return {
    waiting,
    put(message) {
      const others = waiting().filter((other) => other.sessionId !== message.sessionId);
      if (others.length >= MAX_WAITING_MESSAGES || write([...others, message]) || message.files === undefined) return;
      write([...others, { ...message, files: withoutData(message.files) }]);
    },
    remove(id) {
      const before = waiting();
      const after = before.filter((message) => message.id !== id);
      if (after.length < before.length) write(after);
    },
    clear: () => void write([]),
  };
}

function messagesIn(text: string | null): WaitingMessage[] {
  if (text === null || bytesOf(text) > MAX_OUTBOX_BYTES) return [];
  try {
    const found: unknown = JSON.parse(text);
    return Array.isArray(found) ? found.filter(isMessage) : [];
  } catch {
    return [];
  }
}

function isMessage(value: unknown): value is WaitingMessage {
  if (typeof value !== "object" || value === null) return false;
  const { id, sessionId, text, files, model, systemPrompt, whole, replaces, regenerates, at } = value as Record<string, unknown>;
  const hasFiles = Array.isArray(files) && files.length > 0 && files.every(isFile);
  const hasContent = files === undefined ? isText(text) : hasFiles && typeof text === "string";
  const isAsked = [model, systemPrompt].every((part) => part === undefined || isText(part)) && (whole === undefined || whole === true);
  const areIds = [replaces, regenerates].every((other) => other === undefined || isId(other));
  return isId(id) && isId(sessionId) && hasContent && isAsked && areIds && isTime(at);
}

function isFile(value: unknown): value is SentFile {
  if (typeof value !== "object" || value === null) return false;
  const { name, mediaType, bytes, data, thumbnail } = value as Record<string, unknown>;
  const isKnown = isText(name) && isText(mediaType) && typeof bytes === "number" && bytes >= 0;
  return isKnown && (data === undefined || isText(data)) && (thumbnail === undefined || isPicture(thumbnail));
}

function isPicture(value: unknown): boolean {
  return typeof value === "string" && /^data:image\/(png|jpeg|webp);base64,/.test(value);
}

function isId(value: unknown): boolean {
  return typeof value === "string" && /^[\w-]{1,128}$/.test(value);
}

function isText(value: unknown): boolean {
  return typeof value === "string" && value.trim() !== "";
}

function isTime(value: unknown): boolean {
  return typeof value === "number" && !Number.isNaN(new Date(value).getTime());
}

/** Storage counts in UTF-16. */
function bytesOf(text: string): number {
  return text.length * 2;
}
