import type { ToolInfo, ToolUse, Usage } from "@outcrop/client";
import { createContext, useContext } from "solid-js";

/** What the parts of an answer need of the panel around them. */
export interface Panel {
  /** What the proxy says of the tool that is called. */
  toolInfo(call: ToolUse): ToolInfo | undefined;
  /** Lets a call run that waits for approval, or not. */
  decide(toolUseId: string, approved: boolean): void;
  /** What prompt caching saved on a usage, in nano-dollars. */
  savedBy(model: string | undefined, usage: Usage): number | undefined;
  /** Whether the person is writing something. */
  isComposing(): boolean;
  /** Gives the focus to where the person writes. */
  focusComposer(): void;
}

const NO_PANEL: Panel = {
  toolInfo: () => undefined,
  decide: () => {},
  savedBy: () => undefined,
  isComposing: () => false,
  focusComposer: () => {},
};

export const PanelContext = createContext<Panel>(NO_PANEL);

export function usePanel(): Panel {
  return useContext(PanelContext);
}
