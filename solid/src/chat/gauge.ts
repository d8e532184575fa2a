import type { ModelPrice, Usage, UsageTotal } from "@outcrop/client";
import type { AnswerPart } from "./parts.ts";
import type { Answer, ChatMessage, ChatState } from "./state.ts";

/** Text that is not counted by Bedrock yet: about four bytes a token, as the proxy estimates. */
const BYTES_PER_TOKEN = 4;

const NOTHING: UsageTotal = {
  inputTokens: 0,
  outputTokens: 0,
  totalTokens: 0,
  cacheReadInputTokens: 0,
  cacheWriteInputTokens: 0,
  costNanoUsd: 0,
  unpricedTurns: 0,
  estimatedTurns: 0,
  turns: 0,
};

const encoder = new TextEncoder();

/** How many bytes a text has on its way. */
export function bytesOf(text: string): number {
  return encoder.encode(text).length;
}

/** The latest answer if what it used is not known yet. */
export function uncounted(state: ChatState): Answer | undefined {
  const answer = state.messages.at(-1);
  if (answer?.role !== "assistant" || answer.usage !== undefined) return undefined;
  return answer.phase === "sent" || answer.phase === "streaming" || answer.phase === "stopping" ? answer : undefined;
}

/** The latest answer whose usage is known. */
export function lastCounted(state: ChatState): Answer & { usage: Usage } | undefined {
  return state.messages.findLast((message): message is Answer & { usage: Usage } => message.role === "assistant" && message.usage !== undefined);
}

/**
 * How many tokens the model was sent for the latest answer, as far as the page can tell: what it was sent and wrote the last time, as
 * Bedrock counted, and the texts since.
 */
export function estimateInput(state: ChatState): number {
  const earlier = state.messages.slice(0, -1);
  const at = earlier.findLastIndex((message) => message.role === "assistant" && message.usage !== undefined);
  const known = (earlier[at] as Answer | undefined)?.usage?.totalTokens ?? 0;
  return known + tokensOf(earlier.slice(at + 1).reduce((bytes, message) => bytes + bytesOf(message.text), 0));
}

/** How much of an answer has been counted: it grows at its end only. */
export interface Written {
  readonly key: string;
  readonly parts: number;
  /** Of the last part. */
  readonly chars: number;
  readonly bytes: number;
}

export const NOTHING_WRITTEN: Written = { key: "", parts: 0, chars: 0, bytes: 0 };

/** The bytes that the model has written of an answer. Where only its last part has grown since `before`, only what is new is counted. */
export function written({ key, parts }: Answer, before: Written): Written {
  const last = contentOf(parts.at(-1));
  const grows = key === before.key && parts.length === before.parts && last.length >= before.chars;
  const bytes = grows ? before.bytes + bytesOf(last.slice(before.chars)) : parts.reduce((sum, part) => sum + bytesOf(contentOf(part)), 0);
  return { key, parts: parts.length, chars: last.length, bytes };
}

function contentOf(part: AnswerPart | undefined): string {
  if (part === undefined) return "";
  return part.type === "tool" ? (part.call.partialInput ?? JSON.stringify(part.call.input) ?? "") : part.text;
}

/**
 * What prompt caching saved, in nano-dollars: what the same tokens had cost without a cache, less what they cost. Negative where writing to
 * the cache cost more than reading from it has saved so far; undefined where there is no price. The price of long prompts is left aside: a
 * usage may be a sum of several calls, of which each is shorter.
 */
export function savedByCaching(cost: (price: ModelPrice, usage: Usage) => number | undefined, price: ModelPrice | undefined, usage: Usage): number | undefined {
  const { cacheReadInputTokens, cacheWriteInputTokens } = usage;
  if (cacheReadInputTokens + cacheWriteInputTokens === 0) return 0;
  if (price === undefined) return undefined;
  const { longPrompt: _, ...base } = price;
  const { cacheWrite1hInputTokens: __, ...plain } = usage;
  const inputTokens = usage.inputTokens + cacheReadInputTokens + cacheWriteInputTokens;
  const withCache = cost(base, usage);
  const without = cost(base, { ...plain, inputTokens, cacheReadInputTokens: 0, cacheWriteInputTokens: 0 });
  return withCache === undefined || without === undefined ? undefined : without - withCache;
}

/** A usage of so much input and so many bytes of answer, marked as the estimate that it is. */
export function estimateUsage(inputTokens: number, outputBytes: number): Usage {
  const outputTokens = tokensOf(outputBytes);
  const totalTokens = inputTokens + outputTokens;
  return { inputTokens, outputTokens, totalTokens, cacheReadInputTokens: 0, cacheWriteInputTokens: 0, source: "estimated" };
}

function tokensOf(bytes: number): number {
  return Math.ceil(bytes / BYTES_PER_TOKEN);
}

/** What the answers used that the page has of a conversation. */
export function conversationUsage(state: ChatState): UsageTotal {
  return [...state.messages.flatMap(usagesOf), ...(state.replaced ?? [])].reduce(withUsage, NOTHING);
}

function usagesOf(message: ChatMessage): Usage[] {
  return message.role === "assistant" && message.usage !== undefined ? [message.usage] : [];
}

/** A total with one more usage in it. What used nothing costs nothing, whatever the model. */
export function withUsage(total: UsageTotal, usage: Usage): UsageTotal {
  return {
    inputTokens: total.inputTokens + usage.inputTokens,
    outputTokens: total.outputTokens + usage.outputTokens,
    totalTokens: total.totalTokens + usage.totalTokens,
    cacheReadInputTokens: total.cacheReadInputTokens + usage.cacheReadInputTokens,
    cacheWriteInputTokens: total.cacheWriteInputTokens + usage.cacheWriteInputTokens,
    costNanoUsd: total.costNanoUsd + (usage.costNanoUsd ?? 0),
    unpricedTurns: total.unpricedTurns + (usage.costNanoUsd === undefined && usage.totalTokens > 0 ? 1 : 0),
    estimatedTurns: total.estimatedTurns + (usage.source === "estimated" ? 1 : 0),
    turns: total.turns + 1,
  };
}
