import { createSignal, Show, type JSX } from "solid-js";
import { useTexts } from "../../texts/TextsProvider.tsx";
import { PaperclipIcon } from "../common/icons.tsx";

/** Takes files that are dropped on what is in it, and says so while they are over it. */
export function DropZone(props: { onFiles: (files: File[]) => void; children: JSX.Element }) {
  const texts = useTexts();
  const [isOver, setOver] = createSignal(false);

  function over(event: DragEvent): void {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = "copy";
    setOver(true);
  }

  function leave(event: DragEvent & { currentTarget: HTMLElement }): void {
    const to = event.relatedTarget;
    if (!(to instanceof Node && event.currentTarget.contains(to))) setOver(false);
  }

  function drop(event: DragEvent): void {
    setOver(false);
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    props.onFiles([...event.dataTransfer.files]);
  }

  return (
    <div class="oc-drop" onDragEnter={over} onDragOver={over} onDragLeave={leave} onDrop={drop}>
      {props.children}
      <Show when={isOver()}>
        <div class="oc-drop-words" aria-hidden="true"><p><PaperclipIcon /> {texts().files.drop}</p></div>
      </Show>
    </div>
  );
}
