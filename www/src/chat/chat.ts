import type { Chunk, InProgress } from "@outcrop/client";
import { createSignal, onCleanup, type Accessor } from "solid-js";
import type { Client } from "./client.ts";
import { failureOf, isChatError } from "./failure.ts";
import { pageClock, randomId } from "./ids.ts";
import { reduce, type ChatEvent } from "./reduce.ts";
import { answerOf, answerUnderWay, emptyChat, isOpen, retryable, type ChatState } from "./state.ts";

export interface ChatOptions {
  client: Client;
  /** An existing conversation, or a new one's id. Default: a fresh id; the proxy makes the session at the first message. */
  sessionId?: string;
  /** The model to ask for; where it gives none, the conversation's or the proxy's own answers. */
  model?: () => string | undefined;
  /** The model that will answer where `model` gives none: only shown, never sent. */
  defaultModel?: () => string | undefined;
  /** Hears every event after it has taken effect. */
  onEvent?: (event: ChatEvent, state: ChatState) => void;
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
  /** Stops what was asked for here and is under way, and shows nothing more. */
  dispose(): void;
}

/** How many messages one page of history has. */
const HISTORY_PAGE = 50;

/** A conversation that lives until `dispose()`. `createChat` ends it with its owner. */
export function makeChat(options: ChatOptions): Chat {
  const { client, clock = pageClock, newKey = randomId } = options;
  const sessionId = options.sessionId ?? randomId();
  const [state, setState] = createSignal(emptyChat(sessionId));
  const [draft, setDraft] = createSignal("");
  let abort: AbortController | undefined;
  /** The answer that this page only follows: who leaves stops nothing. */
  let followed: AsyncIterator<Chunk> | undefined;
  let disposed = false;

  function dispatch(event: ChatEvent): void {
    if (disposed) return;
    const next = reduce(state(), event);
    setState(next);
    options.onEvent?.(event, next);
  }

  async function read(answerKey: string, stream: AsyncIterable<Chunk>, controller: AbortController): Promise<void> {
    const open = () => isOpen(answerOf(state(), answerKey));
    abort = controller;
    try {
      for await (const chunk of stream) dispatch({ type: "received", answerKey, chunk, at: clock() });
      if (open()) {
        const failure = { code: "interrupted", message: "The stream ended before the answer did. Try again.", retryable: true } as const;
        dispatch({ type: "failed", answerKey, failure, at: clock() });
      }
    } catch (error) {
      if (!open()) return;
      const stopped = controller.signal.aborted && isChatError(error) && error.code === "aborted";
      const at = clock();
      dispatch(stopped ? { type: "stopped", answerKey, at } : { type: "failed", answerKey, failure: failureOf(error, at), at });
    } finally {
      if (abort === controller) abort = followed = undefined;
    }
  }

  function ask(event: (common: { answerKey: string; model?: string; at: number }) => ChatEvent, text: string): boolean {
    const model = options.model?.();
    const shownModel = model ?? options.defaultModel?.();
    const answerKey = newKey();
    dispatch(event({ answerKey, at: clock(), ...(shownModel === undefined ? {} : { model: shownModel }) }));
    const request = { sessionId, message: text, ...(model === undefined ? {} : { model }) };
    const controller = new AbortController();
    void read(answerKey, client.streamMessage(request, { signal: controller.signal }), controller);
    return true;
  }

  /** Goes on with an answer that another page asked for, or this one before it was loaded anew. */
  function follow(inProgress: InProgress): void {
    const answerKey = inProgress.message.messageId;
    if (state().turn !== undefined || answerOf(state(), answerKey)?.phase !== "unfinished") return;
    dispatch({ type: "followed", answerKey, at: clock() });
    const controller = new AbortController();
    const stream = client.followMessage({ sessionId, inProgress }, { signal: controller.signal });
    followed = stream;
    void read(answerKey, stream, controller);
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
      if (answer === undefined || answer.phase === "stopping") return;
      dispatch({ type: "stop_requested" });
      abort?.abort();
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
        if (!disposed && page.inProgress !== undefined) follow(page.inProgress);
      } catch (error) {
        dispatch({ type: "history_failed", failure: failureOf(error, clock()) });
      }
    },
    dispose() {
      disposed = true;
      if (followed === undefined) abort?.abort();
      else void followed.return?.();
    },
  };
}

/** {@link makeChat}, disposed of with the reactive owner it is made under. */
export function createChat(options: ChatOptions): Chat {
  const chat = makeChat(options);
  onCleanup(() => chat.dispose());
  return chat;
}
