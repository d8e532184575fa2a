import type { ToolInfo, ToolUse, Usage } from "@outcrop/client";
import { createContext, useContext } from "solid-js";
import type { Question } from "../../chat/state.ts";

/** What the parts of an answer need of the panel around them. */
export interface Panel {
  /** What the proxy says of the tool that is called. */
  toolInfo(call: ToolUse): ToolInfo | undefined;
  /** Lets a call run that waits for approval, or not. */
  decide(toolUseId: string, approved: boolean): void;
  /** What prompt caching saved on a usage, in nano-dollars. */
  savedBy(model: string | undefined, usage: Usage): number | undefined;
  /** Whether something that was said can give way to something else now. */
  canReplace(): boolean;
  /** Asks for the last answer again. */
  regenerate(): void;
  /** Lets a question be changed where the person writes. */
  edit(question: Question): void;
  /** Whether the person is writing something. */
  isComposing(): boolean;
  /** Gives the focus to where the person writes. */
  focusComposer(): void;
}

const NO_PANEL: Panel = {
  toolInfo: () => undefined,
  decide: () => {},
  savedBy: () => undefined,
  canReplace: () => false,
  regenerate: () => {},
  edit: () => {},
  isComposing: () => false,
  focusComposer: () => {},
};

export const PanelContext = createContext<Panel>(NO_PANEL);

export function usePanel(): Panel {
  return useContext(PanelContext);
}
