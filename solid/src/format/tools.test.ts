import { describe, expect, it } from "vitest";
import type { ToolUse } from "@outcrop/client";
import { argumentHint, beginning, prettyResult, toolState, visible } from "./tools.ts";

describe("a call in a line", () => {
  it.each<[unknown, string]>([
    [{ city: "Oslo" }, "Oslo"],
    [{ city: "Oslo", days: 3, hourly: false }, "city: Oslo, days: 3, hourly: false"],
    [{ query: { deep: 1 }, limit: 5 }, "limit: 5"],
    [{ text: "one\n two" }, "one two"],
    [{ text: "\u202eevil" }, "\\u202eevil"],
    [{}, ""], [[1], ""], ["x", ""], [null, ""],
    [{ text: "x".repeat(200) }, `${"x".repeat(79)}…`],
  ])("says what %j is about", (input, hint) => {
    expect(argumentHint(input)).toBe(hint);
  });

  it("says how far it is, and what became of it where its answer is over", () => {
    const call = (status: ToolUse["status"]): ToolUse => ({ toolUseId: "t", name: "x", input: {}, status });
    expect(toolState(call("running"), false)).toEqual({ status: "running", name: "running" });
    expect(toolState(call("running"), true)).toEqual({ status: "unknown_outcome", name: "unknown_outcome" });
    expect(toolState(call("pending_approval"), true)).toEqual({ status: "denied", name: "not_called" });
    expect(toolState(call("denied"), true)).toEqual({ status: "denied", name: "denied" });
    expect(toolState(call("succeeded"), true)).toEqual({ status: "succeeded", name: "succeeded" });
  });
});

describe("a result", () => {
  it("is laid out where it is JSON, and stays as it is where not", () => {
    expect(prettyResult('[{"a":1}]')).toBe('[\n  {\n    "a": 1\n  }\n]');
    expect(prettyResult('{"a":1, "b')).toBe('{"a":1, "b');
    expect(prettyResult("12")).toBe("12");
  });

  it("begins with so many lines or characters", () => {
    expect(beginning("a\nb\nc", 2, 100)).toBe("a\nb");
    expect(beginning("a\nb\n", 2, 100)).toBeUndefined();
    expect(beginning("a\nb", 3, 100)).toBeUndefined();
    expect(beginning("x".repeat(50), 2, 20)).toBe("x".repeat(20));
  });
});

it("nothing in a text is hidden but its blanks and lines", () => {
  expect(visible("a\nb\tc\u200b\u2028\u0007")).toBe("a\nb\tc\\u200b\\u2028\\u0007");
  expect(visible("Grüße 🙂 你好 مرحبا")).toBe("Grüße 🙂 你好 مرحبا");
});
