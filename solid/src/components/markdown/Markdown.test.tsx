import { cleanup, render, waitFor } from "@solidjs/testing-library";
import { createSignal } from "solid-js";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { Markdown } from "./Markdown.tsx";

beforeEach(() => vi.useFakeTimers({ toFake: ["requestAnimationFrame", "cancelAnimationFrame", "performance", "setTimeout"] }));
afterEach(() => {
  cleanup();
  vi.useRealTimers();
});

/** The next frame is painted, and what held back frames is over. */
function frame(): void {
  vi.advanceTimersByTime(17);
}

function show(text: string, streaming = false): HTMLElement {
  return render(() => <Markdown text={text} streaming={streaming} />).container;
}

/** Everything in an element that could run, load or send something. */
function dangers(root: HTMLElement): string[] {
  const found: string[] = [];
  for (const element of root.querySelectorAll("*")) {
    const tag = element.tagName.toLowerCase();
    if (/^(script|iframe|object|embed|img|video|audio|source|link|meta|base|form|style|math|template|noscript)$/.test(tag)) found.push(tag);
    if (tag === "svg" && element.closest(".oc-copy") === null) found.push(tag);
    for (const { name, value } of element.attributes) {
      if (name.startsWith("on") || name === "src" || name === "srcset" || name === "srcdoc" || name === "style") found.push(`${tag} ${name}`);
      if (name === "href" && !/^(https?:\/\/|mailto:)/.test(value)) found.push(`${tag} ${name}=${value}`);
    }
  }
  return found;
}

const NASTY: [string, string][] = [
  ["a script", "<script>alert(1)</script>"],
  ["a script in a paragraph", "Hello <script>alert(1)</script> you"],
  ["a script that is never closed", "text\n\n<script>alert(1)"],
  ["an image with a handler", "<img src=x onerror=alert(1)>"],
  ["an svg with a handler", "<svg/onload=alert(1)>"],
  ["a frame", "<iframe src='https://evil.example' srcdoc='<script>1</script>'></iframe>"],
  ["html around markdown", "<div onclick='alert(1)'>\n\n**bold** <b onmouseover=alert(1)>x</b>\n\n</div>"],
  ["html in a table", "| a |\n|---|\n| <img src=x onerror=alert(1)> |"],
  ["html in a list", "- <iframe src=javascript:alert(1)>\n- [x] <script>1</script>"],
  ["html in a heading", "# <script>alert(1)</script>"],
  ["html in a link's text", "[<img src=x onerror=alert(1)>](https://example.com)"],
  ["a javascript link", "[x](javascript:alert(1))"],
  ["a javascript link in capitals", "[x](JaVaScRiPt:alert(1))"],
  ["a javascript link with a line break", "[x](java\nscript:alert(1))"],
  ["a javascript link with a tab", "[x](java&#9;script:alert(1))"],
  ["a javascript link in references", "[x](javascript&colon;alert(1)) [y](&#106;avascript:alert(1)) [z](&#x6A;avascript&#58;alert(1))"],
  ["a javascript autolink", "<javascript:alert(1)>"],
  ["a javascript link by reference", "[x][y]\n\n[y]: javascript:alert(1)"],
  ["a vbscript link", "[x](vbscript:msgbox(1))"],
  ["a data link", "[x](data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==)"],
  ["a file link", "[x](file:///etc/passwd)"],
  ["a blob link", "[x](blob:https://example.com/1)"],
  ["a relative link", "[x](/logout) [y](//evil.example/x) [z](#top)"],
  ["an address with a handler in it", '[x](https://example.com/"onmouseover="alert(1))'],
  ["a title with a handler in it", "[x](https://example.com '\" onmouseover=\"alert(1)')"],
  ["a data image", "![x](data:image/svg+xml;base64,PHN2ZyBvbmxvYWQ9ImFsZXJ0KDEpIi8+)"],
  ["a remote image", "![secret](https://evil.example/?q=secret)"],
  ["a remote image by reference", "![x][y]\n\n[y]: https://evil.example/p.png"],
  ["an image in a link", "[![x](https://evil.example/p.png)](https://example.com)"],
  ["a language with markup in it", "```\"><script>alert(1)</script>\ncode\n```"],
  ["html in code", "```html\n<script>alert(1)</script>\n```\n\n`<img src=x onerror=alert(1)>`"],
  ["a comment that hides markup", "<!-- --><script>alert(1)</script><!-- -->"],
  ["a broken table", "| a | b |\n|---|---|\n| <script>alert(1)</script"],
  ["half a tag", "text <img src=x onerror="],
  ["a style", "<style>body{background:url(https://evil.example)}</style>"],
  ["a base", "<base href='https://evil.example/'>"],
];

describe("nothing in a text becomes active", () => {
  it.each(NASTY)("%s", (_, text) => {
    const root = show(text);
    expect(dangers(root)).toEqual([]);
    expect(root.textContent).not.toBe("");
  });

  it.each(NASTY)("%s, at every point of the stream", (_, text) => {
    const [shown, setShown] = createSignal("");
    const { container } = render(() => <Markdown text={shown()} streaming />);
    for (let end = 1; end <= text.length; end += 1) {
      setShown(text.slice(0, end));
      frame();
      expect(dangers(container), text.slice(0, end)).toEqual([]);
    }
  });

  it("html is shown as it was written, but for a line break", () => {
    expect(show("| a |\n|---|\n| one<br>two <BR/> three |").querySelectorAll("td br")).toHaveLength(2);
    expect(show("Hello <b>you</b>").textContent).toBe("Hello <b>you</b>");
    expect(show("<script>alert(1)</script>").textContent).toContain("<script>alert(1)</script>");
  });
});

describe("links", () => {
  it("open elsewhere and tell nothing of this page", () => {
    const link = show("[docs](https://example.com/a?b=c&d=e)").querySelector("a");
    expect(link?.getAttribute("href")).toBe("https://example.com/a?b=c&d=e");
    expect(link?.getAttribute("rel")).toBe("noopener noreferrer");
    expect(link?.getAttribute("target")).toBe("_blank");
  });

  it.each([["https://example.com"], ["<https://example.com>"], ["mail <me@example.com>"], ["www.example.com"]])("are found in %s", (text) => {
    expect(show(text).querySelectorAll("a")).toHaveLength(1);
  });

  it("stand for images, with their text", () => {
    const root = show("![a *chart*](https://example.com/c.png)");
    expect(root.querySelector("img")).toBeNull();
    expect(root.querySelector("a")?.getAttribute("href")).toBe("https://example.com/c.png");
    expect(root.querySelector("a")?.textContent).toContain("chart");
  });
});

describe("blocks", () => {
  it("become their elements", () => {
    const root = show("## A\n\n1. one\n2. two\n\n- [x] done\n\n> q\n\n---\n\n| h | n |\n|:-:|--:|\n| *a* | 1 |\n\n~~gone~~ line  \nbreak &amp; &lt;b&gt; &copy; &#x1F600; &nosuch;");
    expect(root.querySelector("h3")?.textContent).toBe("A");
    expect(root.querySelectorAll("ol > li")).toHaveLength(2);
    expect(root.querySelector<HTMLInputElement>("input[type=checkbox]")).toMatchObject({ checked: true, disabled: true });
    expect(root.querySelector("blockquote p")?.textContent).toBe("q");
    expect(root.querySelector("hr")).not.toBeNull();
    expect(root.querySelector("td em")?.textContent).toBe("a");
    expect([...root.querySelectorAll("th")].map((cell) => cell.dataset["align"])).toEqual(["center", "right"]);
    expect(root.querySelector("del")?.textContent).toBe("gone");
    expect(root.textContent).toContain("break & <b> © 😀 &nosuch;");
  });

  it("of headings begin at the third level, wherever the author began", () => {
    const levels = (text: string) => [...show(text).querySelectorAll("h1,h2,h3,h4,h5,h6")].map((heading) => heading.tagName);
    expect(levels("## A\n\n### B\n\n## C\n\n# D")).toEqual(["H3", "H4", "H3", "H3"]);
    expect(levels("# A\n\n###### B")).toEqual(["H3", "H6"]);
  });

  it("keep the number that an ordered list starts with", () => {
    expect(show("5. five\n6. six").querySelector("ol")?.start).toBe(5);
  });

  it("of code have their language, their text and a copy button", async () => {
    const write = vi.fn(() => Promise.resolve());
    vi.stubGlobal("navigator", { ...navigator, clipboard: { writeText: write } });
    const root = show("```rust\nfn main() {}\n```");
    expect(root.querySelector("figcaption")?.textContent).toContain("rust");
    root.querySelector<HTMLButtonElement>(".oc-copy")?.click();
    await waitFor(() => expect(root.querySelector(".oc-copy-notice")?.textContent).toBe("Copied"));
    expect(write).toHaveBeenCalledWith("fn main() {}");
    vi.unstubAllGlobals();
  });

  it("of code are coloured once they are whole, with the same text", async () => {
    const root = show("```rust\nfn main() {}\n```");
    await waitFor(() => expect(root.querySelector('[data-kind="kwd"]')?.textContent).toBe("fn"));
    expect(root.querySelector("code")?.textContent).toBe("fn main() {}");
  });

  it("nested without end stay within the page's stack", () => {
    const root = show(`${"> ".repeat(200)}deep`);
    expect(root.querySelectorAll("blockquote").length).toBeLessThan(30);
    expect(root.textContent).toContain("deep");
  });
});

describe("a stream", () => {
  it("shows no marks of bold text and code that have only begun", () => {
    const text = "Plain **bold text** and `a code` here.\n\n- **The subject** is `x`\n- two **bold** in **one** line\n\n> **q**";
    for (let end = 1; end <= text.length; end += 1) expect(show(text.slice(0, end), true).textContent).not.toMatch(/[*`]/);
    expect(show("Some **bo", true).querySelector("strong")?.textContent).toBe("bo");
    expect(show("Some `co", true).querySelector("code")?.textContent).toBe("co");
  });

  it("leaves marks alone that are none", () => {
    expect(show("2 ** 3 is 8 and 2 * 4 too", true).textContent).toBe("2 ** 3 is 8 and 2 * 4 too");
    expect(show("```\na **b", true).querySelector("code")?.textContent).toContain("a **b");
  });

  it.each(["Text", "# Head", "- a\n- b", "- a\n  - b", "1. a\n\n   b", "> quote", "Text\n\n```rust\nfn"])("of %j has one caret, after its last character", (text) => {
    const carets = show(text, true).querySelectorAll(".oc-caret");
    expect(carets).toHaveLength(1);
    const range = document.createRange();
    range.setStartAfter(carets[0] as Element);
    range.setEndAfter(carets[0]?.closest(".oc-markdown")?.lastChild as Node);
    expect(range.toString().trim()).toBe("");
    expect(show(text).querySelectorAll(".oc-caret")).toHaveLength(0);
  });

  it("leaves the elements of finished blocks alone and changes the text of the last in place", () => {
    const [text, setText] = createSignal("# One\n\nTwo\n\n- thr");
    const { container } = render(() => <Markdown text={text()} streaming />);
    const heading = container.querySelector("h3");
    const item = container.querySelector("li");
    const node = item?.firstChild;
    setText("# One\n\nTwo\n\n- three");
    frame();
    expect(container.querySelector("h3")).toBe(heading);
    expect(container.querySelector("li")).toBe(item);
    expect(container.querySelector("li")?.firstChild).toBe(node);
    expect(item?.textContent).toBe("three");
  });

  it("is shown frame by frame, and at once when it is whole", () => {
    const [text, setText] = createSignal("a");
    const [streaming, setStreaming] = createSignal(true);
    const { container } = render(() => <Markdown text={text()} streaming={streaming()} />);
    for (const now of ["ab", "abc", "abcd"]) setText(now);
    expect(container.textContent).toBe("a");
    frame();
    expect(container.textContent).toBe("abcd");
    setText("abcde");
    setStreaming(false);
    expect(container.textContent).toBe("abcde");
  });

  it("that takes long to show is shown more seldom", () => {
    const [text, setText] = createSignal("a");
    const { container } = render(() => <Markdown text={text()} streaming />);
    const work = vi.spyOn(performance, "now");
    setText("ab");
    vi.advanceTimersToNextFrame();
    const now = performance.now();
    // Showing it took until then.
    work.mockReturnValueOnce(now + 100);
    vi.advanceTimersByTime(0);
    setText("abc");
    vi.advanceTimersByTime(200);
    expect(container.textContent).toBe("ab");
    vi.advanceTimersByTime(300);
    expect(container.textContent).toBe("abc");
  });

  it("changes only what changes in its last block", () => {
    const ITEMS = "- one **bold**\n- two `code`\n\n  more\n- three";
    const [text, setText] = createSignal(ITEMS);
    const { container } = render(() => <Markdown text={text()} streaming />);
    const before = [...container.querySelectorAll("li, strong, code, p")];
    setText(`${ITEMS} and\n- four`);
    frame();
    expect([...container.querySelectorAll("li, strong, code, p")].slice(0, before.length - 1)).toEqual(before.slice(0, -1));
    expect(container.querySelectorAll("li")).toHaveLength(4);
  });

  it("has the code of finished blocks coloured once", async () => {
    const [text, setText] = createSignal("```rust\nfn main() {}\n```\n\nOn");
    const { container } = render(() => <Markdown text={text()} streaming />);
    await waitFor(() => expect(container.querySelector("[data-kind]")).not.toBeNull());
    const coloured = container.querySelector("[data-kind]");
    setText(`${text()} and on\n\nmore`);
    frame();
    await waitFor(() => expect(container.querySelectorAll("p")).toHaveLength(2));
    expect(container.querySelector("[data-kind]")).toBe(coloured);
  });
});
