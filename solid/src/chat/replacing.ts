import type { Usage } from "@outcrop/client";
import { failureOfPage, type Failure } from "./failure.ts";
import type { ChatMessage, ChatState, Question } from "./state.ts";

/** What gives way to an answer that was asked for. It comes back if the proxy refuses. */
export interface Replacing {
  /** The new answer. */
  readonly answerKey: string;
  /** The new question, where there is one. */
  readonly questionKey?: string;
  /** What gives way, the oldest first. */
  readonly messages: readonly ChatMessage[];
  /** The proxy's id of the first of them. */
  readonly from: string;
  /** Whether that is an answer whose question, the one before it, is shown as the new one. */
  readonly again?: true;
}

/** Why the proxy did not take a request that was to replace something. */
export interface Refusal {
  /** What it said. */
  readonly failure: Failure;
  /** The question as it was changed, under the key of what it was to replace: the person may want to change it further. */
  readonly question?: Question;
}

/** The state without the message of this key and all after it, and these. */
export function cutAt(state: ChatState, key: string): { kept: ChatState; cut: readonly ChatMessage[] } {
  const index = state.messages.findIndex((message) => message.key === key);
  const at = index < 0 ? state.messages.length : index;
  return { kept: { ...state, messages: state.messages.slice(0, at) }, cut: state.messages.slice(at) };
}

/** The proxy has taken the request for an answer: what gave way to it is gone, but for its cost. */
export function settled(state: ChatState, answerKey: string): ChatState {
  if (state.replacing?.answerKey !== answerKey) return state;
  const { replacing, ...rest } = state;
  return { ...rest, replaced: [...(state.replaced ?? []), ...usagesOf(replacing.messages)] };
}

/** The proxy has not taken it, for this reason or because it was stopped before: all is as it was. */
export function putBack(state: ChatState, replacing: Replacing, failure: Failure | undefined): ChatState {
  const { replacing: _, turn, refused: __, ...rest } = state;
  const isNew = ({ key }: ChatMessage) => key === replacing.answerKey || key === replacing.questionKey;
  const at = state.messages.findIndex(isNew);
  const others = state.messages.filter((message) => !isNew(message));
  const back = replacing.messages.map((message, index) => (failure !== undefined && index === replacing.messages.length - 1 ? refusedAgain(message, failure) : message));
  const isTold = back.at(-1) !== replacing.messages.at(-1);
  const refused = isTold ? undefined : refusalOf(state, replacing, failure);
  return {
    ...rest,
    ...(turn === undefined || turn === replacing.answerKey ? {} : { turn }),
    ...(refused === undefined ? {} : { refused }),
    messages: [...others.slice(0, at), ...back, ...others.slice(at)],
  };
}

/** A stop is told of only where something was written that is not sent. */
function refusalOf(state: ChatState, { questionKey, messages, from, again }: Replacing, failure: Failure | undefined): Refusal | undefined {
  const written = again ? undefined : state.messages.find(({ key }) => key === questionKey);
  if (written?.role !== "user") return failure && { failure };
  return { failure: failure ?? failureOfPage("change_stopped"), question: { ...written, key: messages[0]?.key ?? from } };
}

/** An answer that had failed before has failed for the new reason. */
function refusedAgain(message: ChatMessage, failure: Failure): ChatMessage {
  return message.role === "assistant" && message.phase === "failed" ? { ...message, failure } : message;
}

/** What the answers among these used. */
export function usagesOf(messages: readonly ChatMessage[]): Usage[] {
  return messages.flatMap((message) => (message.role === "assistant" && message.usage !== undefined ? [message.usage] : []));
}
