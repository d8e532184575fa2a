import { describe, expect, it } from "vitest";
import { MemoryStorage } from "../test/fake-client.ts";
import { forgetSettings, makeSettings } from "./settings.ts";
import { pageStorage } from "./storage.ts";

function kept(text?: string) {
  const memory = new MemoryStorage();
  if (text !== undefined) memory.setItem("outcrop.settings", text);
  const storage = pageStorage(memory);
  const read = () => {
    const settings = makeSettings(storage);
    return [settings.model(), settings.systemPrompt(), settings.streaming()];
  };
  return { storage, settings: makeSettings(storage), read };
}

describe("settings", () => {
  it("are there again when the page is loaded anew", () => {
    const { settings, read } = kept();
    expect(read()).toEqual([undefined, "", true]);
    settings.setModel("opus");
    settings.setSystemPrompt("Be brief.");
    settings.setStreaming(false);
    expect([settings.model(), settings.systemPrompt(), settings.streaming()]).toEqual(["opus", "Be brief.", false]);
    expect(read()).toEqual(["opus", "Be brief.", false]);
    settings.setModel(undefined);
    expect(read()).toEqual([undefined, "Be brief.", false]);
  });

  it.each<[string, unknown[]]>([
    ['{"model":', [undefined, "", true]],
    ["[]", [undefined, "", true]],
    ["null", [undefined, "", true]],
    ['{"model":7,"systemPrompt":["x"],"streaming":"no"}', [undefined, "", true]],
    ['{"model":"","systemPrompt":"Be brief.","streaming":false}', [undefined, "Be brief.", false]],
    [JSON.stringify({ model: "x".repeat(2_049), systemPrompt: "x".repeat(200_001) }), [undefined, "", true]],
  ])("that make no sense are as they are at first: %.60s", (text, expected) => {
    expect(kept(text).read()).toEqual(expected);
  });

  it("hold for the page where nothing can be kept", () => {
    const settings = makeSettings(pageStorage(null));
    settings.setSystemPrompt("Be brief.");
    expect(settings.systemPrompt()).toBe("Be brief.");
  });

  it("are forgotten", () => {
    const { settings, storage, read } = kept();
    settings.setSystemPrompt("I am Ann.");
    forgetSettings(storage);
    expect(read()).toEqual([undefined, "", true]);
  });
});

it("what another tab has changed stays", () => {
  const storage = pageStorage(new MemoryStorage());
  const [one, other] = [makeSettings(storage), makeSettings(storage)];
  one.setSystemPrompt("Answer briefly.");
  other.setStreaming(false);
  expect(makeSettings(storage).systemPrompt()).toBe("Answer briefly.");
});
