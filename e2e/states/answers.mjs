// What the model says in the states that are looked at.

export const MARKDOWN = `## Rivers and canals

A river finds its own way; a **canal** is dug. Both carry *freight*, and both need \`water\`.

| | River | Canal |
|---|---|---|
| Course | its own | planned |
| Width | 5 to 3,000 m | 8 to 60 m |
| Built by | rain and time | people with spades |

1. Measure the flow.
2. Compare it with the year before:
   - in spring, when the snow melts
   - in autumn

> A river cuts through rock not by its power but by its persistence.

\`\`\`rust
/// How much water passes, in cubic metres a second.
fn flow(width: f64, depth: f64, speed: f64) -> f64 {
    let area = width * depth; // of the section
    area * speed
}
\`\`\`

See [the atlas](https://example.com/atlas) for the rest.
`;

export const LONG = `${MARKDOWN}
### Where they meet

A canal that meets a river has a lock, and a lock has two gates. Boats wait between them until the water is level.
`;

export const THOUGHTS = "The question is about money, so the figures have to be exact. I should look them up and not guess.";

export const SHORT = "A river carries about **1,200 tonnes** of silt a day past this bridge, most of it in spring.";

export const CODE = `Here it is:

\`\`\`ts
export function level(metres: number): "low" | "high" {
  return metres < 2.5 ? "low" : "high";
}
\`\`\`
`;
