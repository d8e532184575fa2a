import type { ChatError, ChatErrorCode, ErrorData, Usage } from "@outcrop/client";

/** What went wrong, as the page keeps it: the client's error with its wait turned into a point in time. */
export interface Failure {
  readonly code: ChatErrorCode;
  /** The proxy's or the client's own sentence, with the next step in it. */
  readonly message: string;
  readonly retryable: boolean;
  /** Milliseconds since the epoch before which a retry is refused. */
  readonly retryAt?: number;
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

const HEADLINES: Record<ChatErrorCode, string> = {
  invalid_request: "The proxy could not read this message",
  unauthenticated: "You are signed out",
  forbidden: "You may not do this",
  session_not_found: "This conversation no longer exists",
  message_too_large: "This message is too long",
  rate_limited: "Too many messages",
  budget_exceeded: "The budget is used up",
  throttled: "Bedrock is throttling requests",
  model_not_found: "This model does not exist here",
  model_access_denied: "No access to this model",
  model_not_ready: "The model is not ready yet",
  context_overflow: "The conversation is too long for the model",
  content_filtered: "The answer was blocked by a content filter",
  upstream_unavailable: "Bedrock cannot be reached",
  upstream_stream_error: "The answer broke off",
  upstream_timeout: "Bedrock did not answer in time",
  interrupted: "The answer was interrupted",
  draining: "The proxy is restarting",
  internal: "Something went wrong",
  aborted: "Stopped",
  closed: "The connection is closed",
  overloaded: "Too many requests are waiting",
  load_failed: "The chat could not be loaded",
};

/** A few words for a code. The set of codes is closed, so every one has them. */
export function headline(code: ChatErrorCode): string {
  return HEADLINES[code];
}
