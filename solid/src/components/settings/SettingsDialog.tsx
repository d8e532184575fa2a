import { createUniqueId, onMount, type JSX } from "solid-js";
import type { Conversations } from "../../chat/conversations.ts";
import { useTexts } from "../../texts/TextsProvider.tsx";
import { CloseIcon } from "../common/icons.tsx";
import { Instructions } from "./Instructions.tsx";
import { ModelChoice } from "./ModelChoice.tsx";
import { StreamingChoice } from "./StreamingChoice.tsx";

/** What the settings are shown with. */
export interface SettingsDialogProps {
  /** Whose settings they are. */
  conversations: Conversations;
  /** It has been closed; the focus is where it was before. */
  onClose: () => void;
  /** Settings of the page's own. */
  children?: JSX.Element;
}

/** How the person wants to be answered, over the page. It is there while it is open, and what is changed holds at once. */
export function SettingsDialog(props: SettingsDialogProps) {
  const texts = useTexts();
  const titleId = createUniqueId();
  let dialog!: HTMLDialogElement;
  onMount(() => dialog.showModal());

  /** What is around the dialog is not to take Esc too. */
  function onKeyDown(event: KeyboardEvent): void {
    if (event.key === "Escape") event.stopPropagation();
  }

  return (
    <dialog
      ref={dialog}
      class="oc-settings"
      aria-labelledby={titleId}
      onClose={() => props.onClose()}
      onKeyDown={onKeyDown}
      // All of its own area is its children's: what is pressed is beside it.
      onMouseDown={(event) => event.target === dialog && dialog.close()}
    >
      <div class="oc-settings-header">
        <h2 id={titleId}>{texts().settings.title}</h2>
        <button type="button" class="oc-button oc-button-quiet" aria-label={texts().settings.close} title={texts().settings.close} onClick={() => dialog.close()}>
          <CloseIcon />
        </button>
      </div>
      <div class="oc-settings-body">
        <ModelChoice conversations={props.conversations} />
        <Instructions conversations={props.conversations} />
        <StreamingChoice settings={props.conversations.settings} />
        {props.children}
        <p class="oc-settings-hint">{texts().settings.kept}</p>
      </div>
    </dialog>
  );
}
