export const common = {
  copied: "Copied",
  copyRefused: "The browser refused",
  untitled: "Untitled",
  /** What stands in one line. */
  list: (parts: readonly string[]) => parts.join(", "),
};
