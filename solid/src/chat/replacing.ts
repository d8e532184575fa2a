import type { Usage } from "@outcrop/client";
import type { Failure } from "./failure.ts";
import type { ChatMessage, ChatState } from "./state.ts";

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
export function putBack(state: ChatState, replacing: Replacing, refused: Failure | undefined): ChatState {
  const { replacing: _, turn, ...rest } = state;
  const isNew = ({ key }: ChatMessage) => key === replacing.answerKey || key === replacing.questionKey;
  const at = state.messages.findIndex(isNew);
  const others = state.messages.filter((message) => !isNew(message));
  const back = replacing.messages.map((message, index) => (refused !== undefined && index === replacing.messages.length - 1 ? refusedAgain(message, refused) : message));
  const isTold = refused === undefined || back.at(-1) !== replacing.messages.at(-1);
  return {
    ...rest,
    ...(turn === undefined || turn === replacing.answerKey ? {} : { turn }),
    ...(isTold ? {} : { refused }),
    messages: [...others.slice(0, at), ...back, ...others.slice(at)],
  };
}

/** An answer that had failed before has failed for the new reason. */
function refusedAgain(message: ChatMessage, failure: Failure): ChatMessage {
  return message.role === "assistant" && message.phase === "failed" ? { ...message, failure } : message;
}

export function usagesOf(messages: readonly ChatMessage[]): Usage[] {
  return messages.flatMap((message) => (message.role === "assistant" && message.usage !== undefined ? [message.usage] : []));
}
