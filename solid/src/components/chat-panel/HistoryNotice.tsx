import { Match, Switch } from "solid-js";
import type { ChatState } from "../../chat/state.ts";
import { useTexts } from "../../texts/TextsProvider.tsx";

/** What stands above the oldest message: a way to older ones, that they are being loaded, or why they could not be. */
export function HistoryNotice(props: { state: ChatState; onLoad: () => void }) {
  const texts = useTexts();
  const history = () => props.state.history;
  return (
    <Switch>
      <Match when={history().phase === "loading"}>
        <p class="oc-notice" role="status">{texts().panel.loading}</p>
      </Match>
      <Match when={history().phase === "failed" && history().failure}>
        {(failure) => (
          <div class="oc-notice oc-notice-error" role="alert">
            <p><strong>{texts().errors[failure().code]}</strong> {failure().message}</p>
            <button type="button" class="oc-button" onClick={() => props.onLoad()}>{texts().panel.loadAgain}</button>
          </div>
        )}
      </Match>
      <Match when={history().hasMore}>
        <p class="oc-notice"><button type="button" class="oc-button" onClick={() => props.onLoad()}>{texts().panel.showOlder}</button></p>
      </Match>
    </Switch>
  );
}
