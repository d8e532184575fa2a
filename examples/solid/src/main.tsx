import { ChatClient } from "@outcrop/client";
import { ChatPanel, CollapsibleAgentChat, createConversations } from "@outcrop/solid";
import { render } from "solid-js/web";
import "@outcrop/solid/styles.css";
import "./page.css";

/** The development server serves the page only, and the proxy has its own port; elsewhere one of them serves both. */
const client = new ChatClient(import.meta.env.DEV ? { url: "ws://127.0.0.1:3001/ws" } : {});

function Page() {
  const conversations = createConversations({ client });
  return (
    <div class="page">
      <main>
        <h1>Orders</h1>
        <p>Your page is here. Ask about it on the right, or in the corner: both are the same conversations.</p>
      </main>
      <aside>
        <ChatPanel chat={conversations.current()} connection={conversations.connection()} suggestions={["What can you do?"]} />
      </aside>
      <CollapsibleAgentChat conversations={conversations} />
    </div>
  );
}

render(() => <Page />, document.getElementById("app")!);
