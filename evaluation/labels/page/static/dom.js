"use strict";
// Small helpers. Texts from data only ever become text nodes and attributes, never markup.
const fixfirst = { start: JSON.parse(document.getElementById("start").textContent) };

(() => {
  const SVG = new Set(["svg", "path", "line", "text", "circle", "g"]);

  function h(tag, attributes = {}, ...children) {
    const node = SVG.has(tag)
      ? document.createElementNS("http://www.w3.org/2000/svg", tag)
      : document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (value === null || value === undefined || value === false) continue;
      if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
      else node.setAttribute(name, value === true ? "" : String(value));
    }
    node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
    return node;
  }

  // A name from the data: isolated, so that right-to-left marks in it cannot reorder the page.
  function name(text, kind = "") {
    return h("bdi", { class: `name ${kind}`.trim() }, visible(text));
  }

  // Control characters and marks that reorder text, spelled out.
  function visible(text) {
    return text.replace(/[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g, (one) =>
      `\\u${one.codePointAt(0).toString(16).padStart(4, "0")}`,
    );
  }

  const percent = (share) => {
    if (share === null || share === undefined) return "–";
    const rounded = Math.round(100 * share);
    if (rounded === 100 && share < 1) return ">99%";
    if (rounded === 0 && share > 0) return "<1%";
    return `${rounded}%`;
  };

  const count = (number) => Math.round(number).toLocaleString("en");
  const counted = (number, noun) => `${count(number)} ${noun}${Math.round(number) === 1 ? "" : "s"}`;

  function ordinal(number) {
    const tens = number % 100;
    const ending = tens >= 11 && tens <= 13 ? "th" : { 1: "st", 2: "nd", 3: "rd" }[number % 10] || "th";
    return `${number.toLocaleString("en")}${ending}`;
  }

  const key = (text) => h("kbd", {}, text);

  // A button that shows its key.
  function action(shortcut, content, onclick, more = {}) {
    const { class: kind = "", ...rest } = more;
    return h("button", { type: "button", class: `action ${kind}`.trim(), onclick, ...rest },
      shortcut ? key(shortcut) : null, h("span", {}, content));
  }

  Object.assign(fixfirst, { h, name, visible, percent, count, counted, ordinal, key, action });
})();
