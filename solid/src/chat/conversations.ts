import type { BudgetState, ModelPrice, PageUsage, ServerHello } from "@outcrop/client";
import { createSignal, onCleanup, type Accessor } from "solid-js";
import { logAnswer, type AnswerRecord } from "./answer-log.ts";
import { makeBudgets } from "./budgets.ts";
import { makeChat, type Chat } from "./chat.ts";
import type { Client } from "./client.ts";
import { makeConnection, type Connection } from "./connection.ts";
import { makeDrafts } from "./drafts.ts";
import { pageClock, randomId } from "./ids.ts";
import type { KeptText } from "./draft.ts";
import { makeOutbox } from "./outbox.ts";
import type { ChatEvent } from "./reduce.ts";
import { makeSessions, type Sessions } from "./sessions.ts";
import { forgetSettings, makeSettings, type Settings } from "./settings.ts";
import { answerOf, type ChatState } from "./state.ts";
import { localStorageIfAny, pageStorage, sessionStorageIfAny } from "./storage.ts";
import { loadTranscript, type Transcript } from "./transcript.ts";

/** What a page's conversations are made with. */
export interface ConversationsOptions {
  client: Client;
  /**
   * Where the open conversation's id, drafts, and the messages that the proxy may not have yet are kept across page loads. `null`: nowhere.
   * Default: the browser's session storage.
   */
  storage?: Pick<Storage, "getItem" | "setItem"> | null;
  /** How the person wants to be answered. Default: what local storage keeps; with `storage: null` nothing is kept of it either. */
  settings?: Settings;
  /** Milliseconds since the epoch. */
  clock?: () => number;
  /** Gives ids of new conversations. */
  newId?: () => string;
}

/** All conversations of a page over one client: which one is open, the list of the others, the connection, what was used. */
export interface Conversations {
  readonly sessions: Sessions;
  readonly connection: Accessor<Connection>;
  readonly server: Accessor<ServerHello | undefined>;
  readonly usage: Accessor<PageUsage>;
  /** The budgets that hold for this person, as they stood after the latest answer; none where the proxy has none. */
  readonly budgets: Accessor<readonly BudgetState[]>;
  /** The answers of this page that have ended, the latest last. */
  readonly answers: Accessor<readonly AnswerRecord[]>;
  /** The open conversation. */
  readonly current: Accessor<Chat>;
  /** Opens a conversation of the list. An answer under way in another one goes on. */
  open(sessionId: string): void;
  /** Opens an empty conversation. The proxy hears of it with its first message. */
  startNew(): void;
  /** Deletes a conversation; the open one gives way to an empty one. */
  remove(sessionId: string): Promise<boolean>;
  /** Loads all of the open conversation. */
  transcript(): Promise<Transcript>;
  /** How the person wants to be answered. */
  readonly settings: Settings;
  /** The model that the next message will go to, as far as it is known. */
  readonly effectiveModel: Accessor<string | undefined>;
  /** Ends all that follows the client. */
  dispose(): void;
}

const OPEN_SESSION_KEY = "outcrop.session";

/** No conversation has this id. */
const NEW_DRAFT = "";

/**
 * Forgets what a page keeps across loads, for whoever signs in next: which conversation was open, drafts, messages that the proxy may not
 * have, and how the person wants to be answered. Call it when a person signs out, with the `storage` that the conversations were made with.
 */
export function forgetConversations(storage: ConversationsOptions["storage"] = sessionStorageIfAny()): void {
  const page = pageStorage(storage);
  page.set(OPEN_SESSION_KEY, "");
  makeOutbox(page).clear();
  makeDrafts(page).clear();
  if (storage !== null) forgetSettings(pageStorage(localStorageIfAny()));
}

/** How many conversations stay in memory; beyond it the idle one that was opened longest ago is forgotten and loaded anew. */
const MAX_OPEN_CHATS = 20;

/** Conversations that live until `dispose()`. `createConversations` ends them with their owner. */
export function makeConversations(options: ConversationsOptions): Conversations {
  const { client, clock = pageClock, newId = randomId } = options;
  const settings = options.settings ?? (options.storage === null ? makeSettings(pageStorage(null)) : makeSettings());
  const storage = pageStorage(options.storage === undefined ? sessionStorageIfAny() : options.storage);
  const outbox = makeOutbox(storage);
  const drafts = makeDrafts(storage);
  /** Conversations in which nothing was sent yet: they share one draft, since their ids do not outlive the page. */
  const unsent = new Set<string>();
  const chats = new Map<string, Chat>();
  const [usage, setUsage] = createSignal<PageUsage>(client.usage());
  const [answers, setAnswers] = createSignal<readonly AnswerRecord[]>([]);
  const sessions = makeSessions({ client, clock });
  const { budgets, refresh: refreshBudgets, dispose: leaveBudgets } = makeBudgets({ client, clock });
  // Last, since it may be open already.
  const { connection, dispose: leaveConnection } = makeConnection({ client, clock, onOpen });
  const leaveUsage = client.on("usage", setUsage);
  const server = () => connection().server;

  function onOpen(): void {
    void sessions.refresh();
    void refreshBudgets();
  }

  const wishes = { model, systemPrompt, streaming: settings.streaming };

  /** The model that was chosen, unless it has become known that it is not offered any more. */
  function model(): string | undefined {
    const chosen = settings.model();
    return server()?.models.some((info) => info.model === chosen) === false ? undefined : chosen;
  }

  /** Until the proxy has said that it takes none, those that a proxy has taken before are sent. */
  function systemPrompt(): string | undefined {
    const limits = server()?.limits;
    const taken = limits === undefined || (limits.maxSystemPromptChars ?? 0) > 0;
    return taken ? settings.systemPrompt().trim() || undefined : undefined;
  }

  function price(id: string): ModelPrice | null | undefined {
    const info = server()?.models.find(({ model }) => model === id);
    return info && (info.price ?? null);
  }

  function chatOf(sessionId: string): Chat {
    const known = chats.get(sessionId);
    const chat = known ?? makeChat({ client, sessionId, clock, keptDraft: keptDraft(sessionId), ...wishes, defaultModel: () => defaultModel(sessionId), price, outbox, onEvent });
    chats.delete(sessionId);
    chats.set(sessionId, chat);
    forgetIdle();
    return chat;
  }

  function newChat(): Chat {
    const sessionId = newId();
    unsent.add(sessionId);
    return chatOf(sessionId);
  }

  function keptDraft(sessionId: string): KeptText {
    const name = () => (unsent.has(sessionId) ? NEW_DRAFT : sessionId);
    return { get: () => drafts.get(name()), set: (text) => drafts.set(name(), text) };
  }

  function forgetIdle(): void {
    for (const [sessionId, chat] of chats) {
      if (chats.size <= MAX_OPEN_CHATS) return;
      if (chat.state().turn === undefined) {
        chat.dispose();
        chats.delete(sessionId);
      }
    }
  }

  function onEvent(event: ChatEvent, state: ChatState, before: ChatState): void {
    setAnswers((log) => logAnswer(log, event, state));
    const isListed = () => sessions.state().items.some((item) => item.sessionId === state.sessionId);
    const ended = (event.type === "received" && event.chunk.type === "done") || event.type === "stopped" || event.type === "failed";
    const begins = event.type === "received" && answerOf(before, event.answerKey)?.messageId === undefined;
    if (ended || (begins && !isListed())) refreshOnce();
    const isRefused = event.type === "failed" && event.failure.code === "budget_exceeded";
    if (isRefused || (ended && budgets().length > 0)) void refreshBudgets();
    if (event.type === "sent") {
      storage.set(OPEN_SESSION_KEY, state.sessionId);
      if (unsent.delete(state.sessionId)) {
        drafts.set(state.sessionId, drafts.get(NEW_DRAFT));
        drafts.set(NEW_DRAFT, "");
      }
    }
  }

  function refreshOnce(): void {
    if (sessions.state().phase !== "loading") void sessions.refresh();
  }

  function defaultModel(sessionId: string): string | undefined {
    const session = sessions.state().items.find((item) => item.sessionId === sessionId);
    return session?.model ?? server()?.models.find((info) => info.default)?.model;
  }

  const remembered = storage.get(OPEN_SESSION_KEY) || undefined;
  for (const { sessionId } of outbox.waiting()) {
    if (sessionId !== remembered) void chatOf(sessionId).loadHistory();
  }
  const [current, setCurrent] = createSignal(remembered === undefined ? newChat() : chatOf(remembered));
  if (remembered !== undefined) void reopen(current());

  async function reopen(chat: Chat): Promise<void> {
    await chat.loadHistory();
    const gone = chat.state().history.failure?.code === "session_not_found";
    if (gone && current() === chat && chat.state().messages.length === 0) startNew();
  }

  function startNew(): void {
    // One empty conversation is enough.
    if (isUntouched(current())) return;
    setCurrent(newChat());
    storage.set(OPEN_SESSION_KEY, "");
  }

  return {
    sessions,
    connection,
    server,
    usage,
    budgets,
    answers,
    current,
    open(sessionId) {
      const chat = chatOf(sessionId);
      setCurrent(chat);
      storage.set(OPEN_SESSION_KEY, sessionId);
      if (isUntouched(chat)) void chat.loadHistory();
    },
    startNew,
    async remove(sessionId) {
      const chat = chats.get(sessionId);
      chat?.stop();
      if (!(await sessions.remove(sessionId))) return false;
      chat?.dispose();
      chats.delete(sessionId);
      drafts.set(sessionId, "");
      if (current().sessionId === sessionId) {
        setCurrent(newChat());
        storage.set(OPEN_SESSION_KEY, "");
      }
      return true;
    },
    transcript() {
      const { sessionId } = current();
      return loadTranscript(client, sessionId, sessions.state().items.find((item) => item.sessionId === sessionId)?.title);
    },
    settings,
    effectiveModel: () => model() ?? defaultModel(current().sessionId),
    dispose() {
      leaveConnection();
      leaveUsage();
      leaveBudgets();
      for (const chat of chats.values()) chat.dispose();
      chats.clear();
    },
  };
}

/** {@link makeConversations}, disposed of with the reactive owner they are made under. */
export function createConversations(options: ConversationsOptions): Conversations {
  const conversations = makeConversations(options);
  onCleanup(() => conversations.dispose());
  return conversations;
}

function isUntouched(chat: Chat): boolean {
  const { messages, history } = chat.state();
  return messages.length === 0 && history.phase === "idle";
}
