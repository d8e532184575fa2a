import { createSignal, type Accessor } from "solid-js";
import type { DraftFile } from "./attachments.ts";
import { makeDraftFiles, type DraftFiles } from "./draft-files.ts";
import type { Question } from "./state.ts";

/** What a person is writing: it stays while the conversation is out of sight. */
export interface Draft {
  /** Its text. */
  readonly text: Accessor<string>;
  /** Puts another text in its place. */
  setText(text: string): void;
  /** The files that go with it. */
  readonly files: DraftFiles;
  /** The key of the question that is being changed, if one is. */
  readonly editing: Accessor<string | undefined>;
  /** Whether what was changed is being sent: until then nothing can be written. */
  readonly isSending: Accessor<boolean>;
  /** Says whether it is. */
  setSending(sending: boolean): void;
  /** Changes a question: its text takes the place of the draft, which comes back after that. Not while files are being read. */
  edit(question: Question): void;
  /** Leaves the question as it is. */
  cancelEdit(): void;
  /** All of it has been sent. */
  sent(): void;
}

/** Where the text is kept over a reload. */
export interface KeptText {
  /** What is kept, or nothing. */
  get(): string;
  /** Keeps this in its place. */
  set(text: string): void;
}

export function makeDraft(options: { newKey: () => string; kept?: KeptText | undefined }): Draft {
  const { newKey, kept } = options;
  const [text, showText] = createSignal(kept?.get() ?? "");
  const [edited, setEdited] = createSignal<{ key: string; aside: { text: string; files: readonly DraftFile[] } }>();
  const [isSending, setSending] = createSignal(false);
  const files = makeDraftFiles({ newKey });

  /** What was put aside comes back. */
  function endEdit(): void {
    const { aside } = edited() ?? {};
    setEdited(undefined);
    showText(aside?.text ?? "");
    files.set(aside?.files ?? []);
  }

  function setText(written: string): void {
    showText(written);
    if (edited() === undefined) kept?.set(written);
  }

  return {
    text,
    setText,
    files,
    editing: () => edited()?.key,
    isSending,
    setSending: (sending) => void setSending(sending),
    edit(question) {
      if (files.reading() > 0) return;
      const aside = edited()?.aside ?? { text: text(), files: files.items() };
      setEdited({ key: question.key, aside });
      showText(question.text);
      files.set((question.files ?? []).filter((file) => file.data !== undefined).map((file) => ({ key: newKey(), ...file })));
    },
    cancelEdit: () => edited() !== undefined && endEdit(),
    sent() {
      if (edited() !== undefined) return endEdit();
      setText("");
      files.clear();
    },
  };
}
