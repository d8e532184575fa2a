/**
 * `useChat` of TanStack AI (npm `@tanstack/ai-client`, `-react`, `-solid`, `-vue` …) over a {@link ChatClient}.
 *
 * ```ts
 * const client = new ChatClient({ url: "wss://chat.example/ws" });
 * const chat = useChat({ connection: outcropConnection({ client }), threadId: sessionId, persistence: true });
 * ```
 */
import type { ConnectConnectionAdapter, UIMessage } from "@tanstack/ai-client";
import type { ChatClient, Message } from "./index.js";

export interface OutcropConnectionOptions {
  client: ChatClient;
  /** The model that is asked, where the chat's `body` has no `model`. Default: the conversation's, or else the proxy's. */
  model?: string;
}

/**
 * What `useChat` and `ChatClient` of TanStack take as `connection`. With `persistence: true` they load the conversation and go on with the
 * answer that is being made.
 */
export interface OutcropConnection extends Required<Pick<ConnectConnectionAdapter, "connect" | "joinRun" | "hydrate">> {
  /** Lets a call run whose part has the state `approval-requested`, or not. `toolCallId` is the part's `id`. */
  approveTool(toolCallId: string, approved: boolean): Promise<void>;
}

/**
 * The chat's `threadId` is the id of the conversation. The proxy holds the conversation, so only the last message is sent, with its images and
 * documents; `metadata.name` of such a part is its name. Tools run in the proxy. What an answer waits for comes as the custom event
 * `outcrop.status`.
 */
export declare function outcropConnection(options: OutcropConnectionOptions): OutcropConnection;

/** Stored messages, as `client.history()` gives them, for TanStack's `initialMessages`. */
export declare function toUIMessages(messages: readonly Message[]): UIMessage[];
