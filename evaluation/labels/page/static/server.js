"use strict";
// The rows and decisions of a review that `fixfirst review` serves. Decisions are sent in order, until they are saved.
(() => {
  const { start } = fixfirst;
  const RETRY = 1500;
  const NO_ANSWER = "fixfirst does not answer. If it has ended, start it again and open the address that it names.";
  const waiting = [];
  let sending = false;
  let tell = () => {};

  async function get(path, query = {}) {
    const filled = Object.entries(query).filter(([, value]) => value !== null && value !== undefined && value !== "");
    const text = new URLSearchParams(filled).toString();
    const answer = await fetch(`api/${path}${text ? `?${text}` : ""}`).catch(() => {
      throw new Error(NO_ANSWER);
    });
    if (!answer.ok) throw new Error(await answer.text());
    return answer.json();
  }

  function post(path, body) {
    return new Promise((resolve, reject) => {
      waiting.push({ path, body: { ...body, key: crypto.randomUUID() }, resolve, reject });
      drain();
    });
  }

  async function drain() {
    if (sending) return;
    sending = true;
    while (waiting.length) {
      const one = waiting[0];
      tell({ waiting: waiting.length });
      let answer;
      try {
        answer = await fetch(`api/${one.path}`, {
          method: "POST",
          headers: { "Content-Type": "application/json" },
          body: JSON.stringify(one.body),
        });
      } catch {
        tell({ waiting: waiting.length, lost: true });
        await new Promise((done) => setTimeout(done, RETRY));
        continue;
      }
      waiting.shift();
      const text = await answer.text();
      tell({ waiting: waiting.length });
      if (answer.ok) one.resolve(JSON.parse(text));
      else one.reject(new Error(text));
    }
    sending = false;
  }

  addEventListener("beforeunload", (event) => {
    if (waiting.length) event.preventDefault();
  });

  fixfirst.backend = {
    live: true,
    state: () => get("state"),
    rows: (query) => get("rows", query),
    row: (row, round) => get(`row/${row}`, { round }),
    decide: (body) => post("decide", body),
    undo: () => post("undo", {}),
    redo: () => post("redo", {}),
    picture: (shown, size) => (shown.picture ? `picture/${shown.key}/${size}?${shown.picture}` : null),
    onsaving: (listener) => {
      tell = listener;
    },
    unsaved: () => waiting.length,
    by: start.by,
  };
})();
