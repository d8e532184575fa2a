// What is wrong with where things stand on a page, and with what they are told by.

/** That the page scrolls sideways, controls that stick out of it or that something else lies over, and boxes too low for a line. */
export function misplaced(page) {
  return page.evaluate(() => {
    const root = document.documentElement;
    const found = [];
    const nameOf = (element) => `${element.localName}.${[...element.classList].join(".")} “${(element.getAttribute("aria-label") ?? element.textContent).trim().slice(0, 40)}”`;
    const sideways = root.scrollWidth - root.clientWidth;
    if (sideways > 0) found.push(`the page scrolls sideways by ${sideways} px`);

    /** The part of an element that its scrolling ancestors and the window let through. */
    function shown(element) {
      let { left, top, right, bottom } = element.getBoundingClientRect();
      const cut = (box) => ([left, top, right, bottom] = [Math.max(left, box.left), Math.max(top, box.top), Math.min(right, box.right), Math.min(bottom, box.bottom)]);
      cut({ left: 0, top: 0, right: root.clientWidth, bottom: root.clientHeight });
      for (let above = element.parentElement; above !== null; above = above.parentElement) {
        if (getComputedStyle(above).overflow !== "visible") cut(above.getBoundingClientRect());
      }
      return { x: (left + right) / 2, y: (top + bottom) / 2, isEmpty: right - left < 2 || bottom - top < 2 };
    }

    /** Whether one can scroll to what lies beside it. */
    function isInScroller(element) {
      for (let above = element.parentElement; above !== null; above = above.parentElement) {
        if (/auto|scroll/.test(getComputedStyle(above).overflowX) && above.scrollWidth > above.clientWidth) return true;
      }
      return false;
    }

    /** What is meant to lie over other things. */
    const OVERLAYS = ".oc-window, .oc-launcher, .oc-settings, .oc-export-menu, .oc-agent-side, .oc-agent-veil, .app-bar";
    for (const control of document.querySelectorAll("a, button, input, select, textarea, summary")) {
      const { x, y, isEmpty } = shown(control);
      if (isEmpty || !control.checkVisibility({ opacityProperty: true, visibilityProperty: true }) || control.closest("[aria-hidden=true]")) continue;
      const { left, right } = control.getBoundingClientRect();
      if ((left < -1 || right > root.clientWidth + 1) && !isInScroller(control)) found.push(`${nameOf(control)} sticks out of the page`);
      const { paddingTop, paddingBottom, lineHeight } = getComputedStyle(control);
      const room = control.clientHeight - parseFloat(paddingTop) - parseFloat(paddingBottom);
      if (control.localName === "textarea" && room < parseFloat(lineHeight) - 1) found.push(`${nameOf(control)} is too low for a line`);
      const top = document.elementFromPoint(x, y);
      if (top === null || control.contains(top) || top.contains(control) || top.closest("label")?.contains(control)) continue;
      if (top.closest(OVERLAYS)?.contains(control) === false) continue;
      found.push(`${nameOf(control)} lies under ${nameOf(top)}`);
    }
    return found;
  });
}

/** Surfaces that say something without a word or a line: in the person's own colours each has to differ from what is behind it. */
const PAINTED = ".oc-connection-dot, .oc-budget-bar, .oc-budget-bar > span, .oc-unread, .oc-layers > span";

/** What of that cannot be seen. */
export function unseen(page) {
  return page.evaluate((painted) => {
    const isClear = (colour) => colour === "transparent" || /, 0\)$/.test(colour);
    const behind = (element) => {
      let above = element.parentElement;
      while (above !== null && isClear(getComputedStyle(above).backgroundColor)) above = above.parentElement;
      return getComputedStyle(above ?? document.documentElement).backgroundColor;
    };
    const isLost = (element) => {
      const { backgroundColor, borderTopStyle, outlineStyle } = getComputedStyle(element);
      return borderTopStyle === "none" && outlineStyle === "none" && (isClear(backgroundColor) || backgroundColor === behind(element));
    };
    const seen = [...document.querySelectorAll(painted)].filter((element) => element.checkVisibility() && element.getBoundingClientRect().width > 0);
    return [...new Set(seen.filter(isLost).map((element) => element.className || `${element.parentElement.className} > ${element.localName}`))];
  }, PAINTED);
}
