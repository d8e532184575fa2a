import { lazy, Match, Show, Suspense, Switch } from "solid-js";
import { AgentChat, CollapsibleAgentChat, createConversations, DemoBanner, type Client } from "@outcrop/solid";
import { Dashboard } from "./dashboard/Dashboard.tsx";
import { createRoute } from "./route.ts";
import { ThemeChoice } from "./ThemeChoice.tsx";
import { TopBar } from "./TopBar.tsx";
import "./app.css";

/** With its charts it is half as much as the rest of the page, and few look at it each time. */
const UsageView = lazy(async () => ({ default: (await import("./UsageView.tsx")).UsageView }));

/** A dashboard with a chat in it, as any page would have one: a launcher beside other things and the whole chat on a page of its own. */
export function App(props: { client: Client; signOut?: (() => void) | undefined }) {
  const conversations = createConversations({ client: props.client });
  const page = createRoute((sessionId) => conversations.open(sessionId));
  return (
    <div class="oc app" data-route={page()}>
      <TopBar page={page()} conversations={conversations} signOut={props.signOut} />
      <DemoBanner server={conversations.server()} />
      <Switch>
        <Match when={page() === "overview"}>
          <main class="app-main app-overview"><Dashboard conversations={conversations} /></main>
        </Match>
        <Match when={page() === "usage"}>
          <main class="app-main app-overview">
            <Suspense fallback={<p class="oc-notice" role="status">Loading…</p>}><UsageView client={props.client} conversations={conversations} /></Suspense>
          </main>
        </Match>
        <Match when={page() === "chat"}>
          <main class="app-main app-chat">
            <h1 class="oc-hidden">Chat</h1>
            <AgentChat conversations={conversations} demoBanner={false} pageSettings={<ThemeChoice />} />
          </main>
        </Match>
      </Switch>
      <Show when={page() !== "chat"}><CollapsibleAgentChat conversations={conversations} demoBanner={false} pageSettings={<ThemeChoice />} /></Show>
    </div>
  );
}
