import type { HistoryResponse, Message, Usage } from "@outcrop/client";
import { withoutData, type SentFile } from "./attachments.ts";
import type { Failure } from "./failure.ts";
import { fromHistory, withIds } from "./history.ts";
import { closed, storedParts, withCall, withDecision, withEnd, withReasoning, withText, type AnswerPart, type Decision } from "./parts.ts";
import { cutAt, putBack, settled, type Replacing } from "./replacing.ts";
import { answerOf, type Answer, type ChatMessage, type ChatState, type Question } from "./state.ts";
import type { Received } from "./whole.ts";

/** Everything that changes a conversation. `at` is in milliseconds since the epoch. */
export type ChatEvent =
  | ({ type: "sent"; replacing?: GivingWay; /** A question of which the proxy has nothing, and which gives way with its answer. */ instead?: string } & Asked)
  /** A message that the page sent before it was loaded anew, at that time, and that waits still. */
  | ({ type: "restored"; replacing?: Pick<Replacing, "from" | "again"> } & Asked)
  /** One that was sent then, that the proxy does not have, and that cannot be sent again. */
  | ({ type: "lost"; failure: Failure } & Asked)
  /** The last answer failed before the proxy had its question, which is sent again: the new answer takes its place. */
  | { type: "resent"; failedKey: string; answerKey: string; model?: string; at: number }
  /** The question of an answer is asked again. */
  | { type: "regenerated"; replacing: GivingWay; answerKey: string; model?: string; at: number }
  | { type: "received"; answerKey: string; chunk: Received; at: number }
  /** The person said whether a tool may run. */
  | { type: "decided"; answerKey: string; toolUseId: string; approved: boolean }
  /** That did not arrive. */
  | { type: "decision_failed"; answerKey: string; toolUseId: string; approved: boolean; failure: Failure }
  | { type: "stop_requested"; answerKey: string }
  /** The answer was stopped and no receipt came. */
  | { type: "stopped"; answerKey: string; at: number }
  /** With the proxy's id of the answer where it had begun one. */
  | { type: "failed"; answerKey: string; failure: Failure; messageId?: string; usage?: Usage; at: number }
  | { type: "history_requested" }
  | { type: "history_received"; page: HistoryResponse }
  | { type: "history_failed"; failure: Failure }
  /** What was to be replaced is not, for this reason. */
  | { type: "refused"; failure: Failure }
  /** Stored messages, by which questions of this page learn their ids. */
  | { type: "identified"; stored: readonly Message[] };

/** The first message that gives way, by its key and the proxy's id. */
export interface GivingWay {
  /** Its key. */
  key: string;
  /** The proxy's id of it. */
  id: string;
}

interface Asked {
  questionKey: string;
  answerKey: string;
  text: string;
  files?: readonly SentFile[];
  model?: string;
  at: number;
}

/** The state after an event. Pure: the same state and event always give the same result, and the old state stays as it is. */
export function reduce(state: ChatState, event: ChatEvent): ChatState {
  switch (event.type) {
    case "sent": {
      const rest = withoutPair(without(state, "refused"), event.instead);
      const before = giveWay(rest, event.replacing, { answerKey: event.answerKey, questionKey: event.questionKey });
      return { ...before, messages: [...before.messages.map(asAnswered), questionOf(event), newAnswer(event)], turn: event.answerKey };
    }
    case "restored": {
      const { answerKey, questionKey } = event;
      const replacing = event.replacing === undefined ? {} : { replacing: { answerKey, questionKey, messages: [], ...event.replacing } };
      return { ...state, ...replacing, messages: [...state.messages, questionOf(event), without(newAnswer(event), "timing")], turn: answerKey };
    }
    case "lost": {
      const answer: Answer = { ...without(newAnswer(event), "timing"), phase: "failed", failure: event.failure };
      return { ...state, messages: [questionOf(event), answer, ...state.messages] };
    }
    case "resent": {
      const kept = state.messages.filter((message) => message.key !== event.failedKey);
      const used = answerOf(state, event.failedKey)?.usage;
      const replaced = used === undefined ? {} : { replaced: [...(state.replaced ?? []), used] };
      return { ...state, ...replaced, messages: [...kept, newAnswer(event)], turn: event.answerKey };
    }
    case "regenerated": {
      const before = giveWay(without(state, "refused"), event.replacing, { answerKey: event.answerKey });
      return { ...before, messages: [...before.messages, newAnswer(event)], turn: event.answerKey };
    }
    case "received":
      return received(state, event.answerKey, event.chunk, event.at);
    case "decided":
      return decided(state, event.answerKey, event.toolUseId, { approved: event.approved });
    case "decision_failed":
      return decided(state, event.answerKey, event.toolUseId, { approved: event.approved, failure: event.failure });
    case "stop_requested":
      return stopping(state, event.answerKey);
    case "stopped":
      if (state.replacing?.answerKey === event.answerKey) return putBack(state, state.replacing, undefined);
      return endTurn(state, event.answerKey, (answer) => ({ ...ended(answer, event.at), phase: "stopped" }));
    case "failed":
      if (state.replacing?.answerKey === event.answerKey && event.messageId === undefined) return putBack(state, state.replacing, event.failure);
      return endTurn(settled(state, event.answerKey), event.answerKey, (answer) => ({
        ...ended(answer, event.at),
        phase: "failed",
        failure: event.failure,
        ...(event.messageId === undefined ? {} : { messageId: event.messageId }),
        ...(event.usage === undefined ? {} : { usage: event.usage }),
      }));
    case "history_requested":
      return { ...state, history: { phase: "loading", hasMore: state.history.hasMore } };
    case "history_received":
      return fromHistory(state, event.page);
    case "history_failed":
      return { ...state, history: { phase: "failed", hasMore: state.history.hasMore, failure: event.failure } };
    case "refused":
      return { ...state, refused: { failure: event.failure } };
    case "identified":
      return withIds(state, event.stored);
  }
}

/** The state without this question and its answer. */
function withoutPair(state: ChatState, questionKey: string | undefined): ChatState {
  const at = state.messages.findIndex(({ key }) => key === questionKey);
  return at < 0 ? state : { ...state, messages: state.messages.filter((_, index) => index !== at && index !== at + 1) };
}

/** The state without what gives way, which is kept for as long as it may have to come back. */
function giveWay(state: ChatState, from: GivingWay | undefined, to: Pick<Replacing, "answerKey" | "questionKey">): ChatState {
  if (from === undefined) return state;
  const { kept, cut } = cutAt(state, from.key);
  return { ...kept, replacing: { ...to, messages: cut, from: from.id } };
}

function received(before: ChatState, key: string, chunk: Received, at: number): ChatState {
  const { replacing } = before;
  const isUntaken = chunk.type === "done" && chunk.messageId === "";
  if (isUntaken && replacing?.answerKey === key) return putBack(before, replacing, undefined);
  const state = settled(before, key);
  // What was being written when the answer was stopped comes with its end; how its calls ended comes before that.
  if (chunk.type !== "done" && chunk.type !== "tool" && answerOf(state, key)?.phase === "stopping") return state;
  switch (chunk.type) {
    case "token":
      return changeAnswer(state, key, (answer) => {
        const arriving = arrived(answer, chunk.messageId, at);
        return { ...arriving, text: answer.text + chunk.content, parts: withText(answer.parts, chunk.content, at) };
      });
    case "reasoning":
      return changeParts(state, key, chunk.messageId, at, (parts) => withReasoning(parts, chunk.content, at));
    case "tool":
      return changeParts(state, key, chunk.messageId, at, (parts) => withCall(parts, chunk.call, at));
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
        parts: chunk.parts === undefined ? withEnd(answer.parts, chunk.content, at) : storedParts(chunk.parts, chunk.content),
        phase: chunk.stopReason === "cancelled" ? "stopped" : "complete",
        stopReason: chunk.stopReason,
        usage: chunk.usage,
      }));
  }
}

function questionOf({ questionKey, text, files = [], at }: Asked): Question {
  return { role: "user", key: questionKey, text, at, ...(files.length === 0 ? {} : { files }) };
}

/** A message that is not the last one: its files will not be sent again. */
function asAnswered(message: ChatMessage): ChatMessage {
  return message.role === "user" && message.files !== undefined ? { ...message, files: withoutData(message.files) } : message;
}

function newAnswer(event: { answerKey: string; model?: string; at: number }): Answer {
  return {
    role: "assistant",
    key: event.answerKey,
    phase: "sent",
    text: "",
    parts: [],
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
  return { ...without(answer, "waiting"), parts: closed(answer.parts, at), ...(answer.timing === undefined ? {} : { timing: { ...answer.timing, endedAt: at } }) };
}

/** The answer stands as it is and the next message may be sent; what it used comes later. */
function stopping(state: ChatState, key: string): ChatState {
  return endTurn(state, key, (answer) => ({ ...without(answer, "waiting"), phase: "stopping" }));
}

function changeParts(state: ChatState, key: string, messageId: string, at: number, change: (parts: readonly AnswerPart[]) => readonly AnswerPart[]): ChatState {
  return changeAnswer(state, key, (answer) => ({ ...arrived(answer, messageId, at), parts: change(answer.parts) }));
}

function decided(state: ChatState, key: string, toolUseId: string, decision: Decision): ChatState {
  return changeAnswer(state, key, (answer) => ({ ...answer, parts: withDecision(answer.parts, toolUseId, decision) }));
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
