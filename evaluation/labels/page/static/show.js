"use strict";
// One row as a person sees it: a picture, a text, or its most telling columns.
(() => {
  const { h, name, visible, counted, backend } = fixfirst;

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

  // Beside the row's values stand those that are typical for the rows near it of either class.
  function columns(row, main) {
    const [{ suggested, given }] = row.columns;
    const sides = [suggested === null ? null : "suggested", given === null ? null : "given"].filter(Boolean);
    const cell = (column, value) => h("td", { class: column.decimals === null ? null : "figure" }, name(value));
    const table = h("table", { class: "columns" },
      h("caption", {}, ordered(row, sides)),
      h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "column"), h("th", { scope: "col" }, "this row"),
        sides.map((side) => h("th", { scope: "col" }, "nearest ", name(row[side], side))))),
      h("tbody", {}, row.columns.map((column) => h("tr", {},
        h("th", { scope: "row" }, name(column.name)), cell(column, column.value),
        sides.map((side) => cell(column, column[side]))))));
    const inside = h("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "columns" }, table);
    return main ? inside : h("details", {}, h("summary", {}, "columns"), inside);
  }

  // Which columns are shown, and in which order.
  function ordered(row, sides) {
    const shown = row.columns.length;
    const some = shown < row.width ? `${shown} of ${row.width} columns` : counted(shown, "column");
    if (!sides.length) return `${some}, in the order of the file`;
    if (sides.length === 1) return [`${some}; first those that differ most from the nearest `, name(row.suggested)];
    return [`${some}; first those that best tell `, name(row.suggested), " from ", name(row.given)];
  }

  Object.assign(fixfirst, { thumb, content });
})();
