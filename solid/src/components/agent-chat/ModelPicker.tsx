import type { ModelInfo } from "@outcrop/client";
import { For, Show } from "solid-js";
import type { Conversations } from "../../chat/conversations.ts";
import { modelName } from "../../format/models.ts";
import { useFormats, useTexts } from "../../texts/TextsProvider.tsx";

/** Which model answers the next message, from those that the proxy offers. */
export function ModelPicker(props: { conversations: Conversations }) {
  const texts = useTexts();
  const formats = useFormats();
  const models = () => props.conversations.server()?.models ?? [];
  const chosen = () => models().find((info) => info.model === props.conversations.effectiveModel());
  const describe = ({ model, price }: ModelInfo) => {
    const words = texts().models;
    return price === undefined ? words.unpriced(model) : words.priced(model, formats().formatPrice(price.input), formats().formatPrice(price.output));
  };
  return (
    <Show when={models().length > 0}>
      <label class="oc-picker">
        <span class="oc-hidden">{texts().models.label}</span>
        <select
          title={chosen() && describe(chosen() as ModelInfo)}
          value={props.conversations.effectiveModel() ?? ""}
          onChange={(event) => props.conversations.setModel(event.currentTarget.value)}
        >
          <Show when={chosen() === undefined}>
            <option value={props.conversations.effectiveModel() ?? ""}>{modelName(props.conversations.effectiveModel() ?? "")}</option>
          </Show>
          <For each={models()}>
            {(info) => <option value={info.model} selected={info.model === props.conversations.effectiveModel()}>{modelName(info.model)}</option>}
          </For>
        </select>
      </label>
    </Show>
  );
}
