import { useTexts } from "../../texts/TextsProvider.tsx";
import { GearIcon } from "../common/icons.tsx";

/** Opens the settings, which are a {@link SettingsDialog}. */
export function SettingsButton(props: { onOpen: () => void }) {
  const texts = useTexts();
  return (
    <button
      type="button"
      class="oc-button oc-button-quiet"
      aria-haspopup="dialog"
      aria-label={texts().settings.title}
      title={texts().settings.title}
      onClick={(event) => {
        // Not every browser focuses a button that is pressed, and the focus comes back here.
        event.currentTarget.focus();
        props.onOpen();
      }}
    >
      <GearIcon />
    </button>
  );
}
