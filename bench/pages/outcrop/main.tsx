// The page on Outcrop: `createChat` for the state, `Markdown` for the text.

import { ChatClient } from "@outcrop/client";
import { createChat, Markdown } from "@outcrop/solid";
import "@outcrop/solid/styles.css";
import { createMemo, createSignal } from "solid-js";
import { render } from "solid-js/web";
import { Page, type Chat } from "../shared/Page.tsx";

function outcropChat(): Chat {
  const client = new ChatClient();
  const chat = createChat({ client });
  const [ready, setReady] = createSignal(false);
  client.on("status", ({ state }) => setReady(state === "open"));
  void client.connect();
  const lines = createMemo(() => chat.state().messages.map(({ key, role, text }) => ({ role, text, open: key === chat.state().turn })));
  return { lines, ready, send: (text) => void chat.send(text) };
}

render(() => {
  const chat = outcropChat();
  return <Page chat={chat} Answer={(props) => <Markdown text={props.text} streaming={props.open} />} />;
}, document.body);
