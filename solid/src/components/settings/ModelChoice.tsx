import { Key } from "@solid-primitives/keyed";
import { createUniqueId, Show } from "solid-js";
import type { Conversations } from "../../chat/conversations.ts";
import { modelName } from "../../format/models.ts";
import { useTexts } from "../../texts/TextsProvider.tsx";
import { useModels } from "../common/models.ts";

/** The models that the proxy offers, with their prices. */
export function ModelChoice(props: { conversations: Conversations }) {
  const texts = useTexts();
  const group = createUniqueId();
  const { all, chosen, priceOf } = useModels(() => props.conversations);
  return (
    <Show when={all().length > 0}>
      <fieldset class="oc-settings-part">
        <legend class="oc-settings-name">{texts().models.label}</legend>
        <div class="oc-models">
          <Key each={all()} by="model">
            {(info) => (
              <label class="oc-model-choice" title={info().model}>
                <input
                  type="radio"
                  name={group}
                  value={info().model}
                  checked={info().model === chosen()?.model}
                  onChange={() => props.conversations.settings.setModel(info().model)}
                />
                <span class="oc-model-name">{modelName(info().model)}</span>
                <Show when={info().default}><span class="oc-badge">{texts().models.default}</span></Show>
                <span class="oc-model-price">{priceOf(info())}</span>
              </label>
            )}
          </Key>
        </div>
      </fieldset>
    </Show>
  );
}
