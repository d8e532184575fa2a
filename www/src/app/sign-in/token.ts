import { forgetConversations, pageStorage, sessionStorageIfAny } from "@outcrop/solid";

const KEY = "outcrop.token";

/** The claims of a JSON Web Token that are of the token and not of the person. */
const OF_THE_TOKEN = ["exp", "iat", "nbf", "jti"];

/** The token that this tab was given; it is forgotten with the tab. */
export function storedToken(): string | undefined {
  return pageStorage(sessionStorageIfAny()).get(KEY) || undefined;
}

/** Keeps a token over page loads. What the tab remembers of another person than the token's is forgotten. */
export function storeToken(token: string): void {
  const before = storedToken();
  if (before !== undefined && personOf(before) !== personOf(token)) forgetConversations();
  pageStorage(sessionStorageIfAny()).set(KEY, token);
}

/** Forgets the token and all that the tab remembers of its person. */
export function forgetToken(): void {
  forgetConversations();
  pageStorage(sessionStorageIfAny()).set(KEY, "");
}

/** Whose token it is, as text that is the same for two tokens of one person. Nothing is verified: the proxy does that. */
export function personOf(token: string): string {
  const claims = Object.entries(claimsOf(token));
  if (claims.length === 0) return token;
  return JSON.stringify(claims.filter(([name]) => !OF_THE_TOKEN.includes(name)).sort(([one], [other]) => (one < other ? -1 : 1)));
}

/** Whether the token counts no more by the page's clock, in milliseconds since the epoch. */
export function hasExpired(token: string, now: number): boolean {
  const { exp } = claimsOf(token);
  return typeof exp === "number" && exp * 1_000 <= now;
}

function claimsOf(token: string): Record<string, unknown> {
  try {
    const bytes = Uint8Array.from(atob((token.split(".")[1] ?? "").replace(/-/g, "+").replace(/_/g, "/")), (char) => char.charCodeAt(0));
    return Object(JSON.parse(new TextDecoder().decode(bytes))) as Record<string, unknown>;
  } catch {
    return {};
  }
}
