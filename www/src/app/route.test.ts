import { expect, it } from "vitest";
import { routeOf, sessionAddress } from "./route.ts";

it.each([
  ["", { page: "overview" }],
  ["#/", { page: "overview" }],
  ["#/nonsense", { page: "overview" }],
  ["#/chat", { page: "chat" }],
  ["#/chat/ses_1-a", { page: "chat", sessionId: "ses_1-a" }],
  ["#/chat/no id", { page: "overview" }],
  ["#/usage", { page: "usage" }],
])("%j is %j", (hash, route) => expect(routeOf(hash)).toEqual(route));

it("a conversation's address leads to it", () => {
  expect(routeOf(sessionAddress("ses_1"))).toEqual({ page: "chat", sessionId: "ses_1" });
});
