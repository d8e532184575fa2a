import type { ModelInfo } from "@outcrop/client";
import type { Accessor } from "solid-js";
import type { Conversations } from "../../chat/conversations.ts";
import { useFormats, useTexts } from "../../texts/TextsProvider.tsx";

export interface Models {
  /** Those that the proxy offers. */
  readonly all: Accessor<readonly ModelInfo[]>;
  /** The one that answers the next message, if it is offered. */
  readonly chosen: Accessor<ModelInfo | undefined>;
  /** What one costs, in words. */
  priceOf(info: ModelInfo): string;
}

/** The models of a proxy, where a person chooses among them. */
export function useModels(conversations: () => Conversations): Models {
  const texts = useTexts();
  const formats = useFormats();
  const all = () => conversations().server()?.models ?? [];
  return {
    all,
    chosen: () => all().find((info) => info.model === conversations().effectiveModel()),
    priceOf: ({ price }) => (price === undefined ? texts().models.unpriced : texts().models.price(formats().formatPrice(price.input), formats().formatPrice(price.output))),
  };
}
