"use strict";
// What is known so far: the meter on top, and the side panel with kinds, curve and advice.
(() => {
  const { h, name, count, counted } = fixfirst;

  const strong = (text) => h("strong", {}, text);
  const range = ([, low, high], to = " to ") => (count(low) === count(high) ? count(low) : `${count(low)}${to}${count(high)}`);

  function meter(state, total) {
    const bar = document.getElementById("meter");
    const [found, left, maybe] = bar.children;
    const known = state.left !== null;
    const [expected, low, high] = state.left || [0, 0, 0];
    const sure = state.wide ? low : expected;
    const whole = known ? Math.max(state.found + Math.max(high, expected), 1) : Math.max(total, 1);
    found.style.width = `${(100 * (known ? state.found : state.looked)) / whole}%`;
    left.style.width = `${(100 * sure) / whole}%`;
    maybe.style.width = `${(100 * Math.max(high - sure, 0)) / whole}%`;
    bar.setAttribute("aria-valuemax", String(Math.round(whole)));
    bar.setAttribute("aria-valuenow", String(known ? state.found : state.looked));
    bar.setAttribute("aria-label", known ? "wrong labels found" : "rows looked at");
    document.getElementById("tally").replaceChildren(...tally(state, total));
  }

  function tally(state, total) {
    const parts = [strong(`${counted(state.found, "wrong label")} found`), ` in ${counted(state.looked, "look")}`];
    if (state.wide) parts.push(" · ", strong(`${range(state.left)} left`));
    else if (state.left) parts.push(" · about ", strong(`${count(state.left[0])} left`), ` (${range(state.left)})`);
    else parts.push(` · ${counted(total - state.looked, "row")} to go`);
    if (state.next) {
      parts.push(` · next ${counted(state.next.looks, "look")}: ${range(state.next.found)}`);
    }
    return parts;
  }

  function side(state, { chosen, choose, total }) {
    return h("aside", { class: "panel side", "aria-label": "the review so far" },
      h("section", {}, h("h2", {}, "kinds"), kinds(state, chosen, choose)),
      h("section", {}, h("h2", {}, "found, by looks"), curve(state), renewed(state)),
      h("section", {}, h("h2", {}, "may I stop?"), h("p", {}, state.advice),
        state.caveats.map((caveat) => h("p", { class: "caveat" }, caveat))),
      state.disagreements
        ? h("section", {}, h("h2", {}, "third look"),
          h("button", { type: "button", class: "link", onclick: () => choose({ state: "disagreement" }) },
            `${counted(state.disagreements, "row")} on which reviewers disagree`))
        : null,
      state.looked === 0 ? h("p", { class: "quiet" }, `${counted(total, "row")} in all`) : null);
  }

  const MOST_KINDS = 8;

  function kinds(state, chosen, choose) {
    const rows = state.pairs.slice(0, MOST_KINDS).map((pair) =>
      h("li", {}, h("button", {
        type: "button",
        class: "kind",
        "aria-pressed": String(chosen.given === (pair.given ?? "") && chosen.suggested === pair.suggested),
        onclick: () => choose({ given: pair.given ?? "", suggested: pair.suggested }),
      }, h("span", { class: "pair" }, pair.given === null ? h("em", {}, "no label") : name(pair.given), " → ",
        name(pair.suggested)),
      h("span", { class: "number" }, count(pair.open)))));
    const more = state.pairs.length - rows.length;
    return [
      rows.length ? h("ul", { class: "kinds" }, rows) : h("p", { class: "quiet" }, "No open suggestions."),
      more > 0 ? h("p", { class: "quiet" }, `and ${more} more, in the filter above`) : null,
    ];
  }

  const WIDE = 220;
  const HIGH = 96;

  function curve(state) {
    const points = state.curve;
    const ahead = state.forecast;
    if (state.looked === 0 && !ahead.length) return h("p", { class: "quiet" }, "No row has been looked at yet.");
    const [looks, found] = points.at(-1);
    const right = Math.max(ahead.length ? ahead.at(-1)[0] : looks, 1);
    const top = Math.max(ahead.length ? Math.max(...ahead.map((one) => one[3])) : found, 1);
    const x = (value) => 6 + (value / right) * (WIDE - 12);
    const y = (value) => HIGH - 4 - (value / top) * (HIGH - 22);
    const path = (list) => list.map(([a, b], place) => `${place ? "L" : "M"}${x(a).toFixed(1)} ${y(b).toFixed(1)}`).join("");
    const parts = [
      h("line", { class: "axis", x1: 6, y1: y(0), x2: WIDE - 6, y2: y(0) }),
      h("line", { class: "axis", x1: 6, y1: y(0), x2: 6, y2: 10 }),
    ];
    let said = `${counted(found, "wrong label")} found in ${counted(looks, "look")}`;
    if (ahead.length) {
      const line = [[looks, found], ...ahead.map(([a, b]) => [a, b])];
      const band = [[looks, found], ...ahead.map(([a, , , high]) => [a, high]),
        ...ahead.map(([a, , low]) => [a, low]).reverse()];
      const [last, ...goal] = ahead.at(-1);
      const about = count(goal[0]);
      parts.push(h("path", { class: "band", d: `${path(band)}Z` }),
        state.wide ? null : h("path", { class: "ahead", d: path(line) }),
        h("text", { x: WIDE - 6, y: 8, "text-anchor": "end" },
          state.wide ? range(goal, "–") : `${about} (${range(goal, "–")})`));
      said += `; ${state.wide ? range(goal) : `about ${about} (${range(goal)})`} after ${last}`;
    }
    parts.push(h("path", { class: "line", d: path(points) }));
    return h("figure", { class: "curve" },
      h("svg", { viewBox: `0 0 ${WIDE} ${HIGH}`, role: "img", "aria-label": said }, parts),
      h("figcaption", {}, h("span", {}, "0"), h("span", {}, counted(right, "look"))));
  }

  function renewed(state) {
    if (state.computing) return h("p", {}, "The order is being computed anew …");
    if (state.round_failed) return h("p", { class: "caveat" }, state.round_failed);
    if (state.round === 0) return null;
    return h("p", {}, `The order was renewed after ${counted(state.renewed_after, "look")}.`);
  }

  Object.assign(fixfirst, { meter, side });
})();
