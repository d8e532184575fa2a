import temml from "temml";

/** Limits of one formula: longer, larger or deeper ones are shown as they were written. */
const MAX_EXPANSIONS = 500;
const MAX_ELEMENTS = 3_000;
const MAX_NESTING = 60;
/** Of what has a size of its own, in em and in points. */
const MAX_SIZE: [number, number] = [20, 240];

const MATHML = "http://www.w3.org/1998/Math/MathML";

const ELEMENTS = new Set(
  ("math menclose mfrac mi mmultiscripts mn mo mover mpadded mphantom mprescripts mroot mrow ms mspace msqrt mstyle msub msubsup msup mtable " +
    "mtd mtext mtr munder munderover").split(" "),
);

const ATTRIBUTES = new Set(
  ("accent accentunder columnspan depth display displaystyle fence form height largeop linethickness lspace mathbackground mathcolor " +
    "mathvariant maxsize minsize movablelimits notation rowspan rspace scriptlevel separator stretchy symmetric voffset width").split(" "),
);

/** Properties that say how a formula looks within its own bounds. */
const STYLE = /^(border(-[a-z]+)*|color|background-color|display|font-(size|style|weight)|height|line-height|margin(-[a-z]+)*|math-(depth|style)|padding(-[a-z]+)*|text-align|vertical-align|white-space|width)$/;

/** What the library makes of a formula: a tree of elements, fragments and texts. */
interface Made {
  readonly type?: string;
  readonly text?: string;
  readonly attributes?: Readonly<Record<string, string>>;
  readonly style?: Readonly<Record<string, string | number>>;
  readonly classes?: readonly string[];
  readonly children?: readonly Made[];
}

/** A formula as MathML, or undefined where it is no TeX that can be shown. Of the library's result only what is listed above is taken. */
export function toMathMl(tex: string, display: boolean): Element | undefined {
  try {
    const tree = temml.__renderToMathMLTree(tex, { displayMode: display, throwOnError: true, trust: false, strict: false, maxSize: MAX_SIZE, maxExpand: MAX_EXPANSIONS });
    let left = MAX_ELEMENTS;
    const made = build(tree as Made, MAX_NESTING, () => (left -= 1) > 0);
    return made instanceof Element ? made : undefined;
  } catch {
    return undefined;
  }
}

function build(node: Made, depth: number, spend: () => boolean): Node {
  if (node.text !== undefined) return document.createTextNode(node.text);
  if (depth === 0 || !spend()) throw new RangeError("the formula is too large");
  const element = elementOf(node);
  element.append(...(node.children ?? []).map((child) => build(child, depth - 1, spend)));
  return element;
}

function elementOf({ type, attributes = {}, style = {}, classes = [] }: Made): Element | DocumentFragment {
  if (type === undefined && classes.length === 0) return document.createDocumentFragment();
  if (type !== undefined && !ELEMENTS.has(type)) throw new TypeError(`a formula has no ${type}`);
  const element = type === undefined ? document.createElement("span") : (document.createElementNS(MATHML, type) as MathMLElement);
  for (const [name, value] of Object.entries(attributes)) {
    if (ATTRIBUTES.has(name)) element.setAttribute(name, value);
  }
  const names = classes.filter((name) => name !== "");
  if (names.length > 0) element.setAttribute("class", names.join(" "));
  // Styles that are set one by one need no leave of a content security policy. Where a DOM has none for MathML, a formula is plain.
  const styles: CSSStyleDeclaration | undefined = element.style;
  for (const [name, value] of [...Object.entries(style), ...declarations(attributes["style"])]) {
    const property = name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
    if (STYLE.test(property)) styles?.setProperty(property, String(value));
  }
  return element;
}

function declarations(text = ""): [string, string][] {
  return text.split(";").flatMap((part) => {
    const [name = "", value] = part.split(":");
    return value === undefined ? [] : [[name.trim(), value.trim()]];
  });
}
