import type { ChatError, ChatErrorCode, ErrorData, Usage } from "@outcrop/client";
import { english, type Texts } from "../texts/english.ts";

/** What went wrong, as the page keeps it: the client's error with its wait turned into a point in time. */
export interface Failure {
  readonly code: ChatErrorCode;
  /** The proxy's or the client's own sentence, with the next step in it. */
  readonly message: string;
  readonly retryable: boolean;
  /** Milliseconds since the epoch before which a retry is refused. */
  readonly retryAt?: number;
  /** What the page itself found: then the texts have the sentence, and `message` is the English one. */
  readonly fault?: Fault;
}

/** A failure that the page itself finds, by the name of its text. */
export type Fault = keyof Texts["faults"];

/** A failure that the page itself found. */
export function failureOfPage(fault: Fault): Failure {
  const code = fault === "change_stopped" ? "aborted" : "interrupted";
  return { code, message: english.faults[fault], retryable: fault === "stream_ended", fault };
}

/** The failure in anything that was thrown. What is no `ChatError` is a fault of the page itself. */
export function failureOf(error: unknown, now: number): Failure {
  if (isChatError(error)) return failureFrom(error, now);
  const message = error instanceof Error ? error.message : String(error);
  return { code: "internal", message, retryable: true };
}

/** The failure in an error that the proxy stored or sent. */
export function failureFrom(error: Pick<ErrorData, "message" | "retryable" | "retryAfterMs"> & { code: ChatErrorCode }, now: number): Failure {
  const { code, message, retryable, retryAfterMs } = error;
  return { code, message, retryable, ...(retryAfterMs === undefined ? {} : { retryAt: now + retryAfterMs }) };
}

/** What an error says of the answer that failed: its id where one had begun, and what it used. */
export function answerIn(error: unknown): { messageId?: string; usage?: Usage } {
  if (!isChatError(error)) return {};
  const { messageId, usage } = error;
  return { ...(messageId === undefined ? {} : { messageId }), ...(usage === undefined ? {} : { usage }) };
}

/** Whether an error is the client package's: by name, so that no component needs the package at run time. */
export function isChatError(error: unknown): error is ChatError {
  return error instanceof Error && error.name === "ChatError" && "code" in error;
}
