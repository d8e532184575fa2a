import type { ChatErrorCode, Chunk, ModelPrice, Usage } from "@outcrop/client";
import { createSignal, onCleanup, type Accessor } from "solid-js";
import type { Client } from "./client.ts";
import { failureOf, isChatError, usageOf } from "./failure.ts";
import { pageClock, randomId } from "./ids.ts";
import type { Outbox, WaitingMessage } from "./outbox.ts";
import { reduce, type ChatEvent } from "./reduce.ts";
import { answerOf, answerUnderWay, emptyChat, retryable, type ChatState } from "./state.ts";

export interface ChatOptions {
  client: Client;
  /** An existing conversation, or a new one's id. Default: a fresh id; the proxy makes the session at the first message. */
  sessionId?: string;
  /** The model to ask for; where it gives none, the conversation's or the proxy's own answers. */
  model?: () => string | undefined;
  /** The model that will answer where `model` gives none: only shown, never sent. */
  defaultModel?: () => string | undefined;
  /** What a model costs: `null` where it has no known price, undefined where that is not known yet. */
  price?: (model: string) => ModelPrice | null | undefined;
  /** Keeps messages until the proxy has them. One that waits there for this conversation is sent again at once. */
  outbox?: Outbox;
  /** Hears every event after it has taken effect, with the state before it too. */
  onEvent?: (event: ChatEvent, state: ChatState, before: ChatState) => void;
  /** Milliseconds since the epoch. */
  clock?: () => number;
  newKey?: () => string;
}

/** One conversation: its state and what a person can do in it. */
export interface Chat {
  readonly sessionId: string;
  readonly state: Accessor<ChatState>;
  /** What the person is writing: it stays while the conversation is out of sight. */
  readonly draft: Accessor<string>;
  setDraft(text: string): void;
  /** Sends a message. Ignored (`false`) while an answer is under way or where the text is blank. */
  send(text: string): boolean;
  /** Stops the answer under way; what has come stays, with its usage. */
  stop(): void;
  /** Asks the last question again if its answer failed in a way that allows it. */
  retry(): boolean;
  /** Loads the latest page of stored messages, or the one before what is shown. One request at a time. */
  loadHistory(): Promise<void>;
  /** What a usage costs on a model, in nano-dollars: `null` where there is no price, undefined where that is not known yet. */
  costOf(model: string | undefined, usage: Usage): number | null | undefined;
  /** Stops what was asked for here, looks away from what was not, and shows nothing more. */
  dispose(): void;
}

/** How many messages one page of history has. */
const HISTORY_PAGE = 50;

/** Errors that say nothing of a message: its client is closed, or could not be loaded. */
const ENDS_OF_CLIENT: readonly string[] = ["closed", "load_failed"] satisfies ChatErrorCode[];

/** A conversation that lives until `dispose()`. `createChat` ends it with its owner. */
export function makeChat(options: ChatOptions): Chat {
  const { client, clock = pageClock, newKey = randomId } = options;
  const sessionId = options.sessionId ?? randomId();
  const [state, setState] = createSignal(emptyChat(sessionId));
  const [draft, setDraft] = createSignal("");
  /** What ends each stream that is being read: a stop, and what the page's end means for it. */
  const streams = new Map<string, { stop: () => void; leave: () => void }>();
  let disposed = false;

  function dispatch(event: ChatEvent): void {
    if (disposed) return;
    const before = state();
    const next = reduce(before, event);
    setState(next);
    options.onEvent?.(event, next, before);
  }

  /** Reads an answer to its end. One that was asked for elsewhere goes on when this page goes. */
  async function read(answerKey: string, start: (signal: AbortSignal) => AsyncIterableIterator<Chunk>, askedHere: boolean): Promise<void> {
    const controller = new AbortController();
    const isOpen = () => ["sent", "streaming", "stopping"].includes(answerOf(state(), answerKey)?.phase ?? "");
    const stop = () => controller.abort();
    let isTaken = false;
    const taken = () => {
      if (!isTaken) options.outbox?.remove(answerKey);
      isTaken = true;
    };
    try {
      const chunks = start(controller.signal);
      streams.set(answerKey, { stop, leave: askedHere ? stop : () => void chunks.return?.() });
      for await (const chunk of chunks) {
        dispatch({ type: "received", answerKey, chunk, at: clock() });
        taken();
      }
      taken();
      if (isOpen()) {
        const failure = { code: "interrupted", message: "The stream ended before the answer did. Try again.", retryable: true } as const;
        dispatch({ type: "failed", answerKey, failure, at: clock() });
      }
    } catch (error) {
      // What ends with the client was not the message's fault: the page that is loaded next has another client.
      if (!isChatError(error) || !ENDS_OF_CLIENT.includes(error.code)) taken();
      if (!isOpen()) return;
      const stopped = controller.signal.aborted && isChatError(error) && error.code === "aborted";
      const at = clock();
      dispatch(stopped ? { type: "stopped", answerKey, at } : { type: "failed", answerKey, failure: failureOf(error, at), ...usageOf(error), at });
    } finally {
      streams.delete(answerKey);
    }
  }

  function ask(event: (common: { answerKey: string; model?: string; at: number }) => ChatEvent, text: string): boolean {
    const model = options.model?.();
    const message = { id: newKey(), sessionId, text, ...(model === undefined ? {} : { model }), at: clock() };
    options.outbox?.put(message);
    dispatch(event(commonOf(message)));
    deliver(message, false);
    return true;
  }

  function commonOf(message: WaitingMessage): { answerKey: string; model?: string; at: number } {
    const model = message.model ?? options.defaultModel?.();
    return { answerKey: message.id, at: message.at, ...(model === undefined ? {} : { model }) };
  }

  function deliver({ id, text, model }: WaitingMessage, resent: boolean): void {
    const request = { id, resent, sessionId, message: text, ...(model === undefined ? {} : { model }) };
    void read(id, (signal) => client.streamMessage(request, { signal }), true);
  }

  const waiting = options.outbox?.waiting().find((message) => message.sessionId === sessionId);
  if (waiting !== undefined) {
    dispatch({ type: "restored", questionKey: newKey(), text: waiting.text, ...commonOf(waiting) });
    deliver(waiting, true);
  }

  return {
    sessionId,
    state,
    draft,
    setDraft: (text) => void setDraft(text),
    send(text) {
      if (disposed || state().turn !== undefined || text.trim() === "") return false;
      const questionKey = newKey();
      return ask((common) => ({ type: "sent", questionKey, text, ...common }), text);
    },
    stop() {
      const answer = answerUnderWay(state());
      if (answer === undefined) return;
      options.outbox?.remove(answer.key);
      dispatch({ type: "stop_requested", answerKey: answer.key });
      streams.get(answer.key)?.stop();
    },
    retry() {
      const last = retryable(state());
      if (disposed || last === undefined || (last.answer.failure?.retryAt ?? 0) > clock()) return false;
      return ask((common) => ({ type: "resent", failedKey: last.answer.key, ...common }), last.question.text);
    },
    async loadHistory() {
      const { history, messages } = state();
      if (disposed || history.phase === "loading") return;
      const before = history.hasMore ? messages[0]?.key : undefined;
      dispatch({ type: "history_requested" });
      try {
        const page = await client.history({ sessionId, limit: HISTORY_PAGE, ...(before === undefined ? {} : { before }) });
        dispatch({ type: "history_received", page });
        const { inProgress } = page;
        const key = inProgress?.message.messageId;
        if (inProgress === undefined || key === undefined || disposed || state().turn !== key || streams.has(key)) return;
        void read(key, (signal) => client.followMessage({ sessionId, inProgress }, { signal }), false);
      } catch (error) {
        const failure = failureOf(error, clock());
        // The proxy makes the conversation with its first message, which may be one that waits.
        const isNew = before === undefined && failure.code === "session_not_found" && state().messages.length > 0;
        if (isNew) dispatch({ type: "history_received", page: { sessionId, messages: [], hasMore: false } });
        else dispatch({ type: "history_failed", failure });
      }
    },
    costOf(model, usage) {
      const price = model === undefined ? undefined : options.price?.(model);
      return price ? (client.costNanoUsd(price, usage) ?? null) : price;
    },
    dispose() {
      disposed = true;
      for (const { leave } of streams.values()) leave();
    },
  };
}

/** {@link makeChat}, disposed of with the reactive owner it is made under. */
export function createChat(options: ChatOptions): Chat {
  const chat = makeChat(options);
  onCleanup(() => chat.dispose());
  return chat;
}
