export type { Amount } from "./amount.ts";
export { english, type Texts } from "./english.ts";
export { plurals, type PluralForms } from "./plurals.ts";
export { TextsProvider, useFormats, useTexts, type PartialTexts, type Words } from "./TextsProvider.tsx";
