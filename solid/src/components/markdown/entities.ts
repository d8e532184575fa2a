/** Named character references that turn up in prose; the rest stay as they were written. */
const NAMED: Record<string, string> = {
  amp: "&", lt: "<", gt: ">", quot: '"', apos: "'", nbsp: "\u00a0", shy: "\u00ad", copy: "©", reg: "®", trade: "™", hellip: "…", mdash: "—",
  ndash: "–", lsquo: "‘", rsquo: "’", ldquo: "“", rdquo: "”", laquo: "«", raquo: "»", bull: "•", middot: "·", deg: "°", plusmn: "±",
  times: "×", divide: "÷", ne: "≠", le: "≤", ge: "≥", asymp: "≈", infin: "∞", radic: "√", sum: "∑", prod: "∏", larr: "←", rarr: "→",
  uarr: "↑", darr: "↓", harr: "↔", rArr: "⇒", euro: "€", pound: "£", yen: "¥", cent: "¢", sect: "§", para: "¶", micro: "µ", alpha: "α",
  beta: "β", gamma: "γ", delta: "δ", epsilon: "ε", lambda: "λ", mu: "μ", pi: "π", sigma: "σ", tau: "τ", phi: "φ", omega: "ω",
  frac12: "½", frac14: "¼", frac34: "¾", sup2: "²", sup3: "³", ensp: "\u2002", emsp: "\u2003", thinsp: "\u2009", colon: ":", lbrace: "{",
  rbrace: "}", lbrack: "[", rbrack: "]", lpar: "(", rpar: ")", ast: "*", lowbar: "_", grave: "`", num: "#", vert: "|", bsol: "\\", sol: "/",
};

const REFERENCE = /&(?:#(\d{1,7})|#[xX]([0-9a-fA-F]{1,6})|([A-Za-z][A-Za-z0-9]{1,30}));/g;

/** The text with its character references replaced, as CommonMark 0.31 section 2.5 has it. */
export function decodeReferences(text: string): string {
  if (!text.includes("&")) return text;
  return text.replace(REFERENCE, (whole, decimal?: string, hex?: string, name?: string) => {
    if (name !== undefined) return Object.hasOwn(NAMED, name) ? (NAMED[name] ?? whole) : whole;
    const code = decimal !== undefined ? Number(decimal) : parseInt(hex ?? "", 16);
    const isScalar = code > 0 && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff);
    return isScalar ? String.fromCodePoint(code) : "\ufffd";
  });
}
