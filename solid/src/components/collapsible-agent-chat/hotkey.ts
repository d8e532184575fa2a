/** Whether a key press is Ctrl or Cmd with this key and nothing else. */
export function matchesHotkey(event: KeyboardEvent, key: string): boolean {
  if (event.defaultPrevented || event.isComposing || event.shiftKey || event.altKey) return false;
  return event.ctrlKey !== event.metaKey && event.key.toLowerCase() === key.toLowerCase();
}

/** The hotkey as people of this platform write it: `⌘K` or `Ctrl K`. */
export function hotkeyLabel(key: string, platform: string = globalThis.navigator?.platform ?? ""): string {
  return /mac|iphone|ipad/i.test(platform) ? `⌘${key.toUpperCase()}` : `Ctrl ${key.toUpperCase()}`;
}
