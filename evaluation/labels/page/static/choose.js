"use strict";
// Choosing: a class by typing, and the filters.
(() => {
  const { h, name, visible, count, backend, key, start } = fixfirst;
  const MOST = 50;

  // Asks for a class; `chosen` gets its name.
  function another(classes, shortcut, chosen) {
    let options = [];
    let active = 0;
    const list = h("ul", { role: "listbox", id: "choices", "aria-label": "classes" });
    const input = h("input", {
      type: "text", role: "combobox", "aria-expanded": "true", "aria-controls": "choices", "aria-autocomplete": "list",
      "aria-label": "class", placeholder: "type a class", autocomplete: "off", spellcheck: "false",
    });
    const dialog = h("dialog", { class: "choose", "aria-label": "another class" }, input, list);

    function matching() {
      const typed = input.value.trim().toLowerCase();
      const starts = classes.filter((one) => one.toLowerCase().startsWith(typed));
      const inside = classes.filter((one) => !one.toLowerCase().startsWith(typed) && one.toLowerCase().includes(typed));
      const found = [...starts, ...inside].slice(0, MOST).map((one) => ({ label: one }));
      const fresh = input.value.trim();
      if (fresh && !classes.includes(fresh)) found.push({ label: fresh, fresh: true });
      return found;
    }

    function draw() {
      list.replaceChildren(...options.map((option, place) => h("li", {
        role: "option", id: `choice-${place}`, "aria-selected": String(place === active),
        onmousedown: (event) => event.preventDefault(), onclick: () => take(place),
      }, shortcut(option.label) && !option.fresh ? key(shortcut(option.label)) : null,
      option.fresh ? ["a new class: ", name(option.label)] : name(option.label))));
      input.setAttribute("aria-activedescendant", options.length ? `choice-${active}` : "");
      list.children[active]?.scrollIntoView({ block: "nearest" });
    }

    function take(place) {
      const option = options[place];
      dialog.close();
      if (option) chosen(option.label);
    }

    input.addEventListener("input", () => {
      options = matching();
      active = 0;
      draw();
    });
    input.addEventListener("keydown", (event) => {
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (step) active = (active + step + options.length) % Math.max(options.length, 1);
      else if (event.key === "Enter") return take(active);
      else return undefined;
      event.preventDefault();
      return draw();
    });
    dialog.addEventListener("close", () => dialog.remove());
    document.body.append(dialog);
    options = matching();
    draw();
    dialog.showModal();
    input.focus();
  }

  const STATES = ["open", "fixed", "kept", "dropped", "unsure", "disagreement"];

  // The row of filters. `change` gets the whole new query.
  function filters(query, state, classes, change) {
    const set = (more) => change({ ...query, ...more });
    const find = h("input", {
      type: "search", id: "find", value: query.find ?? "", placeholder: "search by id", "aria-label": "search by id",
      spellcheck: "false", autocomplete: "off",
    });
    find.addEventListener("change", () => set({ find: find.value }));
    const pair = query.suggested ? JSON.stringify([query.given, query.suggested]) : "";
    const pairs = state.pairs.slice(0, 500).map((one) => [
      JSON.stringify([one.given ?? "", one.suggested]),
      `${one.given === null ? "no label" : visible(one.given)} → ${visible(one.suggested)} (${count(one.open)})`,
    ]);
    if (pair && !pairs.some(([value]) => value === pair)) {
      pairs.unshift([pair, `${visible(query.given || "no label")} → ${visible(query.suggested)}`]);
    }
    const some = Object.values(query).some((value) => value !== "" && value !== undefined && value !== null);
    return [
      find,
      select("kind", pair, [["", "every kind"], ...pairs], (value) => {
        const [given, suggested] = value ? JSON.parse(value) : [undefined, undefined];
        set({ given, suggested });
      }),
      select("class", query.class ?? "", [["", "every class"], ...classes.map((one) => [one, visible(one)])],
        (value) => set({ class: value })),
      select("state", query.state ?? "", [["", "every state"], ...STATES.map((one) => [one, one])],
        (value) => set({ state: value })),
      backend.live && state.people.length
        ? select("reviewer", query.by ?? "", [["", "every reviewer"], ...state.people.map((one) => [one, visible(one)])],
          (value) => set({ by: value }))
        : null,
      start.annotators.length
        ? select("annotator", query.annotator ?? "",
          [["", "every annotator"], ...start.annotators.map((one) => [one, `labelled by ${visible(one)}`])],
          (value) => set({ annotator: value, vote: value ? query.vote : undefined }))
        : null,
      query.annotator
        ? select("vote", query.vote ?? "", [["", "every vote"], ["against", "against the given label"]],
          (value) => set({ vote: value }))
        : null,
      some ? h("button", { type: "button", class: "link", onclick: () => change({}) }, "clear ", key("esc")) : null,
    ].filter(Boolean);
  }

  function select(label, value, options, change) {
    const node = h("select", { "aria-label": label, class: value ? "set" : null, "data-filter": label },
      options.map(([one, text]) => h("option", { value: one, selected: one === value }, text)));
    node.addEventListener("change", () => change(node.value));
    return node;
  }

  Object.assign(fixfirst, { another, filters });
})();
