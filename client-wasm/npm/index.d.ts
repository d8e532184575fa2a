/**
 * Chat with Claude on AWS Bedrock, through an Outcrop proxy.
 *
 * ```ts
 * const client = new ChatClient({ url: "ws://localhost:3001" });
 * for await (const chunk of client.streamMessage({ message: "Hello" })) {
 *   if (chunk.type === "token") append(chunk.content);
 * }
 * ```
 */
import type {
  ApproveTool,
  Attachment,
  CreateSession,
  ErrorCode,
  GetHistory,
  HistoryResponse,
  InProgress,
  ListSessions,
  Message,
  ModelPrice,
  Regenerate,
  SendMessage,
  ServerHello,
  Session,
  SessionsResponse,
  StatusState,
  StopReason,
  ToolUse,
  Usage,
  UsageQuery,
  UsageResponse,
} from "./protocol.js";

export type * from "./protocol.js";

/** What a {@link ChatError} can be about: the proxy's codes and the client's own. */
export type ChatErrorCode =
  | ErrorCode
  /** The `AbortSignal` was aborted, or the loop over the stream was left. */
  | "aborted"
  /** The client was closed, or the proxy refuses this client for good. */
  | "closed"
  /** More is being sent than the connection takes: 64 requests wait for it already. */
  | "overloaded"
  /** The WebAssembly module could not be loaded, or there is no WebSocket. */
  | "load_failed";

/** Every error this package throws or rejects with. */
export class ChatError extends Error {
  readonly name: "ChatError";
  readonly code: ChatErrorCode;
  /** Whether the same call can succeed later. */
  readonly retryable: boolean;
  /** How long to wait before that, in milliseconds. */
  readonly retryAfterMs?: number;
  /** The answer that failed, where one had begun. */
  readonly messageId?: string;
  /** What the failed answer used, where that is known. */
  readonly usage?: Usage;
}

/** How a client reaches its proxy, and how it gives what comes. */
export interface ChatClientOptions {
  /** The proxy's address: `ws://`, `wss://`, `http://` or `https://`; a relative one is taken from the page's. Default: the page's own origin, `/ws`. */
  url?: string | URL;
  /** Gives a token. Asked for at every connection, and while connected before the last one expires, so that it is always fresh. */
  token?: () => string | undefined | Promise<string | undefined>;
  /**
   * When a stream gives what has arrived: `"frame"` at most once per painted frame (tokens that arrive within one frame come
   * joined, the first comes at once), `"immediate"` as soon as it has. Default `"frame"`.
   */
  delivery?: "frame" | "immediate";
  /**
   * The class of the socket: for where there is no global one, as in Node 20, whose users give that of the npm package `ws`. Default:
   * `globalThis.WebSocket`.
   */
  WebSocket?: WebSocketClass;
  /**
   * Gives the WebAssembly module, `@outcrop/client/outcrop_client_bg.wasm`: for bundlers that do not understand
   * `new URL("file", import.meta.url)`, and for where there is no `fetch`. It is loaded once for all clients, as the first one says. Default:
   * fetched from beside the package's code, in Node, Deno and Bun read from the disk.
   */
  module?: () => ModuleSource | Promise<ModuleSource>;
}

/** A class of sockets, such as the browser's. */
export type WebSocketClass = new (url: string, protocol: string) => Socket;

/** What is needed of a socket, besides its events `onopen`, `onmessage` and `onclose`. */
export interface Socket {
  /** Sends a frame. */
  send(text: string): void;
  /** Ends the connection. */
  close(code?: number): void;
}

/** Where the WebAssembly module is, its bytes, or the module itself. */
export type ModuleSource =
  | string
  | URL
  | Response
  | ArrayBuffer
  | ArrayBufferView
  // Not every `lib` of TypeScript knows it.
  | (typeof globalThis extends { WebAssembly: { Module: { prototype: infer Module } } } ? Module : never);

/** What can end with its block, where the `lib` of TypeScript knows that. */
export type Disposing = SymbolConstructor extends { readonly dispose: infer Dispose extends symbol }
  ? {
      /** As `close()`. */
      [Key in Dispose]: () => void;
    }
  : {};

/** What to send. */
export type Request = Omit<SendMessage, "streaming" | "attachments"> & Resendable & {
  /**
   * Files to read with the message: as a browser has them, or read already. What {@link attachmentLimits} does not allow is refused before
   * anything is read or sent, with `invalid_request` or `message_too_large` and the file's name. What is sent again under an `id` has to
   * have the same files in the same order.
   */
  attachments?: Iterable<AttachmentSource>;
};

/** What to ask again, and for: the question of an answer, which gives way with everything after it. */
export type RegenerateRequest = Omit<Regenerate, "streaming"> & Resendable;

/** What may have to be sent again. */
export interface Resendable {
  /**
   * The message's idempotency key within its session, for a page that may have to send the same message again after it was loaded anew:
   * 1 to 128 bytes, best random, kept together with the session and the text until an answer comes. The same id with the same content is
   * never answered twice: it attaches to the answer under way, or gets the one that is stored. Default: one that the client makes, which
   * outlives a lost connection but not the page. Refused with `invalid_request` while a message of this client has it.
   */
  id?: string;
  /**
   * Whether the message may have been sent before under its `id`, by the page before it was loaded anew. A stop is then told to the proxy
   * in any case; without this, one that comes before there was a connection ends the message at once. Default: false.
   */
  resent?: boolean;
}

/**
 * A file to send. What kind it is the end of its name says, or else its type; a `Blob` has no name and gets one. An {@link Attachment} is
 * sent as it is.
 */
export type AttachmentSource = Attachment | File | Blob;

/** What may be sent with one message: Bedrock's own limits, and what fits a frame. */
export declare const attachmentLimits: {
  readonly maxFiles: number;
  /** How many of them may be documents, and not images. */
  readonly maxDocuments: number;
  /** All files together; `Blob.size` counts. */
  readonly maxTotalBytes: number;
  readonly mediaTypes: readonly string[];
};

/**
 * Reads files into what `attachments` takes and JSON can hold: for a page that tells at once whether they can be sent, or that keeps a message
 * to send it again after it was loaded anew. Rejects as a message with them would.
 */
export declare function readAttachments(files: Iterable<AttachmentSource>): Promise<Attachment[]>;

/** An answer that is whole. */
export interface Answer {
  sessionId: string;
  messageId: string;
  content: string;
  stopReason?: StopReason;
  usage: Usage;
  /** The message as the proxy stored it. */
  message: Message;
}

/** A piece of a stream. The last one is `"done"`. */
export type Chunk =
  /** More text. */
  | { type: "token"; content: string; sessionId: string; messageId: string }
  /** More of the model's reasoning. */
  | { type: "reasoning"; content: string; sessionId: string; messageId: string }
  /**
   * A tool is called, or its call has come further: the whole call as it stands, in place of what was known of it. While its arguments are
   * written (`"preparing"`) they are in `partialInput`, the beginning of a JSON text. One that is `"pending_approval"` waits for
   * {@link ChatClient.approveTool}.
   */
  | { type: "tool"; call: ToolUse; sessionId: string; messageId: string }
  /** What the answer is waiting for. */
  | { type: "status"; state: StatusState; retryInMs?: number; messageId: string }
  /**
   * The answer is whole, or was stopped (`stopReason` `"cancelled"`). Stopped before the proxy had it, it has an empty `messageId`
   * and used nothing.
   */
  | { type: "done"; sessionId: string; messageId: string; content: string; stopReason: StopReason; usage: Usage };

/** Where the connection stands. */
export type ConnectionStatus =
  | { state: "idle" }
  | { state: "connecting" }
  | { state: "open"; server: ServerHello }
  /** Lost, for this reason; the next attempt is in `retryInMs`. */
  | { state: "reconnecting"; attempt: number; retryInMs: number; reason: string }
  /** The browser says that there is no network. */
  | { state: "offline" }
  /**
   * Ended for good: by `close()`, or by the proxy with this close code. 4500 is for a token that it does not take, or the lack of one,
   * and 4503 for one that was revoked: sign in and make a new client.
   */
  | { state: "closed"; code?: number; reason?: string };

/** Totals of one model or session. */
export interface UsageTotal {
  inputTokens: number;
  outputTokens: number;
  totalTokens: number;
  cacheReadInputTokens: number;
  cacheWriteInputTokens: number;
  /** 10⁻⁹ US dollars. */
  costNanoUsd: number;
  /** Answers in the total whose model has no known price: the cost leaves them out. */
  unpricedTurns: number;
  /** Answers in the total whose usage is an estimate. */
  estimatedTurns: number;
  turns: number;
}

/** What this page has used. */
export interface PageUsage extends UsageTotal {
  bySession: Record<string, UsageTotal>;
  byModel: Record<string, UsageTotal>;
}

/** What a client tells of, for {@link ChatClient.on}. */
export interface ChatEvents {
  /** Each time the connection stands otherwise. */
  status: (status: ConnectionStatus) => void;
  /** After each answer: what this page has used so far. */
  usage: (usage: PageUsage) => void;
}

/** The way to a proxy: one connection, which a whole page can share. It is made at the first call, and again where it is lost. */
export class ChatClient {
  constructor(options?: ChatClientOptions);

  /** Loads the module and connects. Not needed: the first call does it. Resolves with the proxy's greeting. */
  connect(): Promise<ServerHello>;

  /** Sends a message and resolves with the whole answer. */
  sendMessage(request: Request, options?: { signal?: AbortSignal }): Promise<Answer>;

  /**
   * Sends a message at once and gives the answer as it is made; what nobody asks for waits, joined. Aborting the signal or leaving the loop stops the answer. Aborted, the
   * stream ends with a `"done"` chunk whose `stopReason` is `"cancelled"`, since a stopped answer has a text and a cost too.
   */
  streamMessage(request: Request, options?: { signal?: AbortSignal }): AsyncIterableIterator<Chunk>;

  /**
   * Asks the question of an answer again, with the files that came with it, and gives the new answer as `streamMessage` does. The answer that
   * was there, be it whole, stopped or failed, and everything after it gives way once the proxy has taken the request; what they cost still
   * counts. To say something else instead of asking the same, send a message that `replaces` the question.
   */
  regenerate(request: RegenerateRequest, options?: { signal?: AbortSignal }): AsyncIterableIterator<Chunk>;

  /**
   * Follows an answer that another tab, or this page before it was loaded anew, has asked for: `inProgress` is what `history()` says of
   * it. Gives what comes after that; the `"done"` chunk has the whole text. Aborting the signal stops the answer, for everybody, and
   * the stream ends as a stopped one. Leaving the loop only looks away: the answer goes on.
   */
  followMessage(answer: { sessionId: string; inProgress: InProgress }, options?: { signal?: AbortSignal }): AsyncIterableIterator<Chunk>;

  /** Makes a conversation. A message needs none: it makes that of its `sessionId`, or a new one where it has none. */
  createSession(request?: CreateSession): Promise<Session>;

  /** A page of conversations, the latest used first. The next page is `before` the last of this one. */
  listSessions(request?: ListSessions): Promise<SessionsResponse>;

  /** A page of a conversation's messages, the oldest first, and the answer in progress. The page before it is `before` the first of this one. */
  history(request: GetHistory): Promise<HistoryResponse>;

  /** Gives a conversation another title, of 1 to 200 characters. */
  renameSession(sessionId: string, title: string): Promise<Session>;

  /** Deletes a conversation with all its messages, for good. */
  deleteSession(sessionId: string): Promise<void>;

  /**
   * Lets a call that waits (`"pending_approval"`) run, or not. `messageId` is that of its answer: without it the call is not found where
   * another process makes the answer. Resolves when the proxy has taken it, also where the same was said of the call before; what becomes of
   * the call comes with the answer. Rejects with `invalid_request` where no such call waits: it was decided otherwise, or too late.
   */
  approveTool(decision: ApproveTool): Promise<void>;

  /**
   * What the proxy has counted, in rows by model, session, user, organisation, day or hour, with their sum and the budgets: of all pages and
   * of the past, where `usage()` is this page's own.
   */
  usageReport(query: UsageQuery): Promise<UsageResponse>;

  /**
   * What `usage` costs at `price`, in 10⁻⁹ US dollars, to the last digit as the proxy computes it. `undefined` where there is no price, none
   * for a kind of tokens that was used, or where the figures are no whole numbers: unknown is not 0. Prices come with the proxy's greeting, and by then the module that computes is
   * there; before the first connection this throws `load_failed`.
   */
  costNanoUsd(price: ModelPrice | undefined, usage: Usage): number | undefined;

  /** Calls `listener` at every event; returns what ends that. A `status` listener hears the present state at once. */
  on<E extends keyof ChatEvents>(event: E, listener: ChatEvents[E]): () => void;

  /** Where the connection stands now. */
  readonly status: ConnectionStatus;

  /** What this page has used. */
  usage(): PageUsage;

  /** Ends the connection and fails what is under way with code `"closed"`. `using client = new ChatClient()` does so at the end of its block. */
  close(): void;
}

export interface ChatClient extends Disposing {}
