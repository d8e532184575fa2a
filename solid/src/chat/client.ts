import type { ChatClient } from "@outcrop/client";

/** The part of `ChatClient` that the chat state uses: an adopter passes the real one, a test its own. */
export type Client = Pick<
  ChatClient,
  | "connect" | "sendMessage" | "streamMessage" | "regenerate" | "followMessage" | "listSessions" | "history" | "renameSession" | "deleteSession" | "on" | "status" | "usage"
  | "usageReport" | "costNanoUsd" | "approveTool"
>;
