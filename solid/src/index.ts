/**
 * Chat with Claude for SolidJS: components, and the state they are made of. Each component takes a `ChatClient` of `@outcrop/client`, or state
 * that several of them share:
 *
 * ```tsx
 * import "@outcrop/solid/styles.css";
 *
 * const client = new ChatClient({ url: "wss://chat.example.com/ws" });
 * <CollapsibleAgentChat client={client} />
 * ```
 */
export { AgentChat, type AgentChatProps, type ChatSource } from "./components/agent-chat/AgentChat.tsx";
export { ModelPicker } from "./components/agent-chat/ModelPicker.tsx";
export { SessionList, type SessionListProps } from "./components/agent-chat/SessionList.tsx";
export { UsageTotal } from "./components/agent-chat/UsageTotal.tsx";
export { ChatPanel, type ChatPanelProps } from "./components/chat-panel/ChatPanel.tsx";
export { CollapsibleAgentChat, type CollapsibleAgentChatProps } from "./components/collapsible-agent-chat/CollapsibleAgentChat.tsx";
export { ConnectionState } from "./components/connection/ConnectionState.tsx";
export { DemoBanner } from "./components/connection/DemoBanner.tsx";
export { ExportMenu } from "./components/export/ExportMenu.tsx";
export { SettingsButton } from "./components/settings/SettingsButton.tsx";
export { SettingsDialog, type SettingsDialogProps } from "./components/settings/SettingsDialog.tsx";
export { Markdown } from "./components/markdown/Markdown.tsx";
export * from "./chat/index.ts";
export type { Decision } from "./chat/parts.ts";
export type { ChatEvent, GivingWay } from "./chat/reduce.ts";
export type { Refusal, Replacing } from "./chat/replacing.ts";
export type { HistoryState, Timing, Waiting } from "./chat/state.ts";
export type { Received } from "./chat/whole.ts";
export * from "./texts/index.ts";
