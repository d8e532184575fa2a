/** Whether a key press is Ctrl or Cmd with this key and nothing else. */
export function matchesHotkey(event: KeyboardEvent, key: string): boolean {
  if (event.defaultPrevented || event.isComposing || event.shiftKey || event.altKey) return false;
  return event.ctrlKey !== event.metaKey && event.key.toLowerCase() === key.toLowerCase();
}

/** The hotkey as people of this platform write it: `⌘K`, or with the words for the Control key. */
export function hotkeyLabel(key: string, withControl: (key: string) => string, platform: string = globalThis.navigator?.platform ?? ""): string {
  return /mac|iphone|ipad/i.test(platform) ? `⌘${key.toUpperCase()}` : withControl(key.toUpperCase());
}
