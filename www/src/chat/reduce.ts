import type { Chunk, HistoryResponse, Usage } from "@outcrop/client";
import type { Failure } from "./failure.ts";
import { fromHistory } from "./history.ts";
import { answerOf, type Answer, type ChatState } from "./state.ts";

/** Everything that changes a conversation. `at` is in milliseconds since the epoch. */
export type ChatEvent =
  | { type: "sent"; questionKey: string; answerKey: string; text: string; model?: string; at: number }
  /** A message that the page sent before it was loaded anew, at that time, and that waits still. */
  | { type: "restored"; questionKey: string; answerKey: string; text: string; model?: string; at: number }
  /** The last answer failed and its question is asked again: the new answer takes its place. */
  | { type: "resent"; failedKey: string; answerKey: string; model?: string; at: number }
  | { type: "received"; answerKey: string; chunk: Chunk; at: number }
  | { type: "stop_requested"; answerKey: string }
  /** The answer was stopped and no receipt came. */
  | { type: "stopped"; answerKey: string; at: number }
  | { type: "failed"; answerKey: string; failure: Failure; usage?: Usage; at: number }
  | { type: "history_requested" }
  | { type: "history_received"; page: HistoryResponse }
  | { type: "history_failed"; failure: Failure };

/** The state after an event. Pure: the same state and event always give the same result, and the old state stays as it is. */
export function reduce(state: ChatState, event: ChatEvent): ChatState {
  switch (event.type) {
    case "sent":
    case "restored": {
      const question = { role: "user", key: event.questionKey, text: event.text, at: event.at } as const;
      const answer = event.type === "sent" ? newAnswer(event) : without(newAnswer(event), "timing");
      return { ...state, messages: [...state.messages, question, answer], turn: event.answerKey };
    }
    case "resent": {
      const kept = state.messages.filter((message) => message.key !== event.failedKey);
      const used = answerOf(state, event.failedKey)?.usage;
      const replaced = used === undefined ? {} : { replaced: [...(state.replaced ?? []), used] };
      return { ...state, ...replaced, messages: [...kept, newAnswer(event)], turn: event.answerKey };
    }
    case "received":
      return received(state, event.answerKey, event.chunk, event.at);
    case "stop_requested":
      return stopping(state, event.answerKey);
    case "stopped":
      return endTurn(state, event.answerKey, (answer) => ({ ...ended(answer, event.at), phase: "stopped" }));
    case "failed":
      return endTurn(state, event.answerKey, (answer) => ({
        ...ended(answer, event.at),
        phase: "failed",
        failure: event.failure,
        ...(event.usage === undefined ? {} : { usage: event.usage }),
      }));
    case "history_requested":
      return { ...state, history: { phase: "loading", hasMore: state.history.hasMore } };
    case "history_received":
      return fromHistory(state, event.page);
    case "history_failed":
      return { ...state, history: { phase: "failed", hasMore: state.history.hasMore, failure: event.failure } };
  }
}

function received(state: ChatState, key: string, chunk: Chunk, at: number): ChatState {
  // What was under way when the answer was stopped comes with its end.
  if (chunk.type !== "done" && answerOf(state, key)?.phase === "stopping") return state;
  switch (chunk.type) {
    case "token":
      return changeAnswer(state, key, (answer) => ({ ...arrived(answer, chunk.messageId, at), text: answer.text + chunk.content }));
    case "reasoning":
      return changeAnswer(state, key, (answer) => ({ ...arrived(answer, chunk.messageId, at), reasoning: answer.reasoning + chunk.content }));
    case "tool":
      return changeAnswer(state, key, (answer) => {
        const known = answer.tools.some((tool) => tool.toolUseId === chunk.call.toolUseId);
        const tools = known
          ? answer.tools.map((tool) => (tool.toolUseId === chunk.call.toolUseId ? chunk.call : tool))
          : [...answer.tools, chunk.call];
        return { ...arrived(answer, chunk.messageId, at), tools };
      });
    case "status": {
      if (chunk.state === "settling") return stopping(state, key);
      const waiting = { state: chunk.state, ...(chunk.retryInMs === undefined ? {} : { until: at + chunk.retryInMs }) };
      return changeAnswer(state, key, (answer) => ({ ...answer, messageId: chunk.messageId, waiting }));
    }
    case "done":
      return endTurn(state, key, (answer) => ({
        ...ended(answer, at),
        // Stopped before the proxy had it, an answer has no id.
        ...(chunk.messageId === "" ? {} : { messageId: chunk.messageId }),
        text: chunk.content,
        phase: chunk.stopReason === "cancelled" ? "stopped" : "complete",
        stopReason: chunk.stopReason,
        usage: chunk.usage,
      }));
  }
}

function newAnswer(event: { answerKey: string; model?: string; at: number }): Answer {
  return {
    role: "assistant",
    key: event.answerKey,
    phase: "sent",
    text: "",
    reasoning: "",
    tools: [],
    at: event.at,
    timing: { sentAt: event.at },
    ...(event.model === undefined ? {} : { model: event.model }),
  };
}

/** Something of the answer has come: it no longer waits. A stop that was asked for stays asked for. */
function arrived(answer: Answer, messageId: string, at: number): Answer {
  const first = answer.timing !== undefined && answer.timing.firstAt === undefined ? { timing: { ...answer.timing, firstAt: at } } : {};
  return { ...without(answer, "waiting"), messageId, ...first, phase: answer.phase === "sent" ? "streaming" : answer.phase };
}

function ended(answer: Answer, at: number): Answer {
  return { ...without(answer, "waiting"), ...(answer.timing === undefined ? {} : { timing: { ...answer.timing, endedAt: at } }) };
}

/** The answer stands as it is and the next message may be sent; what it used comes later. */
function stopping(state: ChatState, key: string): ChatState {
  return endTurn(state, key, (answer) => ({ ...without(answer, "waiting"), phase: "stopping" }));
}

function changeAnswer(state: ChatState, key: string, change: (answer: Answer) => Answer): ChatState {
  const messages = state.messages.map((message) =>
    message.key === key && message.role === "assistant" ? change(message) : message,
  );
  return { ...state, messages };
}

function endTurn(state: ChatState, key: string, change: (answer: Answer) => Answer): ChatState {
  const changed = changeAnswer(state, key, change);
  return state.turn === key ? without(changed, "turn") : changed;
}

function without<T extends object, K extends keyof T>(value: T, key: K): Omit<T, K> & { [P in K]?: never } {
  const { [key]: _, ...rest } = value;
  return rest as Omit<T, K> & { [P in K]?: never };
}
