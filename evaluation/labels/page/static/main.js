"use strict";
// The page: which view of which rows, and what happens after a decision.
(() => {
  const { h, name, visible, backend, start, AT_ONCE } = fixfirst;
  const AHEAD = 10;
  const main = document.getElementById("main");
  const notice = document.getElementById("notice");
  const FIELDS = ["given", "suggested", "class", "state", "by", "annotator", "vote", "find"];

  const app = {
    view: "look", query: {}, state: start.state, classes: start.classes, round: start.state.round, place: 0,
    row: null, tiles: { round: 0, total: 0, rows: [] }, marked: new Set(), at: 0, earlier: null,
  };
  const details = new Map();
  const done = new Set(); // decided here; they are not offered again, saved or not
  let skipped = new Set();
  let queue = [];
  let leaving = false; // the row in view has been decided; keys are for the next one, once it is there
  const visited = [];
  let turn = 0;

  // ---- what is shown -------------------------------------------------------------------------------------------

  app.side = () => fixfirst.side(app.state, { chosen: app.query, choose: (query) => setQuery(query), total: start.total });

  function render(...children) {
    const inside = main.contains(document.activeElement) || document.activeElement === document.body;
    main.replaceChildren(...children);
    main.className = app.view;
    for (const button of document.querySelectorAll("[data-view]")) {
      button.setAttribute("aria-pressed", String(button.dataset.view === app.view));
    }
    if (inside) main.focus({ preventScroll: true });
    place();
  }

  function refreshBar() {
    fixfirst.meter(app.state, start.total);
    const filters = document.getElementById("filters");
    if (!filters.contains(document.activeElement)) {
      filters.replaceChildren(...fixfirst.filters(app.query, app.state, app.classes, setQuery));
    }
    const old = main.querySelector(".side");
    if (old && !old.contains(document.activeElement)) old.replaceWith(app.side());
    for (const button of main.querySelectorAll(".actions button")) {
      if (button.querySelector("kbd")?.textContent === "z") button.disabled = !app.state.can_undo;
    }
  }

  // The place in the address: reloading, or sending it to oneself, shows the same again.
  function place() {
    const values = FIELDS.filter((field) => app.query[field] !== undefined && app.query[field] !== "" || hasBare(field))
      .map((field) => [field, app.query[field]]);
    if (app.view === "look" && app.row) values.unshift(["row", app.row.row]);
    const text = new URLSearchParams(values).toString();
    history.replaceState(null, "", `#/${app.view}${text ? `?${text}` : ""}`);
  }

  // An empty given label is a filter of its own: rows without a label.
  const hasBare = (field) => field === "given" && app.query.given === "" && Boolean(app.query.suggested);

  function fromAddress() {
    const [view, text] = location.hash.replace(/^#\//, "").split("?");
    const values = new URLSearchParams(text || "");
    app.view = ["look", "grid", "list"].includes(view) ? view : "look";
    app.query = Object.fromEntries(FIELDS.filter((field) => values.has(field)).map((field) => [field, values.get(field)]));
    const row = values.get("row");
    return row !== null && /^\d+$/.test(row) ? Number(row) : null;
  }

  // A message about what went wrong, such as "saving", stays until that works again. Others go with the view they are
  // about, and without a link also by themselves.
  function say(text, { failed = "", link = null } = {}) {
    if (failed && failing() === failed && notice.textContent === text) return;
    notice.replaceChildren(text, ...(link ? [" ", link] : []));
    notice.hidden = false;
    notice.className = failed ? "notice bad" : "notice";
    notice.setAttribute("role", failed ? "alert" : "status");
    notice.dataset.failed = failed;
    clearTimeout(say.timer);
    if (!failed && !link) say.timer = setTimeout(() => { notice.hidden = true; }, 6000);
  }

  const failing = () => (notice.hidden ? "" : notice.dataset.failed);

  function works(what) {
    if (failing() === what) notice.hidden = true;
  }

  // What a request gives; null, with a message, if it fails.
  async function told(request, what = "reading") {
    try {
      const found = await request;
      works(what);
      return found;
    } catch (error) {
      say(error.message, { failed: what });
      return null;
    }
  }
  app.rows = (query) => told(backend.rows(query));

  const announce = (text) => {
    document.getElementById("announce").textContent = visible(text);
  };

  // ---- one by one ----------------------------------------------------------------------------------------------

  const wanted = () => ({ ...app.query, state: app.query.state || (app.query.find ? "" : "open") });
  const offered = (row) => !done.has(row.row) && !skipped.has(row.row) && row.row !== app.row?.row;

  async function refill() {
    const count = AHEAD + 2 + skipped.size + backend.unsaved() * AT_ONCE;
    const found = await app.rows({ ...wanted(), count: Math.min(count, 1000) });
    if (!found) return false;
    queue = found.rows.filter(offered);
    ahead();
    return true;
  }

  function detail(row) {
    if (!details.has(row)) {
      details.set(row, backend.row(row, app.state.round).catch((error) => {
        details.delete(row);
        throw error;
      }));
    }
    return details.get(row);
  }

  // Fetches the next rows and their pictures, so that they are there when they are wanted.
  function ahead() {
    for (const row of queue.slice(0, AHEAD)) {
      detail(row.row).catch(() => null);
      const source = backend.live ? backend.picture(row, "large") : null;
      if (source) new Image().src = source;
    }
  }

  async function open(row, { back = false } = {}) {
    const mine = (turn += 1);
    const found = await told(detail(row), "row");
    if (!found || mine !== turn) return;
    if (app.row && !back && app.row.row !== row) visited.push(app.row.row);
    app.view = "look";
    app.row = found;
    leaving = false;
    render(...fixfirst.look(found, app));
    main.querySelector(".row").scrollTop = 0;
    announce(`${found.given === null ? "no label" : `labelled ${found.given}`}, looks like ${found.suggested}`);
  }

  async function advance() {
    const mine = (turn += 1);
    queue = queue.filter(offered);
    if (queue.length > 0 && queue.length <= AHEAD) refill();
    if (!queue.length && !(await refill())) return;
    if (mine !== turn) return;
    const next = queue.find(offered);
    if (next) await open(next.row);
    else finished();
  }

  function finished() {
    app.row = null;
    leaving = false;
    const filtered = Object.values(app.query).some(Boolean);
    render(h("section", { class: "panel wide finished" },
      h("h2", { class: "question" }, filtered ? "Nothing left that fits the filters." : "Every row has been looked at."),
      h("div", { class: "actions" },
        skipped.size ? fixfirst.action("", `back to ${skipped.size} skipped`, () => { skipped = new Set(); advance(); }) : null,
        filtered ? fixfirst.action("esc", "clear the filters", () => setQuery({})) : null,
        fixfirst.action("z", "undo", () => app.undo(), { disabled: !app.state.can_undo }))), app.side());
  }

  // ---- grid and list -------------------------------------------------------------------------------------------

  async function tiles({ keep = false } = {}) {
    const mine = (turn += 1);
    const count = Math.min(AT_ONCE + (keep ? 0 : skipped.size) + backend.unsaved() * AT_ONCE, 1000);
    const found = await app.rows({ ...app.query, state: "open", count });
    if (!found || mine !== turn) return;
    app.tiles = { round: found.round, total: Math.max(found.total - skipped.size, 0), rows: found.rows.filter((row) => !done.has(row.row) && !skipped.has(row.row)).slice(0, AT_ONCE) };
    app.marked = new Set();
    app.at = 0;
    drawTiles();
  }

  function drawTiles() {
    const focused = document.activeElement?.dataset?.place;
    render(...fixfirst.grid(app.tiles, app));
    if (focused !== undefined) main.querySelector(`[data-place="${app.at}"]`)?.focus();
  }

  app.mark = (row) => {
    if (app.marked.has(row)) app.marked.delete(row);
    else app.marked.add(row);
    drawTiles();
  };
  app.focus = (number) => {
    app.at = number;
  };
  app.markAll = () => {
    const open = app.tiles.rows.filter((row) => row.state === "open").map((row) => row.row);
    app.marked = new Set(app.marked.size === open.length ? [] : open);
    drawTiles();
  };
  app.skipping = () => skipped.size > 0;
  app.takeMarked = () => act(app.tiles.rows.filter((row) => app.marked.has(row.row)).map(suggestion));
  app.nextTiles = () => {
    for (const row of app.tiles.rows) if (row.state === "open") skipped.add(row.row);
    return tiles().then(() => {
      if (!app.tiles.rows.length && skipped.size) {
        skipped = new Set();
        return tiles();
      }
      return undefined;
    });
  };

  app.show = (view, query) => {
    // The grid starts with the kind of the row in view; leaving it brings back the filters from before.
    if (view === "grid" && app.view !== "grid" && (query || app.row?.given !== app.row?.suggested)) {
      app.earlier = app.query;
      app.query = query ?? { ...app.query, given: app.row.given ?? "", suggested: app.row.suggested };
    } else if (view !== "grid" && app.earlier) {
      app.query = app.earlier;
      app.earlier = null;
    }
    app.view = view;
    skipped = new Set();
    queue = [];
    refreshBar();
    return draw();
  };

  function draw() {
    app.round = app.state.round;
    turn += 1; // an answer that is still on its way belongs to the view before
    if (!failing()) notice.hidden = true;
    if (app.view === "grid") return tiles();
    if (app.view === "list") return render(...fixfirst.list(app));
    return app.row ? open(app.row.row, { back: true }) : advance();
  }

  function setQuery(query) {
    app.query = query;
    app.earlier = null;
    app.place = 0;
    app.row = null;
    skipped = new Set();
    queue = [];
    if (!backend.unsaved()) done.clear();
    document.activeElement?.blur?.();
    refreshBar();
    return draw();
  }

  // ---- decisions -----------------------------------------------------------------------------------------------

  const suggestion = (row) => row.given === row.suggested
    ? { row: row.row, verdict: "keep", label: null }
    : { row: row.row, verdict: "label", label: row.suggested };

  const STATE_OF = { keep: "kept", label: "fixed", drop: "dropped", unsure: "unsure" };

  function act(decisions) {
    if (!decisions.length) return;
    const rows = decisions.map((one) => one.row);
    for (const row of rows) done.add(row);
    for (const row of rows) details.delete(row);
    const sent = backend.decide({ decisions, round: (app.view === "look" ? app.row : app.tiles).round });
    sent.then(accepted, (error) => {
      refused(error);
      for (const row of rows) done.delete(row);
      offerAgain(rows);
    });
    if (app.view === "look") {
      leaving = true;
      advance();
    } else {
      for (const { row, verdict, label } of decisions) {
        const tile = app.tiles.rows.find((one) => one.row === row);
        if (tile) Object.assign(tile, { state: STATE_OF[verdict], label });
      }
      app.marked = new Set();
      drawTiles();
    }
  }

  // Rows whose decision was not saved are open as before.
  function offerAgain(rows) {
    if (app.view === "grid") {
      const tiles = app.tiles.rows.filter((one) => rows.includes(one.row));
      for (const tile of tiles) Object.assign(tile, { state: "open", label: null });
      drawTiles();
    } else if (app.view === "look" && !app.row) {
      advance();
    }
  }

  function targets() {
    if (app.view === "grid") return app.tiles.rows.filter((row) => app.marked.has(row.row));
    return app.view === "look" && app.row && !leaving ? [app.row] : [];
  }

  app.decide = (verdict) => {
    const rows = targets();
    if (verdict === "keep" && rows.some((row) => row.given === null)) return say("There is no label to keep.");
    return act(rows.map((row) => ({ row: row.row, verdict, label: null })));
  };
  app.take = () => act(targets().map(suggestion));
  app.label = (label) => act(targets().map((row) =>
    row.given === label ? { row: row.row, verdict: "keep", label: null } : { row: row.row, verdict: "label", label }));
  app.another = () => {
    if (targets().length) fixfirst.another(app.classes, app.keyOf, app.label);
  };

  async function back(step, nothing) {
    const found = await backend[step]().catch(refused);
    if (!found) return;
    for (const row of found.rows) {
      if (step === "undo") done.delete(row);
      else done.add(row);
      details.delete(row);
    }
    if (!found.rows.length) {
      update(found.state);
      say(nothing);
      return;
    }
    accepted(found);
    if (app.view === "grid") await tiles({ keep: true });
    else if (app.view === "list") draw();
    else if (step === "redo") await advance();
    else await open(found.rows[0]);
  }

  app.undo = () => back("undo", "There is nothing to undo.");
  app.redo = () => back("redo", "There is nothing to redo.");
  app.open = (row) => open(row);
  app.clear = () => setQuery({});
  app.renew = draw;
  app.skip = () => {
    if (!app.row) return;
    skipped.add(app.row.row);
    advance();
  };
  app.before = () => {
    if (visited.length) open(visited.pop(), { back: true });
  };

  const digits = app.classes.filter((one) => /^\d$/.test(one));
  app.keyOf = (label) => {
    if (digits.length) return /^\d$/.test(label) && app.classes.includes(label) ? label : null;
    const number = app.classes.indexOf(label);
    return number >= 0 && number < 10 ? String((number + 1) % 10) : null;
  };

  // ---- what the server says ------------------------------------------------------------------------------------

  function update(state, classes) {
    const renewed = state.round !== app.state.round;
    app.state = state;
    if (classes) app.classes = classes;
    if (renewed) {
      details.clear();
      queue = [];
      const text = `The order was renewed after ${fixfirst.counted(state.renewed_after, "look")}.`;
      const link = h("button", { type: "button", class: "link", onclick: app.renew },
        "show the new order ", fixfirst.key("r"));
      if (!failing()) say(text, { link: app.view === "look" ? null : link });
      if (app.view === "look") refill();
    }
    refreshBar();
  }

  const OFTEN = 500;
  const SELDOM = 2000;

  async function poll() {
    if (document.hidden || backend.unsaved()) return;
    const state = await told(backend.state());
    if (!state) return;
    if (state.version !== app.state.version) update(state);
    saved();
    if (leaving) advance();
  }

  const keepPolling = () => poll().finally(() => setTimeout(keepPolling, app.state.computing ? OFTEN : SELDOM));

  let last = start.state.saved;
  let sending = { waiting: 0 };
  let unsaved = false; // the latest decision was refused

  function accepted({ state, classes }) {
    unsaved = false;
    works("saving");
    update(state, classes);
    saved();
  }

  function refused(error) {
    unsaved = true;
    say(`Not saved: ${error.message}`, { failed: "saving" });
    saved();
  }

  function saved(now = sending) {
    sending = now;
    const { waiting, lost } = now;
    const chip = document.getElementById("saved");
    if (app.state.saved) last = app.state.saved;
    const time = (at) => new Date(at).toLocaleTimeString([], { hour12: false });
    chip.classList.toggle("bad", Boolean(lost || unsaved));
    let text = last ? `${backend.live ? "saved" : "kept by the browser"} ${time(last)}` : "nothing to save";
    if (unsaved) text = "not saved";
    else if (lost && backend.live) text = `not saved: no answer, ${waiting} waiting`;
    else if (lost) text = "not kept by the browser: download";
    else if (waiting) text = "saving …";
    if (chip.textContent !== text) chip.textContent = text;
  }

  // ---- the beginning -------------------------------------------------------------------------------------------

  function reviewer() {
    const chip = document.getElementById("by");
    if (backend.live) return chip.replaceChildren("as ", name(backend.by));
    const input = h("input", { "aria-label": "your name", placeholder: "your name", maxlength: 100, value: backend.by });
    input.addEventListener("input", () => input.setCustomValidity(""));
    input.addEventListener("change", () => { backend.by = input.value.trim(); });
    return chip.replaceChildren(input);
  }

  // Decisions of several people without a name could not be told apart.
  function download() {
    if (backend.by) return backend.download();
    const input = document.querySelector("#by input");
    input.setCustomValidity("Write your name here first. It goes with your decisions.");
    return input.reportValidity();
  }

  for (const button of document.querySelectorAll("[data-view]")) {
    button.addEventListener("click", () => app.show(button.dataset.view));
  }
  document.getElementById("keys").addEventListener("click", fixfirst.help);
  fixfirst.listen(app);
  if (backend.download) {
    const button = document.getElementById("download");
    button.hidden = false;
    button.addEventListener("click", download);
  }
  backend.onsaving(saved);
  reviewer();
  saved();
  const first = fromAddress();
  refreshBar();
  if (app.view === "look" && first !== null) open(first).then(refill);
  else draw();
  addEventListener("hashchange", () => {
    const row = fromAddress();
    refreshBar();
    if (app.view === "look" && row !== null) open(row);
    else draw();
  });
  if (backend.live) {
    keepPolling();
    document.addEventListener("visibilitychange", poll);
  } else {
    backend.state().then((state) => accepted({ state }));
  }
})();
