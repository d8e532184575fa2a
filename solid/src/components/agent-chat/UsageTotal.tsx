import type { PageUsage } from "@outcrop/client";
import { inputTokens } from "../../format/usage.ts";
import { useFormats, useTexts } from "../../texts/TextsProvider.tsx";

/** What this page has used so far. */
export function UsageTotal(props: { usage: PageUsage }) {
  const texts = useTexts();
  const formats = useFormats();
  const tokens = (count: number) => formats().countOf(count);
  const title = () => {
    const words = texts().usage;
    const { turns, outputTokens } = props.usage;
    return texts().pageTotal.whole(words.answers(tokens(turns)), words.tokensIn(tokens(inputTokens(props.usage))), words.out(tokens(outputTokens)));
  };
  return (
    <span class="oc-total" title={title()}>
      <span class="oc-hidden">{texts().pageTotal.label} </span>
      <span class="oc-total-tokens">{texts().usage.tokens(tokens(props.usage.totalTokens))}</span>
      <span class="oc-total-cost">{formats().totalCost(props.usage)}</span>
    </span>
  );
}
