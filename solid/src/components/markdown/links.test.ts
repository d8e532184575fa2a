import { expect, it } from "vitest";
import { safeHref } from "./links.ts";

it.each([
  ["https://example.com/a b", "https://example.com/a%20b"],
  ["HTTP://EXAMPLE.COM", "http://example.com/"],
  ["mailto:me@example.com", "mailto:me@example.com"],
  ["\tjavascript:alert(1)", undefined],
  ["java\nscript:alert(1)", undefined],
  ["\u0001javascript:alert(1)", undefined],
  ["data:text/html,x", undefined],
  ["//example.com", undefined],
  ["/path", undefined],
  ["example.com", undefined],
  ["https://", undefined],
  ["", undefined],
])("the address %j may be followed as %j", (href, expected) => expect(safeHref(href)).toBe(expected));
