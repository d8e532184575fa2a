import { createSignal, type Accessor } from "solid-js";
import { admit, bytesIn, imageBudget, isImage, mediaTypeOf, type DraftFile, type FileProblem } from "./attachments.ts";
import { readFile } from "./read-file.ts";

/** The files that a person has attached to the message that is being written. */
export interface DraftFiles {
  /** Those that have been read. */
  readonly items: Accessor<readonly DraftFile[]>;
  /** How many are still being read. */
  readonly reading: Accessor<number>;
  /** Why the last ones were not taken. */
  readonly problems: Accessor<readonly FileProblem[]>;
  /** Reads files and adds them; resolves when all have been read. */
  add(files: readonly File[]): Promise<void>;
  remove(key: string): void;
  clear(): void;
}

/** No files yet. */
export function makeDraftFiles(options: { newKey: () => string }): DraftFiles {
  const [items, setItems] = createSignal<readonly DraftFile[]>([]);
  const [pending, setPending] = createSignal<readonly { name: string; mediaType: string; bytes: number }[]>([]);
  const [problems, setProblems] = createSignal<readonly FileProblem[]>([]);

  return {
    items,
    reading: () => pending().length,
    problems,
    async add(files) {
      const { admitted, problems: refused } = admit(files, [...items(), ...pending()]);
      setProblems(refused);
      const found = admitted.map((file) => ({ file, info: { name: file.name, mediaType: mediaTypeOf(file), bytes: file.size } }));
      const infos = found.map(({ info }) => info);
      const images = infos.filter(isImage).length;
      const others = bytesIn(items()) + bytesIn([...pending(), ...infos].filter((info) => !isImage(info)));
      const budget = imageBudget(images, others);
      setPending((before) => [...before, ...infos]);
      for (const { file, info } of found) {
        try {
          const read = await readFile(file, info.mediaType, budget);
          setItems((before) => [...before, { key: options.newKey(), ...read }]);
        } catch {
          setProblems((before) => [...before, { kind: "unreadable", name: file.name }]);
        } finally {
          setPending((before) => before.filter((other) => other !== info));
        }
      }
    },
    remove(key) {
      setItems((before) => before.filter((file) => file.key !== key));
      setProblems([]);
    },
    clear() {
      setItems([]);
      setProblems([]);
    },
  };
}
