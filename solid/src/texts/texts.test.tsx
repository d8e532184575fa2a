import { cleanup, render, screen } from "@solidjs/testing-library";
import { createSignal } from "solid-js";
import { afterEach, describe, expect, it } from "vitest";
import { makeChat } from "../chat/chat.ts";
import { ChatPanel } from "../components/chat-panel/ChatPanel.tsx";
import { FileChip } from "../components/chat-panel/FileChip.tsx";
import { makeFormats } from "../format/formats.ts";
import { budget, counter, FakeClient, FakeClock, usageSum } from "../test/fake-client.ts";
import { english } from "./english.ts";
import { merged } from "./merge.ts";
import { plurals } from "./plurals.ts";
import { TextsProvider, useTexts, type PartialTexts } from "./TextsProvider.tsx";

afterEach(cleanup);

const GERMAN: PartialTexts = {
  composer: { label: "Nachricht", send: "Senden", tooLong: plurals("de", { one: "# Zeichen zu viel.", other: "# Zeichen zu viel." }) },
  gauge: { lastAnswer: "Letzte Antwort", conversation: "Unterhaltung" },
  usage: { tokens: plurals("de", { one: "# Token", other: "# Tokens" }), plusUnpriced: (cost, answers) => `${cost} + ${answers} ohne Preis` },
  budgets: { left: (left, limit) => `noch ${left} von ${limit}`, renews: (when) => `erneuert sich ${when}` },
  files: { removeFile: (name) => `${name} entfernen` },
  empty: { suggestions: ["Was ist ein Fjord?"] },
};

const plain = (text: string) => text.replace(/\s/g, " ");

it("numbers, sizes and prices are written as in the locale", () => {
  const formats = makeFormats("de", merged(english, GERMAN));
  const { formatBytes, formatCost, formatCount, formatDuration, formatExactCost, formatPrice, leftWords, sumCost } = formats;
  expect([formatCost(0), formatCost(1), formatCost(2_400_000), formatCost(1_234_567_890_000), formatPrice(250_000_000), formatExactCost(1)].map(plain)).toEqual([
    "0 $", "<0,0001 $", "0,0024 $", "1.234,57 $", "0,25 $", "0,000000001 $",
  ]);
  expect([formatCount(9_999), formatDuration(1_449), formatBytes(1_500_000)].map(plain)).toEqual(["9.999", "1,4 s", "1,4 MB"]);
  expect([leftWords(budget(1_260_000_000)), sumCost(usageSum(2, { unpricedCalls: 1 }))].map(plain)).toEqual(["noch 3,74 $ von 5,00 $", "0,0048 $ + 1 ohne Preis"]);
});

it("a plural has the form of its language", () => {
  const files = plurals("pl", { one: "# plik", few: "# pliki", other: "# plików" });
  const { countOf } = makeFormats("pl");
  expect([1, 2, 5, 22, 1.5].map((count) => files(countOf(count)))).toEqual(["1 plik", "2 pliki", "5 plików", "22 pliki", "1,5 plików"]);
});

describe("some of the texts", () => {
  it("take the place of the English ones, and the others stay", () => {
    const texts = merged(english, GERMAN);
    expect([texts.composer.send, texts.composer.stop, texts.empty.suggestions]).toEqual(["Senden", "Stop", ["Was ist ein Fjord?"]]);
    expect(english.composer.send).toBe("Send");
  });

  it("that are undefined, or that there are none of, change nothing", () => {
    const wild = JSON.parse('{"composer":{"nothing":"x"},"__proto__":{"polluted":"x"}}') as PartialTexts;
    expect(merged(english, wild)).toEqual(english);
    expect(merged(english, { composer: { send: undefined } } as never)).toEqual(english);
    expect("polluted" in {}).toBe(false);
  });

  it("are known to the compiler", () => {
    const wrong: PartialTexts[] = [
      // @ts-expect-error There is no such text.
      { composer: { sendd: "Senden" } },
      // @ts-expect-error A function tells the count.
      { usage: { tokens: "Tokens" } },
      // @ts-expect-error A cost is text by then.
      { usage: { inAll: (cost: number) => `${cost}` } },
      // @ts-expect-error There is no such error.
      { errors: { unheard_of: "?" } },
    ];
    expect(wrong).toHaveLength(4);
  });
});

describe("the provider", () => {
  it("gives components their texts and locale, which may change", async () => {
    const client = new FakeClient();
    const chat = makeChat({ client, clock: new FakeClock().read, newKey: counter("k") });
    const [words, setWords] = createSignal<{ texts?: PartialTexts; locale?: string }>({});
    const { container } = render(() => <ChatPanel chat={chat} {...words()} />);
    const box = screen.getByRole("textbox", { name: "Message" });
    chat.send("Hello");
    await client.lastStream.done("Hi", { usage: { ...usageSum(1).usage, totalTokens: 1_234 } });
    const gauge = () => [...container.querySelectorAll(".oc-gauge-item")].map((item) => plain([...item.children].map((part) => part.textContent).join(" ")));
    expect(gauge()).toEqual(["Last answer 1,234 tokens $0.0024", "Conversation 1,234 tokens $0.0024"]);
    setWords({ texts: GERMAN, locale: "de" });
    expect(gauge()).toEqual(["Letzte Antwort 1.234 Tokens 0,0024 $", "Unterhaltung 1.234 Tokens 0,0024 $"]);
    expect(screen.getByRole("textbox", { name: "Nachricht" })).toBe(box);
  });

  it("inside another one changes only what it is given", () => {
    const Both = () => <p>{`${useTexts()().composer.send}, ${useTexts()().composer.label}`}</p>;
    render(() => (
      <TextsProvider texts={GERMAN} locale="de">
        <TextsProvider texts={{ composer: { send: "Los" } }}>
          <Both />
          <FileChip file={{ name: "a.pdf", mediaType: "application/pdf", bytes: 1_500_000 }} onRemove={() => {}} />
        </TextsProvider>
      </TextsProvider>
    ));
    expect(screen.getByText("Los, Nachricht")).toBeTruthy();
    expect(screen.getByText("1,4 MB")).toBeTruthy();
    expect(screen.getByRole("button", { name: "a.pdf entfernen" })).toBeTruthy();
  });
});
