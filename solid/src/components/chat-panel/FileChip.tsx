import { Show } from "solid-js";
import type { SentFile } from "../../chat/attachments.ts";
import { useFormats, useTexts } from "../../texts/TextsProvider.tsx";
import { CloseIcon, FileIcon } from "../common/icons.tsx";

/** A file by its picture, where the page has one, its name and its size, and a way to take it away. */
export function FileChip(props: { file: SentFile; onRemove?: () => void }) {
  const texts = useTexts();
  const formats = useFormats();
  return (
    <span class="oc-file" title={texts().files.title(props.file.name, props.file.mediaType)}>
      <Show when={props.file.thumbnail} fallback={<FileIcon />}>{(url) => <img src={url()} alt="" width="40" height="40" />}</Show>
      <span class="oc-file-words">
        <span class="oc-file-name"><bdi>{props.file.name}</bdi></span>
        <span class="oc-muted">{formats().formatBytes(props.file.bytes)}</span>
      </span>
      <Show when={props.onRemove}>
        {(remove) => (
          <button type="button" class="oc-button oc-button-quiet oc-file-remove" aria-label={texts().files.removeFile(props.file.name)} title={texts().files.remove} onClick={() => remove()()}>
            <CloseIcon />
          </button>
        )}
      </Show>
    </span>
  );
}
