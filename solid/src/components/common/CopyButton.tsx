import { createSignal, onCleanup, Show } from "solid-js";
import { useTexts } from "../../texts/TextsProvider.tsx";
import { CheckIcon, CopyIcon } from "./icons.tsx";

/** How long the button says how it went. */
const NOTICE_MS = 2_000;

/** Copies a text to the clipboard and says whether that worked. */
export function CopyButton(props: { text: () => string; label: string }) {
  const texts = useTexts();
  const [notice, setNotice] = createSignal<"copied" | "refused">();
  let timer: ReturnType<typeof setTimeout> | undefined;
  onCleanup(() => clearTimeout(timer));

  async function copy(): Promise<void> {
    setNotice((await written(props.text())) ? "copied" : "refused");
    clearTimeout(timer);
    timer = setTimeout(() => setNotice(undefined), NOTICE_MS);
  }

  const words = () => {
    switch (notice()) {
      case "copied":
        return texts().common.copied;
      case "refused":
        return texts().common.copyRefused;
      case undefined:
        return "";
    }
  };
  return (
    <button type="button" class="oc-button oc-button-quiet oc-copy" title={props.label} onClick={() => void copy()}>
      <Show when={notice() === "copied"} fallback={<CopyIcon />}><CheckIcon /></Show>
      <span class="oc-hidden">{props.label}</span>
      <span class="oc-copy-notice" role="status">{words()}</span>
    </button>
  );
}

/** The clipboard is there only in secure contexts, and a person may refuse it. */
async function written(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}
