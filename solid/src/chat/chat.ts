import type { ChatErrorCode, HistoryResponse, ModelPrice, Usage } from "@outcrop/client";
import { createSignal, onCleanup, type Accessor } from "solid-js";
import { toSend, type SentFile } from "./attachments.ts";
import type { Client } from "./client.ts";
import { failureOf, failureOfPage, isChatError, usageOf } from "./failure.ts";
import { makeDraftFiles, type DraftFiles } from "./draft-files.ts";
import { savedByCaching } from "./gauge.ts";
import { pageClock, randomId } from "./ids.ts";
import type { Outbox, WaitingMessage } from "./outbox.ts";
import { reduce, type ChatEvent } from "./reduce.ts";
import { answerOf, answerUnderWay, emptyChat, retryable, type ChatState } from "./state.ts";
import { wholeAnswer, type Received } from "./whole.ts";

export interface ChatOptions {
  client: Client;
  /** An existing conversation, or a new one's id. Default: a fresh id; the proxy makes the session at the first message. */
  sessionId?: string;
  /** The model to ask for; where it gives none, the conversation's or the proxy's own answers. */
  model?: () => string | undefined;
  /** The model that will answer where `model` gives none: only shown, never sent. */
  defaultModel?: () => string | undefined;
  /** The person's own instructions for the next answers, where they have any. */
  systemPrompt?: () => string | undefined;
  /** Whether the next answers come as they are made. Default true; without, they come whole. */
  streaming?: () => boolean;
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
  /** The files that go with what the person is writing. */
  readonly files: DraftFiles;
  /**
   * Sends a message, with `files` where there are any. Ignored (`false`) while an answer is under way, or where there is neither text nor a
   * file.
   */
  send(text: string, files?: readonly SentFile[]): boolean;
  /** Stops the answer under way; what has come stays, with its usage. */
  stop(): void;
  /** Asks the last question again if its answer failed in a way that allows it. */
  retry(): boolean;
  /** Lets a call run that waits for approval, or not. */
  decide(toolUseId: string, approved: boolean): Promise<void>;
  /** Loads the latest page of stored messages, or the one before what is shown. One request at a time. */
  loadHistory(): Promise<void>;
  /** What a usage costs on a model, in nano-dollars: `null` where there is no price, undefined where that is not known yet. */
  costOf(model: string | undefined, usage: Usage): number | null | undefined;
  /** What prompt caching saved on a usage of a model, in nano-dollars; undefined where that is not known. */
  savedBy(model: string | undefined, usage: Usage): number | undefined;
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
  const files = makeDraftFiles({ newKey });
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
  async function read(answerKey: string, start: (signal: AbortSignal) => AsyncIterableIterator<Received>, askedHere: boolean): Promise<void> {
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
      if (isOpen()) dispatch({ type: "failed", answerKey, failure: failureOfPage("stream_ended"), at: clock() });
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

  function ask(event: (common: { answerKey: string; model?: string; at: number }) => ChatEvent, text: string, sent: readonly SentFile[]): boolean {
    const model = options.model?.();
    const systemPrompt = options.systemPrompt?.();
    const whole = options.streaming?.() === false;
    const wishes = { ...(model === undefined ? {} : { model }), ...(systemPrompt === undefined ? {} : { systemPrompt }), ...(whole ? { whole } : {}) };
    const extra = { ...(sent.length === 0 ? {} : { files: sent }), ...wishes };
    const message: WaitingMessage = { id: newKey(), sessionId, text, ...extra, at: clock() };
    options.outbox?.put(message);
    dispatch(event(commonOf(message)));
    deliver(message, false);
    return true;
  }

  function commonOf(message: WaitingMessage): { answerKey: string; model?: string; at: number } {
    const model = message.model ?? options.defaultModel?.();
    return { answerKey: message.id, at: message.at, ...(model === undefined ? {} : { model }) };
  }

  function deliver({ id, text, files: sent, model, systemPrompt, whole }: WaitingMessage, resent: boolean): void {
    const attachments = toSend(sent ?? []);
    const wishes = { ...(model === undefined ? {} : { model }), ...(systemPrompt === undefined ? {} : { systemPrompt }) };
    const extra = { ...(attachments?.length ? { attachments } : {}), ...wishes };
    const request = { id, resent, sessionId, message: text, ...extra };
    void read(id, (signal) => (whole ? wholeAnswer(client, request, signal) : client.streamMessage(request, { signal })), true);
  }

  const waiting = options.outbox?.waiting().find((message) => message.sessionId === sessionId);
  /** A message that cannot be sent again. Whether the proxy has it shows when the history comes. */
  let unsent = waiting !== undefined && toSend(waiting.files ?? []) === undefined ? waiting : undefined;
  if (waiting !== undefined && unsent === undefined) {
    dispatch({ type: "restored", ...contentOf(waiting), ...commonOf(waiting) });
    deliver(waiting, true);
  }

  function contentOf({ text, files: sent }: WaitingMessage): { questionKey: string; text: string; files?: readonly SentFile[] } {
    return { questionKey: newKey(), text, ...(sent === undefined ? {} : { files: sent }) };
  }

  function received(page: HistoryResponse): void {
    const message = unsent;
    unsent = undefined;
    if (message !== undefined) {
      options.outbox?.remove(message.id);
      const isThere = page.messages.some(({ requestId }) => requestId === message.id);
      if (!isThere) dispatch({ type: "lost", ...contentOf(message), ...commonOf(message), failure: failureOfPage("files_lost") });
    }
    dispatch({ type: "history_received", page });
  }

  return {
    sessionId,
    state,
    draft,
    setDraft: (text) => void setDraft(text),
    files,
    send(text, sent = []) {
      if (disposed || state().turn !== undefined || (text.trim() === "" && sent.length === 0)) return false;
      const questionKey = newKey();
      return ask((common) => ({ type: "sent", questionKey, text, files: sent, ...common }), text, sent);
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
      return ask((common) => ({ type: "resent", failedKey: last.answer.key, ...common }), last.question.text, last.question.files ?? []);
    },
    async decide(toolUseId, approved) {
      const answer = answerUnderWay(state());
      if (answer?.messageId === undefined) return;
      const decision = { answerKey: answer.key, toolUseId, approved };
      dispatch({ type: "decided", ...decision });
      try {
        await client.approveTool({ toolUseId, messageId: answer.messageId, approved });
      } catch (error) {
        dispatch({ type: "decision_failed", ...decision, failure: failureOf(error, clock()) });
      }
    },
    async loadHistory() {
      const { history, messages } = state();
      if (disposed || history.phase === "loading") return;
      const before = history.hasMore ? messages[0]?.key : undefined;
      dispatch({ type: "history_requested" });
      try {
        const page = await client.history({ sessionId, limit: HISTORY_PAGE, ...(before === undefined ? {} : { before }) });
        received(page);
        const { inProgress } = page;
        const key = inProgress?.message.messageId;
        if (inProgress === undefined || key === undefined || disposed || state().turn !== key || streams.has(key)) return;
        void read(key, (signal) => client.followMessage({ sessionId, inProgress }, { signal }), false);
      } catch (error) {
        const failure = failureOf(error, clock());
        // The proxy makes the conversation with its first message, which may be one that waits.
        const isNew = before === undefined && failure.code === "session_not_found" && (state().messages.length > 0 || unsent !== undefined);
        if (isNew) received({ sessionId, messages: [], hasMore: false });
        else dispatch({ type: "history_failed", failure });
      }
    },
    costOf(model, usage) {
      const price = model === undefined ? undefined : options.price?.(model);
      return price ? (client.costNanoUsd(price, usage) ?? null) : price;
    },
    savedBy(model, usage) {
      const price = model === undefined ? undefined : options.price?.(model);
      return savedByCaching((at, used) => client.costNanoUsd(at, used), price ?? undefined, usage);
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
