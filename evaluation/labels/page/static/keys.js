"use strict";
// What the keys do, and the help that says so.
(() => {
  const { h, key } = fixfirst;

  const KEYS = [
    ["space", "take the suggestion"],
    ["k", "keep the given label"],
    ["1 – 9  0", "another class"],
    ["c", "another class, by typing"],
    ["d", "drop: no class fits"],
    ["u", "unsure"],
    ["z", "undo"],
    ["y", "redo"],
    ["→  j", "next row, without a decision"],
    ["←", "the row before"],
    ["v  g  l", "one by one, grid, list"],
    ["x", "grid: mark or unmark"],
    ["a", "grid: mark all or none"],
    ["enter", "grid: take the suggestions for the marked rows"],
    ["n", "grid: the next rows"],
    ["r", "grid, list: show the new order"],
    ["/", "search by id"],
    ["esc", "clear the filters"],
    ["?", "this help"],
  ];

  function help() {
    const dialog = h("dialog", { class: "help", "aria-labelledby": "help-title" },
      h("h2", { id: "help-title" }, "Keys"),
      h("dl", {}, KEYS.map(([keys, what]) =>
        h("div", {}, h("dt", {}, keys.split("  ").map((one) => key(one))), h("dd", {}, what)))),
      h("form", { method: "dialog" }, h("button", { class: "action" }, "close")));
    dialog.addEventListener("close", () => dialog.remove());
    document.body.append(dialog);
    dialog.showModal();
  }

  const everywhere = (app) => ({
    v: () => app.show("look"), g: () => app.show("grid"), l: () => app.show("list"), "?": help,
    z: app.undo, y: app.redo, Z: app.redo, "/": () => document.getElementById("find").focus(),
    Escape: app.clear, r: app.renew,
  });

  const deciding = (app) => ({
    k: () => app.decide("keep"), d: () => app.decide("drop"), u: () => app.decide("unsure"), c: app.another,
  });

  const looking = (app) => ({
    ...deciding(app), " ": app.take, j: app.skip, ArrowRight: app.skip, h: app.before, ArrowLeft: app.before,
  });

  const marking = (app) => ({
    ...deciding(app), a: app.markAll, n: app.nextTiles, Enter: app.takeMarked,
    x: () => {
      const row = app.tiles.rows[app.at];
      if (row?.state === "open") app.mark(row.row);
    },
    ArrowRight: () => step(app, 1), ArrowLeft: () => step(app, -1),
    ArrowDown: () => step(app, across()), ArrowUp: () => step(app, -across()),
  });

  // Moves the focus over the tiles that can still be decided.
  function step(app, by) {
    const there = [...document.querySelectorAll("[data-place]:not([disabled])")];
    const places = there.map((one) => Number(one.dataset.place));
    const goal = document.activeElement?.dataset?.place === undefined ? app.at : app.at + by;
    const next = by > 0 ? places.find((one) => one >= goal) : places.findLast((one) => one <= goal);
    there[places.indexOf(next)]?.focus();
  }

  // How many tiles are beside each other.
  function across() {
    const all = [...document.querySelectorAll("[data-place]")];
    const top = all[0]?.getBoundingClientRect().top;
    return Math.max(all.filter((one) => one.getBoundingClientRect().top === top).length, 1);
  }

  function listen(app) {
    const views = { look: looking(app), grid: marking(app), list: {} };
    const others = everywhere(app);

    function meaning(pressed) {
      const digit = /^\d$/.test(pressed) && app.view !== "list";
      const label = digit ? app.classes.find((one) => app.keyOf(one) === pressed) : undefined;
      return label === undefined ? views[app.view][pressed] || others[pressed] : () => app.label(label);
    }

    document.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("dialog")) return;
      const field = event.target.closest("input, select, textarea");
      if (field) {
        if (event.key === "Escape" || (event.key === "Enter" && field.id === "find")) field.blur();
        return;
      }
      // a button in focus does what it says
      const button = event.target.closest("button, summary");
      if (button && (event.key === " " || (event.key === "Enter" && !button.dataset.place))) return;
      const run = meaning(event.key);
      if (!run) return;
      event.preventDefault();
      if (!event.repeat || event.key.startsWith("Arrow")) run();
    });
  }

  Object.assign(fixfirst, { help, listen });
})();
