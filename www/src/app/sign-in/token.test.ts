import { beforeEach, describe, expect, it } from "vitest";
import { forgetToken, hasExpired, personOf, storedToken, storeToken } from "./token.ts";

/** A token with these claims, as a proxy would refuse it: nobody signed it. */
function token(claims: object): string {
  const part = (value: object) => btoa(String.fromCharCode(...new TextEncoder().encode(JSON.stringify(value)))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  return `${part({ alg: "HS256" })}.${part(claims)}.signature`;
}

const ANN = { sub: "ann", org: "acme", roles: ["outcrop-operator"] };

beforeEach(() => sessionStorage.clear());

describe("a token", () => {
  it("is of the same person as one that differs in its times, its id and the order of its claims", () => {
    const first = token({ iat: 1, exp: 2, jti: "a", ...ANN });
    expect(personOf(token({ ...ANN, nbf: 3, exp: 4, jti: "b" }))).toBe(personOf(first));
    expect(personOf(token({ ...ANN, sub: "bob" }))).not.toBe(personOf(first));
    expect(personOf(token({ ...ANN, org: "other" }))).not.toBe(personOf(first));
    expect(personOf(token({ sub: "Zoë" }))).toContain("Zoë");
  });

  it("is of nobody else where it cannot be read", () => {
    for (const text of ["", "opaque", "a.b.c", "a.%%.c"]) expect(personOf(text)).toBe(text);
  });

  it("has expired when its time is up, if it has one", () => {
    expect([1_999, 2_000].map((now) => hasExpired(token({ ...ANN, exp: 2 }), now))).toEqual([false, true]);
    for (const endless of [token(ANN), token({ exp: "2" }), "opaque"]) expect(hasExpired(endless, Number.MAX_VALUE)).toBe(false);
  });

  it("keeps what the tab remembers of its person, and of no other", () => {
    storeToken(token({ ...ANN, exp: 1 }));
    sessionStorage.setItem("outcrop.session", "s1");
    sessionStorage.setItem("outcrop.outbox", "[1]");
    storeToken(token({ ...ANN, exp: 2 }));
    expect(sessionStorage.getItem("outcrop.session")).toBe("s1");
    storeToken(token({ ...ANN, sub: "bob", exp: 2 }));
    expect(sessionStorage.getItem("outcrop.session")).toBe("");
    expect(sessionStorage.getItem("outcrop.outbox")).toBe("[]");
  });

  it("is forgotten with all that was its person's", () => {
    storeToken(token(ANN));
    sessionStorage.setItem("outcrop.session", "s1");
    localStorage.setItem("outcrop.settings", '{"systemPrompt":"I am Ann."}');
    forgetToken();
    expect(storedToken()).toBeUndefined();
    expect(sessionStorage.getItem("outcrop.session")).toBe("");
    expect(localStorage.getItem("outcrop.settings")).toBe("");
  });
});
