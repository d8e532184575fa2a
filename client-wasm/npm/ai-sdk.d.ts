/**
 * `useChat` of the Vercel AI SDK (npm `ai` and `@ai-sdk/react`, `-vue`, `-svelte` …) over a {@link ChatClient}.
 *
 * ```ts
 * const client = new ChatClient({ url: "wss://chat.example/ws" });
 * const chat = useChat({ id: sessionId, transport: new OutcropChatTransport({ client }), resume: true });
 * ```
 */
import type { ChatTransport, UIMessage } from "ai";
import type { AttachmentInfo, ChatClient, ErrorData, Message, StatusState, StopReason, Usage } from "./index.js";

/** What is known of a message beside its parts. The usage comes with its end. */
export interface OutcropMetadata {
  sessionId?: string;
  stopReason?: StopReason;
  usage?: Usage;
  model?: string;
  /** The files that were sent with it. */
  attachments?: AttachmentInfo[];
  /** Why it is not whole, where it is not. */
  error?: ErrorData;
}

/** A type and not an interface, as the SDK's own types ask for. */
export type OutcropData = {
  /** What the answer waits for. Transient: given to `onData` only. */
  status: { state: StatusState; retryInMs?: number };
};

export type OutcropUIMessage = UIMessage<OutcropMetadata, OutcropData>;

export interface OutcropChatTransportOptions {
  client: ChatClient;
  /** The model that is asked, where a message's `body` has no `model`. Default: the conversation's, or else the proxy's. */
  model?: string;
}

/**
 * The chat's `id` is the id of the conversation. The proxy holds the conversation, so only the last message is sent, with its files. Errors are
 * those of the client: `chat.error` is a `ChatError`.
 *
 * Tools run in the proxy and come as parts of the type `dynamic-tool`, with a `ToolResult` as `output`. One that waits for a person is
 * `approval-requested`: `addToolApprovalResponse` decides, with `sendAutomaticallyWhen: lastAssistantMessageIsCompleteWithApprovalResponses`.
 */
export class OutcropChatTransport<UI_MESSAGE extends UIMessage = OutcropUIMessage> implements ChatTransport<UI_MESSAGE> {
  constructor(options: OutcropChatTransportOptions);

  readonly resumeStreamIsReplay: boolean;

  sendMessages: ChatTransport<UI_MESSAGE>["sendMessages"];

  /** Follows the answer that is being made, from its beginning; `null` where there is none. Cancelling the stream only looks away. */
  reconnectToStream: ChatTransport<UI_MESSAGE>["reconnectToStream"];
}

/** Stored messages, as `client.history()` gives them, for the SDK's `messages`. */
export declare function toUIMessages(messages: readonly Message[]): OutcropUIMessage[];
