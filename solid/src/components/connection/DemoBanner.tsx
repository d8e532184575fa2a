import { Show } from "solid-js";
import type { ServerHello } from "@outcrop/client";
import { useTexts } from "../../texts/TextsProvider.tsx";

/** Says that no model answers, where the proxy said so. */
export function DemoBanner(props: { server: ServerHello | undefined }) {
  const texts = useTexts();
  return (
    <Show when={props.server?.demo}>
      <div class="oc oc-demo" role="region" aria-label={texts().demo.label}>
        <p><strong>{texts().demo.title}</strong> {texts().demo.text(<code>/help</code>)}</p>
      </div>
    </Show>
  );
}
