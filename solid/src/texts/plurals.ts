import type { Amount } from "./amount.ts";

/** The forms that a language has; `#` is where the number stands. `other` does for those that are not given. */
export type PluralForms = { readonly other: string } & { readonly [form in Exclude<Intl.LDMLPluralRule, "other">]?: string };

/**
 * A text that depends on a number, by the plural rules of a language:
 *
 * ```ts
 * plurals("pl", { one: "# plik", few: "# pliki", other: "# plików" })
 * ```
 */
export function plurals(locale: string, forms: PluralForms): (count: Amount) => string {
  return (count) => (forms[rulesOf(locale).select(count.value)] ?? forms.other).replace("#", () => `${count}`);
}

const known = new Map<string, Intl.PluralRules>();

function rulesOf(locale: string): Intl.PluralRules {
  const rules = known.get(locale) ?? new Intl.PluralRules(locale);
  known.set(locale, rules);
  return rules;
}
