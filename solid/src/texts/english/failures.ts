import type { ChatErrorCode } from "@outcrop/client";

/** A few words for a code, above the proxy's own sentence. */
export const errors = {
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
} satisfies Record<ChatErrorCode, string>;

/** What the page itself found, of which the proxy has no sentence. */
export const faults = {
  stream_ended: "The stream ended before the answer did. Try again.",
  files_lost: "The page was loaded anew before the proxy had this message, and its files were not kept. Attach them again and send it once more.",
  change_stopped: "The change was not sent. All is as it was before.",
  question_gone: "The message is no longer in this conversation. Load the page anew to see what is.",
};

/** Why an answer failed, and what can be done. */
export const failure = {
  editAgain: "Change it further",
  retry: "Retry",
  retryIn: (wait: string) => `Retry in ${wait}`,
  /** Of a message that is not in the conversation yet. */
  sendAgain: "Send again",
  sendAgainIn: (wait: string) => `Send again in ${wait}`,
  budgetRenews: (when: string) => `It renews ${when}.`,
  budgetAdvice: "What is left may do for a new conversation, which sends less, or for a cheaper model; whoever runs the proxy can raise the budget.",
  partial: "The text above is what had come until then.",
};
