"use strict";
// Many rows of one kind at once, with marks and one action for the marked ones.
(() => {
  const { h, name, visible, count, action, thumb, percent } = fixfirst;
  const AT_ONCE = 24;

  function grid(found, app) {
    const tiles = found.rows.map((row, place) => tile(row, place, app));
    const pair = app.query;
    const given = pair.given === "" ? null : pair.given ?? "any";
    const title = pair.suggested ? question({ given, suggested: pair.suggested }) : "all kinds";
    const open = found.rows.filter((row) => row.state === "open" || app.marked.has(row.row)).length;
    return [
      h("section", { class: "panel wide", "aria-label": "rows of one kind" },
        h("h2", { class: "question" }, title, h("span", { class: "quiet" }, ` · ${count(found.total)} open`)),
        tiles.length
          ? h("ul", { class: "tiles" }, tiles)
          : h("p", { class: "quiet empty" }, "Nothing open of this kind. Choose another one at the right, or press ",
            h("kbd", {}, "v"), " for one by one."),
        bar(app, open, found)),
      app.side(),
    ];
  }

  // What is asked about a row, or about a kind.
  function question({ given, suggested }) {
    if (given === suggested) return [name(given), " looks right"];
    return [given === null ? "no label" : name(given, "given"), " → ", name(suggested, "suggested")];
  }

  function tile(row, place, app) {
    const looks = row.given === row.suggested ? "right" : `like ${visible(row.suggested)}`;
    const said = `${visible(row.id)}: labelled ${row.given === null ? "nothing" : visible(row.given)}, looks ${looks} `
      + `(${percent(row.probability)})`;
    const done = row.state === "open" ? null : h("span", { class: "mark done" }, ...(fixfirst.SAID[row.state](row)));
    return h("li", {}, h("button", {
      type: "button",
      class: `tile choice ${row.state}`,
      "aria-pressed": String(app.marked.has(row.row)),
      "aria-label": said,
      title: said,
      "data-place": place,
      disabled: row.state !== "open",
      onclick: () => app.mark(row.row),
      onfocus: () => app.focus(place),
    }, thumb(row, ""), h("span", { class: "caption" }, app.query.suggested ? null : question(row), done)));
  }

  function bar(app, open, found) {
    const marked = app.marked.size;
    const none = marked === 0;
    const single = app.query.suggested;
    const more = Math.min(AT_ONCE, Math.max(found.total - found.rows.length, 0));
    return h("div", { class: "actions sticky", role: "group", "aria-label": "decide for the marked rows" },
      h("span", { class: "quiet", role: "status" }, `${marked} of ${open} marked`),
      action("a", marked === open && open ? "mark none" : "mark all", () => app.markAll(), { disabled: !open }),
      action("enter", single ? ["all marked are ", name(single)] : "take suggestions", () => app.takeMarked(),
        { class: "first", disabled: none }),
      action("k", "keep", () => app.decide("keep"), { disabled: none }),
      action("c", "another", () => app.another(), { disabled: none, "aria-haspopup": "dialog" }),
      action("d", "drop", () => app.decide("drop"), { disabled: none }),
      action("u", "unsure", () => app.decide("unsure"), { disabled: none }),
      action("z", "undo", () => app.undo(), { disabled: !app.state.can_undo }),
      more || app.skipping() ? action("n", more ? `next ${more}` : "from the start", () => app.nextTiles()) : null);
  }

  Object.assign(fixfirst, { grid, AT_ONCE });
})();
