import { Match, Switch } from "solid-js";
import { headline } from "../../chat/failure.ts";
import type { ChatState } from "../../chat/state.ts";

/** What stands above the oldest message: a way to older ones, that they are being loaded, or why they could not be. */
export function HistoryNotice(props: { state: ChatState; onLoad: () => void }) {
  const history = () => props.state.history;
  return (
    <Switch>
      <Match when={history().phase === "loading"}>
        <p class="oc-notice" role="status">Loading messages…</p>
      </Match>
      <Match when={history().phase === "failed" && history().failure}>
        {(failure) => (
          <div class="oc-notice oc-notice-error" role="alert">
            <p><strong>{headline(failure().code)}</strong> {failure().message}</p>
            <button type="button" class="oc-button" onClick={() => props.onLoad()}>Load again</button>
          </div>
        )}
      </Match>
      <Match when={history().hasMore}>
        <p class="oc-notice"><button type="button" class="oc-button" onClick={() => props.onLoad()}>Show older messages</button></p>
      </Match>
    </Switch>
  );
}
