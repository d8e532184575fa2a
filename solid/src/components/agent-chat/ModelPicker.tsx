import type { ModelInfo } from "@outcrop/client";
import { For, Show } from "solid-js";
import type { Conversations } from "../../chat/conversations.ts";
import { modelName } from "../../format/models.ts";
import { useTexts } from "../../texts/TextsProvider.tsx";
import { useModels } from "../common/models.ts";

/** Which model answers the next message, from those that the proxy offers. */
export function ModelPicker(props: { conversations: Conversations }) {
  const texts = useTexts();
  const { all, chosen, priceOf } = useModels(() => props.conversations);
  const effective = () => props.conversations.effectiveModel() ?? "";
  const describe = (info: ModelInfo) => texts().models.described(info.model, priceOf(info));
  return (
    <Show when={all().length > 0}>
      <label class="oc-picker">
        <span class="oc-hidden">{texts().models.label}</span>
        <select
          title={chosen() && describe(chosen() as ModelInfo)}
          value={effective()}
          onChange={(event) => props.conversations.settings.setModel(event.currentTarget.value)}
        >
          <Show when={chosen() === undefined}>
            <option value={effective()}>{modelName(effective())}</option>
          </Show>
          <For each={all()}>{(info) => <option value={info.model} selected={info.model === effective()}>{modelName(info.model)}</option>}</For>
        </select>
      </label>
    </Show>
  );
}
