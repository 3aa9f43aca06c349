"use strict";
// The rows of a review in one file. Decisions are kept by the browser and leave the page as a file.
(() => {
  const { start } = fixfirst;
  const SHELF = `fixfirst ${start.fingerprint}`;
  const rows = new Map(start.rows.map((row) => [row.row, row]));
  const order = start.rows.map((row) => row.row);
  const kept = read();
  let tell = () => {};

  function read() {
    try {
      const found = JSON.parse(localStorage.getItem(SHELF) || "{}");
      if (Array.isArray(found.entries)) return { by: String(found.by || ""), entries: found.entries, undone: [] };
    } catch {
      // a browser that keeps nothing for files: the decisions last as long as the page is open
    }
    return { by: "", entries: [], undone: [] };
  }

  function save() {
    try {
      localStorage.setItem(SHELF, JSON.stringify({ by: kept.by, entries: kept.entries }));
      tell({ waiting: 0 });
    } catch {
      tell({ waiting: 0, lost: true });
    }
  }

  function decided() {
    return new Map(kept.entries.map((entry) => [entry.row, entry]));
  }

  function stateOf(row, entry) {
    if (!entry) return "open";
    return { keep: "kept", drop: "dropped", unsure: "unsure", label: "fixed" }[entry.verdict];
  }

  function brief(row, standing) {
    const entry = standing.get(row);
    const found = rows.get(row);
    return { ...found, state: stateOf(row, entry), label: entry ? entry.label : null };
  }

  function matches(row, query) {
    const has = (wanted, found) => wanted === undefined || wanted === null || wanted === "" || wanted === found;
    const find = (query.find || "").toLowerCase();
    const kind = !query.suggested || (row.suggested === query.suggested && (row.given ?? "") === (query.given ?? ""));
    return kind && has(query.state, row.state)
      && (!query.class || [row.given, row.suggested, row.label].includes(query.class))
      && (!query.annotator || row.votes.some((one) => one.by === query.annotator && one.label !== null
        && (query.vote !== "against" || one.label !== row.given)))
      && (!find || row.id.toLowerCase().includes(find));
  }

  async function list(query) {
    const standing = decided();
    const found = order.map((row) => brief(row, standing)).filter((row) => matches(row, query));
    const from = Number(query.from || 0);
    return { total: found.length, round: 0, rows: found.slice(from, from + Number(query.count || 50)) };
  }

  async function row(number) {
    const standing = decided();
    const entry = standing.get(number);
    const shown = brief(number, standing);
    const same = order.map((other) => brief(other, standing)).filter((other) =>
      other.row !== number && other.state === "open" && other.given === shown.given && other.suggested === shown.suggested);
    const decisions = entry
      ? [{ by: kept.by || "me", verdict: entry.verdict, label: entry.label, at: entry.at }]
      : [];
    return { ...shown, decisions, same: { total: same.length, rows: same.slice(0, 12) } };
  }

  async function state() {
    const standing = decided();
    const every = order.map((row) => brief(row, standing));
    const looked = every.filter((row) => row.state !== "open");
    const wrong = (row) => row.given !== null && (row.state === "fixed" || row.state === "dropped");
    const pairs = new Map();
    for (const row of every) {
      if (row.state !== "open" || row.given === row.suggested) continue;
      const name = JSON.stringify([row.given, row.suggested]);
      pairs.set(name, (pairs.get(name) || 0) + 1);
    }
    let found = 0;
    const curve = [[0, 0]];
    for (const [number, entry] of [...standing.values()].entries()) {
      found += wrong(brief(entry.row, standing)) ? 1 : 0;
      curve.push([number + 1, found]);
    }
    return {
      ...start.state, looked: looked.length, found: looked.filter(wrong).length, curve, left: null, wide: false, next: null,
      forecast: [], saved: kept.entries.at(-1)?.at ?? null, can_undo: kept.entries.length > 0, can_redo: kept.undone.length > 0, people: [],
      pairs: [...pairs].map(([pair, open]) => ({ given: JSON.parse(pair)[0], suggested: JSON.parse(pair)[1], open }))
        .sort((one, other) => other.open - one.open),
    };
  }

  async function decide({ decisions }) {
    const at = new Date().toISOString();
    for (const { row, verdict, label } of decisions) {
      const { id, hash, given, suggested, probability, suspicion, place } = rows.get(row);
      const fixes = verdict === "label" && label !== given;
      kept.entries.push({
        id, row, hash, verdict: verdict === "label" && !fixes ? "keep" : verdict, label: fixes ? label : null, at,
        shown: { given, suggested, probability, suspicion, place, round: start.state.round },
      });
    }
    kept.undone = [];
    save();
    return { state: await state(), rows: decisions.map((one) => one.row) };
  }

  async function undo() {
    const at = kept.entries.at(-1)?.at;
    const taken = kept.entries.filter((entry) => entry.at === at);
    if (taken.length) {
      kept.entries = kept.entries.filter((entry) => entry.at !== at);
      kept.undone.push(taken);
      save();
    }
    return { state: await state(), rows: taken.map((entry) => entry.row) };
  }

  async function redo() {
    const again = kept.undone.pop() || [];
    const at = new Date().toISOString();
    kept.entries.push(...again.map((entry) => ({ ...entry, at })));
    if (again.length) save();
    return { state: await state(), rows: again.map((entry) => entry.row) };
  }

  function download() {
    const lines = kept.entries.map((entry) => `${JSON.stringify({ ...entry, by: kept.by })}\n`);
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob(lines, { type: "application/jsonl" }));
    link.download = "decisions.jsonl";
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  }

  fixfirst.backend = {
    live: false, state, rows: list, row, decide, undo, redo, download,
    picture: (shown) => (shown.picture ? start.pictures[shown.key] || null : null),
    onsaving: (listener) => {
      tell = listener;
    },
    unsaved: () => 0,
    get by() {
      return kept.by;
    },
    set by(name) {
      kept.by = name;
      save();
    },
  };
})();
