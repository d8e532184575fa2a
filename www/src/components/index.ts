/**
 * Chat components for SolidJS. Each takes a `ChatClient` of `@outcrop/client`, or state that several of them share:
 *
 * ```tsx
 * const client = new ChatClient({ url: "wss://chat.example.com/ws" });
 * <CollapsibleAgentChat client={client} />
 * ```
 */
export { AgentChat, type AgentChatProps, type ChatSource } from "./agent-chat/AgentChat.tsx";
export { ModelPicker } from "./agent-chat/ModelPicker.tsx";
export { SessionList } from "./agent-chat/SessionList.tsx";
export { UsageTotal } from "./agent-chat/UsageTotal.tsx";
export { ChatPanel, type ChatPanelProps } from "./chat-panel/ChatPanel.tsx";
export { CollapsibleAgentChat, type CollapsibleAgentChatProps } from "./collapsible-agent-chat/CollapsibleAgentChat.tsx";
export { ConnectionState } from "./connection/ConnectionState.tsx";
export { DemoBanner } from "./connection/DemoBanner.tsx";
export { Markdown } from "./markdown/Markdown.tsx";
export * from "../chat/index.ts";
