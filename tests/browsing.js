// What the tests ask a page in the browser. `kholo` holds one function for each question; each returns what is wrong.
(() => {
  const shown = (one) => {
    for (let at = one; at && at.nodeType === 1; at = at.parentElement) {
      const style = getComputedStyle(at);
      if (style.display === "none" || style.visibility === "hidden") return false;
    }
    return one.checkVisibility({contentVisibilityAuto: true});
  };
  const cut = (text) => text.trim().replace(/\s+/g, " ").slice(0, 60);
  // Regions that scroll by themselves may hold more than fits; what is put off the screen is for screen readers.
  const aside = (one) => one.closest(".scroll, .skip, svg") || (innerWidth < 705 && one.closest("table.stack thead"));

  const wide = () => {
    const out = [];
    const root = document.documentElement;
    if (root.scrollWidth > root.clientWidth) out.push(`the page is ${root.scrollWidth} wide`);
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node; (node = walker.nextNode()); ) {
      const holder = node.parentElement;
      if (!node.data.trim() || holder.closest("style, script") || aside(holder) || !shown(holder)) continue;
      const range = document.createRange();
      range.selectNodeContents(node);
      for (const box of range.getClientRects()) {
        if (box.left < -1 || box.right > root.clientWidth + 1) out.push(`outside: ${cut(node.data)}`);
      }
    }
    return out;
  };

  const charts = () => {
    const out = [];
    for (const svg of document.querySelectorAll("svg")) {
      if (!shown(svg)) continue;
      for (const shape of svg.querySelectorAll("rect, path, line, circle"))
        if (getComputedStyle(shape).display === "none") out.push(`a shape that is not drawn: ${shape.getAttribute("class")}`);
      const {x, y, width, height} = svg.viewBox.baseVal;
      const boxes = [];
      for (const text of svg.querySelectorAll("text")) {
        if (!text.textContent.trim() || !shown(text)) continue;
        const own = text.getBBox();
        // The box of a line is as high as the font says; letters stand around the baseline.
        const size = parseFloat(getComputedStyle(text).fontSize);
        const base = text.getStartPositionOfChar(0).y;
        own.y = base - 0.8 * size;
        own.height = 1.15 * size;
        const to = svg.getScreenCTM().inverse().multiply(text.getScreenCTM());
        const [a, b] = [new DOMPoint(own.x, own.y), new DOMPoint(own.x + own.width, own.y + own.height)];
        const [p, q] = [a.matrixTransform(to), b.matrixTransform(to)];
        const box = {text: cut(text.textContent), left: p.x, top: p.y, right: q.x, bottom: q.y};
        if (box.left < x - 0.5 || box.top < y - 0.5 || box.right > x + width + 0.5 || box.bottom > y + height + 0.5)
          out.push(`cut off in a picture: ${box.text}`);
        boxes.push(box);
      }
      for (const [number, one] of boxes.entries()) {
        for (const other of boxes.slice(number + 1)) {
          const over = Math.min(one.right, other.right) - Math.max(one.left, other.left);
          const deep = Math.min(one.bottom, other.bottom) - Math.max(one.top, other.top);
          if (over > 1 && deep > 2) out.push(`one over the other in a picture: ${one.text} | ${other.text}`);
        }
      }
    }
    return out;
  };

  const name = (one) => `${one.tagName} ${one.getAttribute("href") ?? ""} ${cut(one.textContent)}`;
  const controls = () =>
    [...document.querySelectorAll("a[href], summary, input, button, select, [tabindex='0']")]
      .filter((one) => !one.disabled && shown(one) && !one.matches("[tabindex='-1']"));

  let all = [];
  const listed = () => (all = controls()).map(name);
  // Where the focus is: its place among the controls as they were listed, and whether one can see it.
  const focus = () => {
    const one = document.activeElement;
    const style = getComputedStyle(one);
    const mark = one.querySelector?.(".mark");
    const seen = parseFloat(style.outlineWidth) > 1 && style.outlineStyle !== "none";
    const box = one.getBoundingClientRect();
    return {
      place: all.indexOf(one), name: name(one), seen: seen || Boolean(mark && one.closest("svg")),
      there: box.width > 0 && box.left >= -1 && box.right <= innerWidth + 1,
    };
  };

  // What the rules of axe find. Those that see colours take most of the time; with `scripted` they look only at what the
  // script of the site adds. All styles stand in the page: none are fetched.
  const COLOURS = ["color-contrast", "link-in-text-block"];
  const SCRIPTED = {include: [["p.filter"], ["p.tools"], ["div.zoom"]]};
  const ruled = async (where, options) => {
    const found = await axe.run(where, {resultTypes: ["violations"], preload: false, ...options});
    return found.violations.map((one) => `${one.id}: ${one.nodes.slice(0, 3).map((node) => node.html.slice(0, 160)).join(" | ")}`);
  };
  const colours = (scripted) => ruled(scripted ? SCRIPTED : document, {runOnly: {type: "rule", values: COLOURS}});
  const others = () => ruled(document, {rules: Object.fromEntries(COLOURS.map((name) => [name, {enabled: false}]))});
  // What is folded away is looked at, too.
  const unfold = () => document.querySelectorAll("details").forEach((one) => { one.open = true; });
  // All that a reader gets. Names that wait for a pointer are nothing to look at.
  const content = () => {
    const copy = document.body.cloneNode(true);
    copy.querySelectorAll(".tip").forEach((one) => one.remove());
    return copy.innerHTML;
  };
  const light = () => getComputedStyle(document.body).backgroundColor;
  window.kholo = {wide, charts, controls: listed, focus, colours, others, unfold, content, light};
})();
