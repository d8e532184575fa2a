import type { ChatErrorCode, HistoryResponse, ModelPrice, Usage } from "@outcrop/client";
import { createSignal, onCleanup, type Accessor } from "solid-js";
import { toSend, withoutData, type SentFile } from "./attachments.ts";
import type { Client } from "./client.ts";
import { makeDraft, type Draft, type KeptText } from "./draft.ts";
import { answerIn, failureOf, failureOfPage, isChatError } from "./failure.ts";
import { savedByCaching } from "./gauge.ts";
import { pageClock, randomId } from "./ids.ts";
import type { Outbox, WaitingMessage } from "./outbox.ts";
import { reduce, type ChatEvent } from "./reduce.ts";
import { answerOf, answerUnderWay, emptyChat, isSettled, regenerable, retryable, type ChatState, type Question } from "./state.ts";
import { wholeAnswer, type Received } from "./whole.ts";

/** What a conversation is made with. */
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
  /** Keeps the text that is being written over a reload. */
  keptDraft?: KeptText;
  /** Hears every event after it has taken effect, with the state before it too. */
  onEvent?: (event: ChatEvent, state: ChatState, before: ChatState) => void;
  /** Milliseconds since the epoch. */
  clock?: () => number;
  /** Gives keys of messages. */
  newKey?: () => string;
}

/** One conversation: its state and what a person can do in it. */
export interface Chat {
  readonly sessionId: string;
  readonly state: Accessor<ChatState>;
  /** What the person is writing. */
  readonly draft: Draft;
  /**
   * Sends a message, with `files` where there are any. Ignored (`false`) while an answer is under way, or where there is neither text nor a
   * file.
   */
  send(text: string, files?: readonly SentFile[]): boolean;
  /**
   * Says something else than a question did, which gives way with everything after it. Resolves with whether it was sent: it is not while an
   * answer is under way, where the question is not found, and where the person gives its change up meanwhile. What the proxy refuses comes
   * back, and `state().refused` has what was written.
   */
  replace(questionKey: string, text: string, files?: readonly SentFile[]): Promise<boolean>;
  /** Asks for the last answer again, which gives way. If the proxy refuses, it comes back. */
  regenerate(): boolean;
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

type Common = { answerKey: string; model?: string; at: number };

/** In how many pages of history a question is looked for. */
const MAX_PAGES_SEARCHED = 20;

/** How many messages one page of history has. */
const HISTORY_PAGE = 50;

/** Errors that say nothing of a message: its client is closed, or could not be loaded. */
const ENDS_OF_CLIENT: readonly string[] = ["closed", "load_failed"] satisfies ChatErrorCode[];

/** A conversation that lives until `dispose()`. `createChat` ends it with its owner. */
export function makeChat(options: ChatOptions): Chat {
  const { client, clock = pageClock, newKey = randomId } = options;
  const sessionId = options.sessionId ?? randomId();
  const [state, setState] = createSignal(emptyChat(sessionId));
  const draft = makeDraft({ newKey, kept: options.keptDraft });
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
      const about = await aboutFailed(answerKey, error);
      const at = clock();
      dispatch(stopped ? { type: "stopped", answerKey, at } : { type: "failed", answerKey, failure: failureOf(error, at), ...about, at });
    } finally {
      streams.delete(answerKey);
    }
  }

  /**
   * What an error says of the answer that failed. One that was to replace something has no id where the proxy did not take the request, which
   * the history tells; where it does not come, all is shown as it was.
   */
  async function aboutFailed(answerKey: string, error: unknown): Promise<ReturnType<typeof answerIn>> {
    const { messageId, ...about } = answerIn(error);
    if (messageId === undefined) return about;
    if (state().replacing?.answerKey !== answerKey) return { messageId, ...about };
    const page = await client.history({ sessionId, limit: HISTORY_PAGE }).catch(() => undefined);
    return page?.messages.some(({ requestId }) => requestId === answerKey) ? { messageId, ...about } : about;
  }

  /** Resolves when the answer has ended. */
  function ask(event: (common: Common) => ChatEvent, asked: Pick<WaitingMessage, "text" | "replaces" | "regenerates">, sent: readonly SentFile[]): Promise<void> {
    const model = options.model?.();
    const systemPrompt = options.systemPrompt?.();
    const whole = options.streaming?.() === false;
    const wishes = { ...(model === undefined ? {} : { model }), ...(systemPrompt === undefined ? {} : { systemPrompt }), ...(whole ? { whole } : {}) };
    const extra = { ...(sent.length === 0 ? {} : { files: sent }), ...wishes };
    const message: WaitingMessage = { id: newKey(), sessionId, ...asked, ...extra, at: clock() };
    options.outbox?.put(message);
    dispatch(event(commonOf(message)));
    return deliver(message, false);
  }

  function commonOf(message: WaitingMessage): Common {
    const model = message.model ?? options.defaultModel?.();
    return { answerKey: message.id, at: message.at, ...(model === undefined ? {} : { model }) };
  }

  function deliver(message: WaitingMessage, resent: boolean): Promise<void> {
    const { id, text, files: sent, model, systemPrompt, whole, replaces, regenerates } = message;
    const wishes = { ...(model === undefined ? {} : { model }), ...(systemPrompt === undefined ? {} : { systemPrompt }) };
    const common = { id, resent, sessionId, ...wishes };
    if (regenerates !== undefined) return read(id, (signal) => client.regenerate({ ...common, messageId: regenerates }, { signal }), true);
    const attachments = toSend(sent ?? []);
    const extra = { ...(attachments?.length ? { attachments } : {}), ...(replaces === undefined ? {} : { replaces }) };
    const request = { ...common, message: text, ...extra };
    return read(id, (signal) => (whole ? wholeAnswer(client, request, signal) : client.streamMessage(request, { signal })), true);
  }

  /**
   * The proxy's id of a question; of one that was asked on this page it is in the history. `null` where the proxy has not kept it, since it
   * refused it. What went wrong is told.
   */
  async function idOf(questionKey: string): Promise<string | null | undefined> {
    const at = state().messages.findIndex(({ key }) => key === questionKey);
    const answer = state().messages[at + 1];
    const isRefused = answer?.role === "assistant" && answer.phase === "failed" && answer.parts.length === 0;
    const known = () => state().messages.find(({ key }) => key === questionKey)?.messageId;
    let before: string | undefined;
    try {
      for (let page = 0; page < MAX_PAGES_SEARCHED && known() === undefined; page += 1) {
        const { messages, hasMore } = await client.history({ sessionId, limit: HISTORY_PAGE, ...(before === undefined ? {} : { before }) });
        dispatch({ type: "identified", stored: messages });
        if (!hasMore) break;
        before = messages[0]?.messageId;
      }
      if (known() !== undefined) return known();
      if (isRefused) return null;
      dispatch({ type: "refused", failure: failureOfPage("question_gone") });
    } catch (error) {
      if (isRefused && isChatError(error) && error.code === "session_not_found") return null;
      dispatch({ type: "refused", failure: failureOf(error, clock()) });
    }
    return undefined;
  }

  /** Sends a question again of which the proxy has nothing, if the page has its files. */
  function sendAgain(failedKey: string, { text, files: sent = [] }: Question): void {
    if (disposed || state().turn !== undefined || toSend(sent) === undefined) return;
    void ask((common) => ({ type: "resent", failedKey, ...common }), { text }, sent);
  }

  /** The proxy had named an answer of which it kept nothing, not even the question: then it refuses to give it again. */
  async function sendIfNotKept(failedKey: string, question: Question): Promise<void> {
    const code = answerOf(state(), failedKey)?.failure?.code;
    if ((code !== "invalid_request" && code !== "session_not_found") || question.messageId !== undefined) return;
    const page = await client.history({ sessionId, limit: HISTORY_PAGE }).catch((error: unknown) => (isChatError(error) && error.code === "session_not_found" ? { messages: [] } : undefined));
    if (page?.messages.every(({ requestId }) => requestId !== failedKey)) sendAgain(failedKey, question);
  }

  /** Asks for an answer again that the proxy has begun. Resolves when the new one has ended. */
  function regenerate(answerKey: string, id: string, { text, files: sent = [] }: Question): Promise<void> {
    return ask((common) => ({ type: "regenerated", replacing: { key: answerKey, id }, ...common }), { text, regenerates: id }, withoutData(sent));
  }

  const waiting = options.outbox?.waiting().find((message) => message.sessionId === sessionId);
  /** A message that cannot be sent again. Whether the proxy has it shows when the history comes. */
  let unsent = waiting !== undefined && waiting.regenerates === undefined && toSend(waiting.files ?? []) === undefined ? waiting : undefined;
  if (waiting !== undefined && unsent === undefined) {
    const { replaces, regenerates } = waiting;
    const replacing = regenerates !== undefined ? { from: regenerates, again: true as const } : replaces !== undefined ? { from: replaces } : undefined;
    dispatch({ type: "restored", ...contentOf(waiting), ...commonOf(waiting), ...(replacing === undefined ? {} : { replacing }) });
    void deliver(waiting, true);
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
    send(text, sent = []) {
      if (disposed || state().turn !== undefined || (text.trim() === "" && sent.length === 0)) return false;
      const questionKey = newKey();
      void ask((common) => ({ type: "sent", questionKey, text, files: sent, ...common }), { text }, sent);
      return true;
    },
    async replace(key, text, sent = []) {
      const isPossible = () => !disposed && isSettled(state()) && (text.trim() !== "" || sent.length > 0);
      if (!isPossible() || draft.isSending()) return false;
      const isEdit = draft.editing() === key;
      draft.setSending(true);
      const id = await idOf(key);
      draft.setSending(false);
      if (id === undefined || !isPossible() || (isEdit && draft.editing() !== key)) return false;
      const content = { questionKey: newKey(), text, files: sent };
      if (id === null) void ask((common) => ({ type: "sent", instead: key, ...content, ...common }), { text }, sent);
      else void ask((common) => ({ type: "sent", replacing: { key, id }, ...content, ...common }), { text, replaces: id }, sent);
      if (isEdit) draft.sent();
      return true;
    },
    regenerate() {
      const key = regenerable(state());
      const id = key === undefined ? undefined : answerOf(state(), key)?.messageId;
      const question = state().messages.at(-2);
      if (disposed || key === undefined || id === undefined || question?.role !== "user") return false;
      void regenerate(key, id, question);
      return true;
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
      const { question, answer } = last;
      if (answer.messageId === undefined) sendAgain(answer.key, question);
      else {
        void regenerate(answer.key, answer.messageId, question).then(() => sendIfNotKept(answer.key, question));
      }
      return true;
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
      const before = history.hasMore ? (messages.find(({ messageId }) => messageId !== undefined)?.messageId ?? messages[0]?.key) : undefined;
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
