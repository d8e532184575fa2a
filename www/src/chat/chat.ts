import { createSignal, onCleanup, type Accessor } from "solid-js";
import type { Client } from "./client.ts";
import { failureOf, isChatError } from "./failure.ts";
import { pageClock, randomId } from "./ids.ts";
import { reduce, type ChatEvent } from "./reduce.ts";
import { answerUnderWay, emptyChat, retryable, type ChatState } from "./state.ts";

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
  /** Stops what is under way and shows nothing more. */
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
  let disposed = false;

  function dispatch(event: ChatEvent): void {
    if (disposed) return;
    const next = reduce(state(), event);
    setState(next);
    options.onEvent?.(event, next);
  }

  async function follow(message: string, model: string | undefined): Promise<void> {
    const controller = (abort = new AbortController());
    try {
      const request = { sessionId, message, ...(model === undefined ? {} : { model }) };
      for await (const chunk of client.streamMessage(request, { signal: controller.signal })) {
        dispatch({ type: "received", chunk, at: clock() });
      }
      if (answerUnderWay(state()) !== undefined) {
        const failure = { code: "interrupted", message: "The stream ended before the answer did. Try again.", retryable: true } as const;
        dispatch({ type: "failed", failure, at: clock() });
      }
    } catch (error) {
      if (answerUnderWay(state()) === undefined) return;
      const stopped = controller.signal.aborted && isChatError(error) && error.code === "aborted";
      dispatch(stopped ? { type: "stopped", at: clock() } : { type: "failed", failure: failureOf(error, clock()), at: clock() });
    } finally {
      if (abort === controller) abort = undefined;
    }
  }

  function ask(event: (common: { answerKey: string; model?: string; at: number }) => ChatEvent, text: string): boolean {
    const model = options.model?.();
    const shownModel = model ?? options.defaultModel?.();
    dispatch(event({ answerKey: newKey(), at: clock(), ...(shownModel === undefined ? {} : { model: shownModel }) }));
    void follow(text, model);
    return true;
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
      } catch (error) {
        dispatch({ type: "history_failed", failure: failureOf(error, clock()) });
      }
    },
    dispose() {
      disposed = true;
      abort?.abort();
    },
  };
}

/** {@link makeChat}, disposed of with the reactive owner it is made under. */
export function createChat(options: ChatOptions): Chat {
  const chat = makeChat(options);
  onCleanup(() => chat.dispose());
  return chat;
}
