import { createSignal, onCleanup, Show } from "solid-js";
import { CheckIcon, CopyIcon } from "./icons.tsx";

/** How long the button says how it went. */
const NOTICE_MS = 2_000;

/** Copies a text to the clipboard and says whether that worked. */
export function CopyButton(props: { text: () => string; label: string }) {
  const [notice, setNotice] = createSignal<"copied" | "refused">();
  let timer: ReturnType<typeof setTimeout> | undefined;
  onCleanup(() => clearTimeout(timer));

  async function copy(): Promise<void> {
    setNotice((await written(props.text())) ? "copied" : "refused");
    clearTimeout(timer);
    timer = setTimeout(() => setNotice(undefined), NOTICE_MS);
  }

  return (
    <button type="button" class="oc-button oc-button-quiet oc-copy" title={props.label} onClick={() => void copy()}>
      <Show when={notice() === "copied"} fallback={<CopyIcon />}><CheckIcon /></Show>
      <span class="oc-hidden">{props.label}</span>
      <span class="oc-copy-notice" role="status">{notice() === "copied" ? "Copied" : notice() === "refused" ? "The browser refused" : ""}</span>
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
