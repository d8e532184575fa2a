// The page on nothing of Outcrop but its client: the rest is word for word what the page on TanStack AI has.

import { ChatClient } from "@outcrop/client";
import { createSignal } from "solid-js";
import { render } from "solid-js/web";
import { Page, type Chat, type Line } from "../shared/Page.tsx";
import { PlainMarkdown } from "../shared/PlainMarkdown.tsx";

function bareChat(): Chat {
  const client = new ChatClient();
  const sessionId = crypto.randomUUID();
  const [lines, setLines] = createSignal<readonly Line[]>([]);
  const [ready, setReady] = createSignal(false);
  const setAnswer = (text: string, open: boolean) => setLines((lines) => [...lines.slice(0, -1), { role: "assistant", text, open }]);

  async function send(message: string): Promise<void> {
    setLines((lines) => [...lines, { role: "user", text: message, open: false }, { role: "assistant", text: "", open: true }]);
    let text = "";
    for await (const chunk of client.streamMessage({ sessionId, message })) {
      if (chunk.type === "token") setAnswer((text += chunk.content), true);
      else if (chunk.type === "done") setAnswer(text, false);
    }
  }

  client.on("status", ({ state }) => setReady(state === "open"));
  void client.connect();
  return { lines, ready, send: (text) => void send(text) };
}

render(() => <Page chat={bareChat()} Answer={PlainMarkdown} />, document.body);
