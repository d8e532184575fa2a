/** A random id of 128 bits in hex: a session id that the proxy accepts. Works outside secure contexts too. */
export function randomId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Milliseconds since the epoch, never running backwards while the page lives. */
export function pageClock(): number {
  return performance.timeOrigin + performance.now();
}
