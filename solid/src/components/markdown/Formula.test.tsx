import { cleanup, render, waitFor } from "@solidjs/testing-library";
import { afterEach, expect, it } from "vitest";
import { Markdown } from "./Markdown.tsx";
import { toMathMl } from "./mathml.ts";

afterEach(cleanup);

const sourceOf = (element: Element | null) => element?.querySelector(".oc-math-source")?.textContent;

it("a formula is MathML once what makes it is loaded, with its source beside it", async () => {
  const { container } = render(() => <Markdown text={"Let $x^2$ be.\n\n\\[\ny\n\\]"} />);
  const [inline, block] = container.querySelectorAll(".oc-math");
  expect(sourceOf(inline ?? null)).toBe("$x^2$");
  await waitFor(() => expect(inline?.querySelector("math msup")?.textContent).toBe("x2"));
  expect(inline?.hasAttribute("data-shown")).toBe(true);
  expect(inline?.closest("p")).not.toBeNull();
  expect(block?.querySelector("math")?.getAttribute("display")).toBe("block");
  expect(sourceOf(block ?? null)).toBe("\\[\ny\n\\]");
});

it.each(["$\\nosuch{x}$", "$\\frac{1}$"])("%s, which is no TeX, stays as it was written", async (source) => {
  const { container } = render(() => <Markdown text={`$x$ ${source}`} />);
  await waitFor(() => expect(container.querySelectorAll("math")).toHaveLength(1));
  const broken = container.querySelectorAll(".oc-math")[1];
  expect(broken?.textContent).toBe(source);
  expect(broken?.hasAttribute("data-shown")).toBe(false);
});

it("the source of a formula on lines of its own is seen while it is written", () => {
  const { container } = render(() => <Markdown text={"So:\n\n$$\n\\frac{a}{"} streaming />);
  expect(sourceOf(container)).toBe("$$\n\\frac{a}{");
  expect(container.querySelector("math")).toBeNull();
  expect(container.querySelectorAll(".oc-caret")).toHaveLength(1);
});

it.each([
  "\\href{javascript:alert(1)}{x}", "\\url{https://evil.example}", "\\includegraphics{https://evil.example/x.png}", "\\class{oc-jump}{x}", "\\id{x}{y}",
  "\\style{position:fixed}{x}", "\\data{a=b}{x}", "\\htmlStyle{color:red}{x}", "\\def\\a{\\a\\a}\\a", `\\def\\a{${"x".repeat(400)}}${"\\a".repeat(400)}`,
  "{".repeat(5_000), "\\sqrt{".repeat(500) + "x" + "}".repeat(500),
])("%s makes nothing of the kind", (tex) => expect(toMathMl(tex, true)).toBeUndefined());

it("nothing in a formula is larger than a few lines", () => {
  const rule = toMathMl("\\rule{9999em}{9999em}\\hspace{9999pt}", false);
  for (const { value } of [...(rule?.querySelectorAll("*") ?? [])].flatMap((element) => [...element.attributes])) expect(Number.parseFloat(value) || 0).toBeLessThanOrEqual(240);
});

it("no formula has an attribute that a content security policy forbids", () => {
  for (const tex of ["\\sideset{_a^b}{_c^d}\\sum", "\\mathbf{1}\\textbf{a}", "\\begin{pmatrix}1&2\\\\3&4\\end{pmatrix}", "\\cancel{x}\\color{red}y"]) {
    for (const element of toMathMl(tex, true)?.querySelectorAll("*") ?? []) {
      for (const { name } of element.attributes) expect(name).not.toMatch(/^on|href|src/);
    }
  }
});
