"use strict";
// One row as a person sees it: a picture, a text, or its most telling columns.
(() => {
  const { h, name, visible, backend } = fixfirst;

  function picture(shown, size, label) {
    const source = backend.picture(shown, size);
    if (!source) return null;
    const image = h("img", { src: source, alt: label ?? `row ${shown.id}`, decoding: "async", draggable: "false" });
    image.addEventListener("error", () => {
      image.replaceWith(h("p", { class: "broken" }, "This picture cannot be shown."));
    });
    return image;
  }

  const SHORT = 160;

  // A small view of a row, for neighbours and tiles.
  function thumb(shown, label) {
    const image = picture(shown, "small", label);
    if (image) return image;
    const said = shown.snippet ?? shown.id;
    const short = said.length > SHORT ? `${said.slice(0, SHORT)}…` : said;
    return h("span", { class: "snippet", dir: "auto" }, visible(short));
  }

  function content(row) {
    const parts = [];
    if (row.picture) parts.push(h("div", { class: "frame" }, picture(row, "large", `row ${visible(row.id)}`)));
    if (row.text !== null) {
      parts.push(h("div", { class: "text", dir: "auto", tabindex: "0" }, visible(row.text)));
    }
    if (row.columns.length) parts.push(columns(row, !row.picture && row.text === null));
    if (!parts.length) parts.push(h("p", { class: "quiet" }, "This row has nothing to look at but its numbers."));
    return parts;
  }

  function columns(row, main) {
    const compared = row.columns.some((column) => column.suggested !== null);
    const table = h("table", { class: "columns" },
      h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "column"), h("th", { scope: "col" }, "this row"),
        compared ? [h("th", { scope: "col" }, "nearest ", name(row.suggested, "suggested")),
          h("th", { scope: "col" }, "nearest ", row.given === null ? "" : name(row.given, "given"))] : null)),
      h("tbody", {}, row.columns.map((column) => h("tr", {},
        h("th", { scope: "row" }, name(column.name)), h("td", {}, name(column.value)),
        compared ? [h("td", {}, name(column.suggested ?? "")), h("td", {}, name(column.given ?? ""))] : null))));
    const inside = h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "columns" }, table);
    return main ? inside : h("details", {}, h("summary", {}, "columns"), inside);
  }

  Object.assign(fixfirst, { thumb, content });
})();
