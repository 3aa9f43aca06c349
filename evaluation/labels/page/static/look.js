"use strict";
// One row at a time: what it is, why it is doubted, and what can be decided.
(() => {
  const { h, name, visible, percent, ordinal, key, action, content, thumb } = fixfirst;

  const SAID = {
    open: null,
    fixed: (row) => ["label is now ", name(row.label, "suggested")],
    kept: () => ["kept as it is"],
    dropped: () => ["dropped"],
    unsure: () => ["unsure"],
    disagreement: () => ["reviewers disagree"],
  };

  function look(row, app) {
    return [
      h("section", { class: "panel row", "aria-label": "the row" },
        h("div", { class: "content" }, content(row)),
        question(row),
        votes(row),
        meta(row, app),
        decided(row),
        actions(row, app)),
      h("section", { class: "panel reasons", "aria-label": "the reasons" }, reasons(row, app)),
      app.side(),
    ];
  }

  function question(row) {
    const same = row.given === row.suggested;
    return h("h2", { class: "question" },
      row.given === null ? "no label" : ["labelled ", name(row.given, same ? "suggested" : "given")],
      " · ", same ? "looks right" : ["looks like ", name(row.suggested, "suggested")]);
  }

  // Who said what: the class with most votes first, then those who have not voted.
  function votes(row) {
    if (!row.votes.length) return null;
    const groups = new Map();
    for (const { by, label } of row.votes) groups.set(label, [...(groups.get(label) || []), by]);
    const missing = groups.get(null) || [];
    groups.delete(null);
    const sorted = [...groups].sort(([, one], [, other]) => other.length - one.length);
    const people = (names) => names.flatMap((one, place) => (place ? [", ", name(one)] : [name(one)]));
    return h("ul", { class: "votes", "aria-label": "votes of the annotators" },
      sorted.map(([label, names]) => h("li", {}, h("strong", {}, String(names.length)), " ", name(label),
        h("span", { class: "quiet" }, ": ", people(names)))),
      missing.length ? h("li", { class: "quiet" }, `${missing.length} no vote: `, people(missing)) : null);
  }

  function meta(row, app) {
    const parts = [h("span", { class: "id", title: visible(row.id) }, name(row.id))];
    if (row.place) parts.push(`${ordinal(row.place)} in the order`);
    parts.push([h("strong", {}, percent(row.probability)), " ", name(row.suggested)]);
    if (row.given !== null && row.given !== row.suggested) parts.push([percent(row.p_given), " ", name(row.given)]);
    if (row.outlier) parts.push("unlike all other rows");
    const copies = row.copies.map((copy) => h("button", { type: "button", class: "link", onclick: () => app.open(copy.row) },
      name(copy.id)));
    if (copies.length) parts.push(["nearly the same: ", copies.flatMap((one, place) => (place ? [", ", one] : [one]))]);
    return h("p", { class: "meta" }, parts.flatMap((part, place) => (place ? [" · ", part] : [part])).flat());
  }

  function decided(row) {
    const said = SAID[row.state];
    return h("p", { class: `decided ${row.state}` }, said ? said(row) : null,
      row.decisions.map((one) => h("span", { class: "who" }, " – ", name(one.by), one.verdict === "label"
        ? [": ", name(one.label)] : `: ${one.verdict}`, `, ${new Date(one.at).toLocaleString([], { hour12: false })}`)));
  }

  function actions(row, app) {
    const take = row.given === row.suggested ? ["keep ", name(row.suggested)] : name(row.suggested);
    return h("div", { class: "actions", role: "group", "aria-label": "decide" },
      action("space", take, () => app.take(), { class: "first" }),
      row.given !== null && row.given !== row.suggested ? action("k", ["keep ", name(row.given)], () => app.decide("keep")) : null,
      action("c", "another", () => app.another(), { "aria-haspopup": "dialog" }),
      action("d", "drop", () => app.decide("drop")),
      action("u", "unsure", () => app.decide("unsure")),
      action("z", "undo", () => app.undo(), { disabled: !app.state.can_undo }),
      classes(app));
  }

  // The classes that have a key of their own.
  function classes(app) {
    const short = app.classes.map((one) => [app.keyOf(one), one]).filter(([digit]) => digit);
    return h("div", { class: "classes" }, short.map(([digit, one]) =>
      h("button", { type: "button", class: "class", onclick: () => app.label(one) }, key(digit), name(one))));
  }

  function reasons(row, app) {
    const parts = row.near.map((group) => h("section", {},
      h("h3", {}, group.kind === "trusted" ? "nearest trusted " : "nearest ",
        name(group.label, group.label === row.suggested ? "suggested" : "given"),
        group.kind === "trusted" ? null : h("span", { class: "quiet" }, " (not checked)")),
      h("ul", { class: "near" }, group.rows.map((one) => h("li", {}, neighbour(one, app))))));
    if (row.copies.length) {
      parts.push(h("section", {}, h("h3", {}, "nearly the same"),
        h("ul", { class: "near" }, row.copies.map((one) => h("li", {}, neighbour(one, app))))));
    }
    if (row.same.total) parts.push(same(row, app));
    return parts.length ? parts : h("p", { class: "quiet" }, "There is nothing near this row to compare it with.");
  }

  function neighbour(one, app) {
    const said = `${visible(one.id)}, ${one.given === null ? "no label" : `labelled ${visible(one.given)}`}`;
    if (one.row === null) return h("span", { title: said }, thumb(one, said));
    return h("button", { type: "button", title: said, class: "tile", onclick: () => app.open(one.row) }, thumb(one, said));
  }

  function same(row, app) {
    const pair = { given: row.given ?? "", suggested: row.suggested };
    return h("section", { class: "same" },
      h("h3", {}, h("span", {}, "same question: ", row.given === null ? "no label" : name(row.given), " → ",
        name(row.suggested), `, ${row.same.total} more`),
        h("button", { type: "button", class: "link", onclick: () => app.show("grid", pair) }, key("g"), " all at once")),
      h("ul", { class: "near small" }, row.same.rows.map((one) => h("li", {}, neighbour(one, app)))));
  }

  Object.assign(fixfirst, { look, SAID });
})();
