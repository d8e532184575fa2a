import { createContext, createMemo, useContext, type Accessor, type JSX } from "solid-js";
import { makeFormats, type Formats } from "../format/formats.ts";
import { english, type Texts } from "./english.ts";
import { merged, type PartialOf } from "./merge.ts";

/** Some of the texts, in the place of the English ones. */
export type PartialTexts = PartialOf<Texts>;

export interface Words {
  /** What is not given stays as it is outside of this provider: English, at first. */
  texts?: PartialTexts | undefined;
  /**
   * A BCP 47 tag, as `de-CH`, by whose rules numbers and dates are written. Default: that of the provider around this one; without any,
   * numbers are written as in `en-US`, and dates as the browser is set.
   */
  locale?: string | undefined;
}

let ofEnglish: Formats | undefined;

const WordsContext = createContext<{ texts: Accessor<Texts>; locale: Accessor<string | undefined>; formats: Accessor<Formats> }>({
  texts: () => english,
  locale: () => undefined,
  formats: () => (ofEnglish ??= makeFormats()),
});

/** Gives the components inside of it their texts and their locale. Both may change at any time. */
export function TextsProvider(props: Words & { children: JSX.Element }) {
  const outer = useContext(WordsContext);
  const texts = createMemo(() => (props.texts === undefined ? outer.texts() : merged(outer.texts(), props.texts)));
  const locale = () => props.locale ?? outer.locale();
  const formats = createMemo(() => (props.texts === undefined && props.locale === undefined ? outer.formats() : makeFormats(locale(), texts())));
  return <WordsContext.Provider value={{ texts, locale, formats }}>{props.children}</WordsContext.Provider>;
}

/** The texts that hold where it is called. */
export function useTexts(): Accessor<Texts> {
  return useContext(WordsContext).texts;
}

/** How figures are written where it is called. */
export function useFormats(): Accessor<Formats> {
  return useContext(WordsContext).formats;
}
