// Adds to pages that are whole without it: search and filters, names on charts that can be tapped, zoom.
// No request, nothing stored, no text of its own: what it says stands in the attributes of its element.
"use strict";
(() => {
  const words = document.currentScript.dataset;
  const FEW = 8, MOST_ZOOM = 6;
  const LETTERS = { "ي": "ی", "ى": "ی", "ك": "ک", "ه": "ہ", "ە": "ہ", "ة": "ہ", "ۃ": "ہ", "ھ": "ہ", "ء": "", "ـ": "" };

  // One spelling of all that a reader takes for the same: no case, no marks, no joiners, one kind of digits.
  const plain = (text) => text.normalize("NFKD").replace(/[\p{M}\p{Cf}]/gu, "").toLowerCase()
    .replace(/[يىكهەةۃھءـ]/g, (char) => LETTERS[char])
    .replace(/[٠-٩۰-۹]/g, (char) => String(char.charCodeAt(0) & 15))
    .replace(/[^\p{L}\p{N}]+/gu, " ").trim();

  const made = (name, attributes, text) => {
    const element = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    if (text) element.textContent = text;
    return element;
  };

  // A field that hides the rows without its words. `done` hears how many are left.
  const field = (rows, name, done) => {
    const texts = rows.map((row) => plain(`${row.textContent} ${row.dataset.also || ""}`));
    const box = made("p", { class: "filter" });
    const label = made("label", {}, `${name} `);
    const input = made("input", { type: "search", autocomplete: "off", spellcheck: "false", dir: "auto", maxlength: "200" });
    const said = made("span", { role: "status" });
    const apply = () => {
      const asked = plain(input.value).split(" ");
      let left = 0;
      rows.forEach((row, number) => {
        row.hidden = !asked.every((word) => texts[number].includes(word));
        left += !row.hidden;
      });
      said.textContent = input.value ? words.found.replace("#", digits(left)) : "";
      done(left);
    };
    input.addEventListener("input", apply);
    label.append(input);
    box.append(label, " ", said);
    return { box, input, apply };
  };

  const digits = (number) => String(number).replace(/[0-9]/g, (char) => [...words.digits][char]);

  const searched = () => {
    const place = document.getElementById("search");
    if (!place) return;
    const main = document.getElementById("main");
    const lists = [...main.querySelectorAll("ul.list")];
    const index = main.querySelector("nav.toc");
    const { box, input, apply } = field([...main.querySelectorAll("ul.list > li")], words.search, () => {
      for (const list of lists) {
        list.hidden = [...list.children].every((row) => row.hidden);
        list.previousElementSibling.hidden = list.hidden;
      }
      if (index) index.hidden = input.value !== "";
    });
    place.append(box);
    const asked = new URLSearchParams(location.search).get("q");
    if (asked) {
      input.value = asked;
      apply();
    }
  };

  const filtered = () => {
    if (document.getElementById("search")) return;
    for (const table of document.querySelectorAll("main table")) {
      const rows = [...table.querySelectorAll("tbody > tr")];
      if (rows.length > FEW) (table.closest(".scroll") || table).before(field(rows, words.filter, () => {}).box);
    }
    for (const list of document.querySelectorAll("main > ul.list")) {
      const rows = [...list.children];
      if (rows.length > FEW) list.before(field(rows, words.filter, () => {}).box);
    }
  };

  // What browsers show only under a resting mouse is shown for the keyboard and for a tap, too.
  const named = () => {
    const tip = made("div", { class: "tip", "aria-hidden": "true", hidden: "" });
    document.body.append(tip);
    const title = (node) => {
      for (let one = node; one instanceof SVGElement && one.localName !== "svg"; one = one.parentNode) {
        const found = [...one.children].find((child) => child.localName === "title");
        if (found) return found.textContent;
      }
      return "";
    };
    const hide = () => { tip.hidden = true; };
    const show = (node, x, y) => {
      const text = title(node);
      tip.hidden = !text;
      if (!text) return;
      tip.textContent = text;
      const width = document.documentElement.clientWidth;
      tip.style.left = `${Math.max(4, Math.min(x + 12, width - tip.offsetWidth - 4))}px`;
      tip.style.top = `${y + 16 + tip.offsetHeight > innerHeight ? Math.max(4, y - tip.offsetHeight - 8) : y + 16}px`;
    };
    document.addEventListener("pointerdown", (event) => show(event.target, event.clientX, event.clientY));
    document.addEventListener("focusin", (event) => {
      const at = event.target.getBoundingClientRect();
      show(event.target, at.left, at.bottom - 12);
    });
    document.addEventListener("pointermove", (event) => {
      if (event.pointerType === "mouse") show(event.target, event.clientX, event.clientY);
    });
    document.addEventListener("keydown", (event) => { if (event.key === "Escape") hide(); });
    document.addEventListener("scroll", hide, { passive: true, capture: true });
  };

  // The picture grows inside of a frame that scrolls; letters grow with it.
  const zoomed = () => {
    let number = 0;
    for (const figure of document.querySelectorAll("main figure")) {
      const pictures = [...figure.querySelectorAll(":scope > svg")];
      if (!pictures.length) continue;
      const title = pictures[0].querySelector("title")?.textContent ?? "";
      const name = `${words.zoom} ${(number += 1)}: ${title}`;
      const frame = made("div", { class: "scroll zoom", tabindex: "0", role: "region", "aria-label": name });
      const tools = made("p", { class: "tools" });
      let scale = 1;
      pictures[0].before(tools, frame);
      frame.append(...pictures);
      const to = (wanted, x) => {
        const at = (frame.scrollLeft + x) / scale;
        scale = Math.max(1, Math.min(MOST_ZOOM, wanted));
        for (const picture of pictures) picture.style.width = `${100 * scale}%`;
        frame.scrollLeft = at * scale - x;
      };
      const middle = () => frame.clientWidth / 2;
      const steps = { "+": () => to(scale * 1.5, middle()), "−": () => to(scale / 1.5, middle()), "0": () => to(1, 0) };
      [["+", words.more], ["−", words.less], ["0", words.whole]].forEach(([sign, name]) => {
        const button = made("button", { type: "button", "aria-label": name, title: name }, sign === "0" ? "⤢" : sign);
        button.addEventListener("click", steps[sign]);
        tools.append(button);
      });
      frame.addEventListener("keydown", (event) => {
        const step = { "=": steps["+"], "-": steps["−"] }[event.key] || steps[event.key];
        if (!step || event.ctrlKey || event.metaKey || event.altKey) return;
        event.preventDefault();
        step();
      });
      frame.addEventListener("wheel", (event) => {
        if (!event.ctrlKey) return;
        event.preventDefault();
        to(scale * (event.deltaY < 0 ? 1.2 : 1 / 1.2), event.clientX - frame.getBoundingClientRect().left);
      }, { passive: false });
    }
  };

  // A font of some 90 kB: without asking only on a line that is known to be fast and not paid by the byte.
  const lettered = () => {
    const line = navigator.connection;
    const fast = line && !line.saveData && line.effectiveType === "4g" && line.downlink >= 5;
    if (fast && !matchMedia("(prefers-reduced-data: reduce)").matches) document.body.classList.add("nastaliq");
  };

  searched();
  filtered();
  named();
  zoomed();
  if (document.body.id === "nastaliq") lettered();
})();
