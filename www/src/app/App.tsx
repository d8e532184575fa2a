import { Match, Switch } from "solid-js";
import { AgentChat, CollapsibleAgentChat, createConversations, DemoBanner, type Client } from "../components/index.ts";
import { Dashboard } from "./dashboard/Dashboard.tsx";
import { createRoute } from "./route.ts";
import { TopBar } from "./TopBar.tsx";
import "./app.css";

/** A dashboard with a chat in it, as any page would have one: a launcher on the overview and the whole chat on a page of its own. */
export function App(props: { client: Client }) {
  const conversations = createConversations({ client: props.client });
  const route = createRoute();
  return (
    <div class="oc app" data-route={route()}>
      <TopBar route={route()} connection={conversations.connection()} />
      <DemoBanner server={conversations.server()} />
      <Switch>
        <Match when={route() === "overview"}>
          <main class="app-main app-overview"><Dashboard conversations={conversations} /></main>
          <CollapsibleAgentChat conversations={conversations} demoBanner={false} />
        </Match>
        <Match when={route() === "chat"}>
          <main class="app-main app-chat">
            <h1 class="oc-hidden">Chat</h1>
            <AgentChat conversations={conversations} demoBanner={false} />
          </main>
        </Match>
      </Switch>
    </div>
  );
}
