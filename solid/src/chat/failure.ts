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

export type Fault = keyof Texts["faults"];

/** A failure that the page itself found. */
export function failureOfPage(fault: Fault): Failure {
  return { code: "interrupted", message: english.faults[fault], retryable: fault !== "files_lost", fault };
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

/** What an answer used until it failed, where the error says so. */
export function usageOf(error: unknown): { usage?: Usage } {
  return isChatError(error) && error.usage !== undefined ? { usage: error.usage } : {};
}

/** Whether an error is the client package's: by name, so that no component needs the package at run time. */
export function isChatError(error: unknown): error is ChatError {
  return error instanceof Error && error.name === "ChatError" && "code" in error;
}
