import type { ToolStatus } from "@outcrop/client";
import { plurals } from "../plurals.ts";

export const tools = {
  count: plurals("en", { one: "# tool", other: "# tools" }),
  calls: plurals("en", { one: "# tool call", other: "# tool calls" }),
  asksAlways: "asks each time",
  asksOnce: "asks once in a conversation",
  /** How far a call is. `not_called`: its answer ended before. */
  states: {
    preparing: "preparing…",
    pending_approval: "waits for you",
    running: "running…",
    succeeded: "done",
    failed: "failed",
    denied: "denied",
    not_called: "not called",
    unknown_outcome: "outcome unknown",
  } satisfies Record<ToolStatus | "not_called", string>,
  arguments: "Arguments",
  result: "Result",
  error: "Error",
  whyNotCalled: "Why it was not called",
  unknownOutcome: "It may or may not have had its effect.",
  notCalled: "It was not called.",
  failedSilently: "It failed and did not say why.",
  returnedNothing: "It returned nothing.",
  truncated: "This is the beginning of the result. The model may have read more of it.",
  files: "Files in the result",
  approved: "A person allowed it.",
  showAll: "Show all",
  showLess: "Show less",
};

export const approval = {
  /** The names come as elements. */
  ask: <T>(tool: T): (string | T)[] => ["May Claude use ", tool, "?"],
  askOf: <T>(tool: T, server: T): (string | T)[] => ["May Claude use ", tool, " of ", server, "?"],
  allow: "Allow",
  allowInConversation: "Allow in this conversation",
  allowing: "Allowing…",
  deny: "Deny",
  denying: "Denying…",
  notArrived: (message: string) => `Your decision did not arrive: ${message} Choose again, or stop the answer.`,
};
