/** A number that a text tells: its value, by which a plural is chosen, and in a template (`${amount}`) as people of the locale write it. */
export interface Amount {
  readonly value: number;
  toString(): string;
}
