// The page on TanStack AI: its chat client, with server-sent events and otherwise its defaults, as signals of Solid.

import { ChatClient, fetchServerSentEvents, type UIMessage } from "@tanstack/ai-client";
import { createMemo, createSignal, onCleanup } from "solid-js";
import { render } from "solid-js/web";
import { Page, type Chat, type Line } from "../shared/Page.tsx";
import { PlainMarkdown } from "./PlainMarkdown.tsx";

function tanstackChat(): Chat {
  const [messages, setMessages] = createSignal<readonly UIMessage[]>([]);
  const [loading, setLoading] = createSignal(false);
  const client = new ChatClient({
    connection: fetchServerSentEvents("/api/chat"),
    onMessagesChange: (messages) => void setMessages(messages),
    onLoadingChange: (loading) => void setLoading(loading),
  });
  client.attach();
  onCleanup(() => client.dispose());

  const lines = createMemo(() => {
    const shown: Line[] = messages().map(({ role, parts }, index) => ({
      role: role === "user" ? "user" : "assistant",
      text: parts.map((part) => (part.type === "text" ? part.content : "")).join(""),
      open: loading() && index === messages().length - 1,
    }));
    return shown;
  });
  return { lines, ready: () => true, send: (text) => void client.sendMessage(text) };
}

render(() => {
  const chat = tanstackChat();
  return <Page chat={chat} Answer={PlainMarkdown} />;
}, document.body);
