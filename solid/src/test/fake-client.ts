import type {
  Answer,
  ApproveTool,
  Attachment,
  BudgetState,
  Chunk,
  ConnectionStatus,
  HistoryResponse,
  InProgress,
  Message,
  ModelInfo,
  PageUsage,
  ServerHello,
  Session,
  SessionsResponse,
  StopReason,
  ToolUse,
  ModelPrice,
  Usage,
  UsageQuery,
  UsageResponse,
  UsageRow,
  UsageSum,
} from "@outcrop/client";
import type { Client } from "../chat/client.ts";

/** A usage with everything reported and priced. */
export const USAGE: Usage = {
  inputTokens: 50,
  outputTokens: 150,
  totalTokens: 200,
  cacheReadInputTokens: 0,
  cacheWriteInputTokens: 0,
  source: "reported",
  costNanoUsd: 2_400_000,
  priceVersion: "2026-11-23",
};

export const NO_USAGE: PageUsage = {
  inputTokens: 0,
  outputTokens: 0,
  totalTokens: 0,
  cacheReadInputTokens: 0,
  cacheWriteInputTokens: 0,
  costNanoUsd: 0,
  unpricedTurns: 0,
  estimatedTurns: 0,
  turns: 0,
  bySession: {},
  byModel: {},
};

const SONNET: ModelInfo = {
  model: "anthropic.claude-3-5-sonnet-20241022-v2:0",
  default: true,
  price: { input: 3_000_000_000, output: 15_000_000_000 },
};
const HAIKU: ModelInfo = { model: "anthropic.claude-3-haiku-20240307-v1:0", default: false };

export const HELLO: ServerHello = {
  version: 1,
  principal: { user: "local", organization: "local", role: "user" },
  demo: false,
  limits: { maxFrameBytes: 1_048_576, maxMessageChars: 100, maxParallelTurns: 8 },
  models: [SONNET, HAIKU],
  priceVersion: "2026-11-23",
  tools: [],
};

/** An error as the client package throws it. */
export function chatError(code: string, message: string, details: { retryable?: boolean; retryAfterMs?: number } = {}): Error {
  return Object.assign(new Error(message), { name: "ChatError", code, retryable: false, ...details });
}

/** What a message was sent with. */
export interface FakeRequest {
  id?: string;
  sessionId?: string;
  message: string;
  model?: string;
  systemPrompt?: string;
  attachments?: readonly (Attachment | File | Blob)[];
  /** The question that it takes the place of. */
  replaces?: string;
  /** The answer that is asked for again. */
  messageId?: string;
}

/** A stream that a test feeds by hand. */
export class FakeStream implements AsyncIterableIterator<Chunk> {
  readonly request: FakeRequest;
  readonly signal: AbortSignal | undefined;
  #steps: ({ value: Chunk } | { error: unknown } | "end")[] = [];
  #wake: (() => void) | undefined;

  constructor(request: FakeRequest, signal?: AbortSignal) {
    this.request = request;
    this.signal = signal;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<Chunk>> {
    while (this.#steps.length === 0) await new Promise<void>((resolve) => (this.#wake = resolve));
    const step = this.#steps.shift();
    if (step === "end" || step === undefined) return { done: true, value: undefined };
    if ("error" in step) throw step.error;
    return { done: false, value: step.value };
  }

  /** Gives chunks and waits until the reader has taken them. */
  async give(...chunks: Chunk[]): Promise<void> {
    await this.#push(...chunks.map((value) => ({ value })));
  }

  token(content: string): Promise<void> {
    return this.give({ type: "token", content, sessionId: this.request.sessionId ?? "s", messageId: "m1" });
  }

  tool(call: ToolUse): Promise<void> {
    return this.give({ type: "tool", call, sessionId: this.request.sessionId ?? "s", messageId: "m1" });
  }

  reasoning(content: string): Promise<void> {
    return this.give({ type: "reasoning", content, sessionId: this.request.sessionId ?? "s", messageId: "m1" });
  }

  /** Whether the reader has left. */
  left = false;

  async return(): Promise<IteratorResult<Chunk>> {
    this.left = true;
    await this.end();
    return { done: true, value: undefined };
  }

  async done(content: string, more: { usage?: Usage; stopReason?: StopReason } = {}): Promise<void> {
    const sessionId = this.request.sessionId ?? "s";
    await this.#push({ value: { type: "done", sessionId, messageId: "m1", content, stopReason: "end_turn", usage: USAGE, ...more } }, "end");
  }

  fail(error: unknown): Promise<void> {
    return this.#push({ error });
  }

  end(): Promise<void> {
    return this.#push("end");
  }

  async #push(...steps: ({ value: Chunk } | { error: unknown } | "end")[]): Promise<void> {
    this.#steps.push(...steps);
    this.#wake?.();
    await settled();
  }
}

/** A message whose answer a test gives in one piece. */
export class FakeWhole {
  readonly answer: Promise<Answer>;
  #resolve!: (answer: Answer) => void;
  #reject!: (error: unknown) => void;

  constructor(readonly request: FakeRequest, readonly signal?: AbortSignal) {
    this.answer = new Promise((resolve, reject) => ([this.#resolve, this.#reject] = [resolve, reject]));
    signal?.addEventListener("abort", () => this.#reject(chatError("aborted", "The request was aborted.")));
  }

  async done(content: string, more: Partial<Message> = {}): Promise<void> {
    const sessionId = this.request.sessionId ?? "s";
    const message: Message = { messageId: "m1", role: "assistant", content, timestamp: "2026-11-23T12:00:00.000Z", stopReason: "end_turn", usage: USAGE, ...more };
    const { messageId, stopReason, usage = USAGE } = message;
    this.#resolve({ sessionId, messageId, content, usage, message, ...(stopReason === undefined ? {} : { stopReason }) });
    await settled();
  }

  async fail(error: unknown): Promise<void> {
    this.#reject(error);
    await settled();
  }
}

/** Everything that was waiting in microtasks has run. */
export async function settled(): Promise<void> {
  for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
}

/** A client that answers only what a test tells it to. */
export class FakeClient implements Client {
  status: ConnectionStatus = { state: "idle" };
  readonly streams: FakeStream[] = [];
  /** The messages whose answers are to come whole. */
  readonly wholes: FakeWhole[] = [];
  /** After which event each answer was followed. */
  readonly followed: number[] = [];
  readonly histories = new Map<string, HistoryResponse | Error>();
  /** How often, and after which conversation, the list was asked for. */
  readonly listed: (string | undefined)[] = [];
  sessions: Session[] = [];
  pageSize = 30;
  refusal: Error | undefined;
  /** What was decided about tools that wait. */
  readonly decisions: ApproveTool[] = [];
  /** What was asked of the usage so far. */
  readonly queries: UsageQuery[] = [];
  /** Answers the next questions about the usage. */
  report: (query: UsageQuery) => UsageResponse | Error | Promise<UsageResponse> = () => usageResponse([]);
  #usage: PageUsage = NO_USAGE;
  #status = new Set<(status: ConnectionStatus) => void>();
  #usageListeners = new Set<(usage: PageUsage) => void>();

  get lastStream(): FakeStream {
    const stream = this.streams.at(-1);
    if (stream === undefined) throw new Error("nothing was sent");
    return stream;
  }

  get lastWhole(): FakeWhole {
    const whole = this.wholes.at(-1);
    if (whole === undefined) throw new Error("no whole answer was asked for");
    return whole;
  }

  connect(): Promise<ServerHello> {
    return Promise.resolve(HELLO);
  }

  sendMessage(request: FakeRequest, options?: { signal?: AbortSignal }): Promise<Answer> {
    const whole = new FakeWhole(request, options?.signal);
    this.wholes.push(whole);
    return whole.answer;
  }

  streamMessage(request: FakeRequest, options?: { signal?: AbortSignal }): FakeStream {
    const stream = new FakeStream(request, options?.signal);
    this.streams.push(stream);
    return stream;
  }

  regenerate(request: Omit<FakeRequest, "message"> & { messageId: string }, options?: { signal?: AbortSignal }): FakeStream {
    return this.streamMessage({ message: "", ...request }, options);
  }

  followMessage(answer: { sessionId: string; inProgress: InProgress }, options?: { signal?: AbortSignal }): FakeStream {
    const stream = new FakeStream({ sessionId: answer.sessionId, message: "" }, options?.signal);
    this.streams.push(stream);
    this.followed.push(answer.inProgress.seq);
    return stream;
  }

  async listSessions(request: { before?: string; limit?: number } = {}): Promise<SessionsResponse> {
    this.listed.push(request.before);
    const most = Math.min(this.pageSize, request.limit ?? this.pageSize);
    if (this.refusal !== undefined) throw this.refusal;
    const start = request.before === undefined ? 0 : this.sessions.findIndex((item) => item.sessionId === request.before) + 1;
    const sessions = this.sessions.slice(start, start + most);
    return { sessions, hasMore: start + sessions.length < this.sessions.length };
  }

  async history(request: { sessionId: string; before?: string }): Promise<HistoryResponse> {
    const found = this.histories.get(request.before ?? request.sessionId);
    if (found === undefined) throw chatError("session_not_found", "There is no such conversation.");
    if (found instanceof Error) throw found;
    return found;
  }

  async renameSession(sessionId: string, title: string): Promise<Session> {
    if (this.refusal !== undefined) throw this.refusal;
    const session = this.sessions.find((item) => item.sessionId === sessionId);
    if (session === undefined) throw chatError("session_not_found", "There is no such conversation.");
    return { ...session, title };
  }

  async deleteSession(sessionId: string): Promise<void> {
    if (this.refusal !== undefined) throw this.refusal;
    this.sessions = this.sessions.filter((item) => item.sessionId !== sessionId);
  }

  async approveTool(decision: ApproveTool): Promise<void> {
    this.decisions.push(decision);
    if (this.refusal !== undefined) throw this.refusal;
  }

  async usageReport(query: UsageQuery): Promise<UsageResponse> {
    this.queries.push(query);
    const report = await this.report(query);
    if (report instanceof Error) throw report;
    return report;
  }

  /** Without long prompts and writes of an hour: the real one is tested where it is. */
  costNanoUsd(price: ModelPrice | undefined, usage: Usage): number | undefined {
    if (price === undefined) return undefined;
    const cache = usage.cacheReadInputTokens * (price.cacheRead ?? NaN) + usage.cacheWriteInputTokens * (price.cacheWrite5m ?? NaN);
    const isCached = usage.cacheReadInputTokens + usage.cacheWriteInputTokens > 0;
    const cost = Math.ceil((usage.inputTokens * price.input + usage.outputTokens * price.output + (isCached ? cache : 0)) / 1_000_000);
    return Number.isNaN(cost) ? undefined : cost;
  }

  on(event: "status" | "usage", listener: never): () => void {
    const listeners = (event === "status" ? this.#status : this.#usageListeners) as Set<never>;
    listeners.add(listener);
    if (event === "status") (listener as (status: ConnectionStatus) => void)(this.status);
    return () => void listeners.delete(listener);
  }

  /** How many listen. */
  get listeners(): number {
    return this.#status.size + this.#usageListeners.size;
  }

  usage(): PageUsage {
    return this.#usage;
  }

  become(status: ConnectionStatus): void {
    this.status = status;
    for (const listener of this.#status) listener(status);
  }

  open(hello: Partial<ServerHello> = {}): void {
    this.become({ state: "open", server: { ...HELLO, ...hello } });
  }

  use(usage: Partial<PageUsage>): void {
    this.#usage = { ...NO_USAGE, ...usage };
    for (const listener of this.#usageListeners) listener(this.#usage);
  }
}

/** A clock that a test moves. */
export class FakeClock {
  now = Date.UTC(2026, 10, 23, 12);
  readonly read = (): number => this.now;
}

/** Session storage of a tab. */
export class MemoryStorage {
  readonly values = new Map<string, string>();
  getItem = (key: string): string | null => this.values.get(key) ?? null;
  setItem = (key: string, value: string): void => void this.values.set(key, value);
}

/** Ids that count: `k1`, `k2`, … */
export function counter(prefix: string): () => string {
  let count = 0;
  return () => `${prefix}${(count += 1)}`;
}

/** A sum of answers of {@link USAGE}; `more` says what else is so. */
export function usageSum(turns: number, more: Partial<UsageSum> = {}): UsageSum {
  const usage = {
    ...USAGE,
    inputTokens: turns * USAGE.inputTokens,
    outputTokens: turns * USAGE.outputTokens,
    totalTokens: turns * USAGE.totalTokens,
    costNanoUsd: turns * (USAGE.costNanoUsd ?? 0),
  };
  return { turns, calls: turns, estimatedCalls: 0, unpricedCalls: 0, toolCalls: 0, usage, ...more };
}

/** A report of these rows, with their sum. */
export function usageResponse(rows: UsageRow[], more: Partial<UsageResponse> = {}): UsageResponse {
  const add = (of: (row: UsageSum) => number) => rows.reduce((sum, row) => sum + of(row), 0);
  const total: UsageSum = {
    turns: add((row) => row.turns),
    calls: add((row) => row.calls),
    estimatedCalls: add((row) => row.estimatedCalls),
    unpricedCalls: add((row) => row.unpricedCalls),
    toolCalls: add((row) => row.toolCalls),
    usage: {
      ...USAGE,
      inputTokens: add((row) => row.usage.inputTokens),
      outputTokens: add((row) => row.usage.outputTokens),
      totalTokens: add((row) => row.usage.totalTokens),
      costNanoUsd: add((row) => row.usage.costNanoUsd ?? 0),
    },
  };
  return { from: "2026-11-17T00:00:00.000Z", to: "2026-11-23T12:00:00.000Z", rows, total, budgets: [], ...more };
}

/** A daily budget of five dollars, of which this much is spent. */
export function budget(spent: number, more: Partial<BudgetState> = {}): BudgetState {
  return { scope: "user", period: "day", unit: "nano_usd", limit: 5_000_000_000, spent, reserved: 0, renewsAt: "2026-11-24T00:00:00.000Z", ...more };
}

export function session(sessionId: string, more: Partial<Session> = {}): Session {
  const at = "2026-11-23T12:00:00.000Z";
  return { sessionId, title: `About ${sessionId}`, createdAt: at, updatedAt: at, messageCount: 2, ...more };
}
