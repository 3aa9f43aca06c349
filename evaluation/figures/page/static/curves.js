/** The curves of one data id: pointing at one, or choosing it by key, says what was fixed and what it gave. */
class Curves {
  constructor(figure, set, methods, view) {
    this.figure = figure;
    this.set = set;
    this.methods = methods;
    this.view = view;
    this.plot = figure.querySelector(".plot");
    this.readout = figure.querySelector(".readout");
    this.at = null;
    this.curves = set.curves.map((curve) => ({
      ...curve,
      fixes: curve.fixes ?? curve.accuracy.map((_, place) => place),
      values: curve.accuracy.map((value) => value / 10000),
    }));
    const plot = this.plot;
    for (const [key, value] of Object.entries({
      role: "slider",
      tabindex: "0",
      "aria-label": `curves of ${set.name}: labels fixed`,
      "aria-valuemin": "0",
      "aria-valuemax": `${set.rows}`,
    }))
      plot.setAttribute(key, value);
    plot.addEventListener("keydown", (event) => this.key(event));
    plot.addEventListener("pointermove", (event) => this.point(event));
    plot.addEventListener("pointerdown", (event) => this.point(event));
    plot.addEventListener("pointerleave", () => this.view.point(null));
    plot.addEventListener("focus", () => this.say());
    new ResizeObserver(() => this.draw()).observe(plot);
    this.say();
  }

  get shown() {
    return this.curves.filter((curve) => this.view.shown.has(curve.method));
  }

  draw() {
    const width = Math.max(260, Math.round(this.plot.clientWidth));
    const height = Math.round(Math.min(440, Math.max(250, 0.56 * width)));
    const values = [this.set.dirty, this.set.level, ...this.curves.flatMap((curve) => curve.values)];
    const [low, high] = [values.reduce((a, b) => Math.min(a, b)), values.reduce((a, b) => Math.max(a, b))];
    const pad = 0.04 * (high - low || 1);
    const labels = {across: "labels fixed", up: "test accuracy"};
    this.axes = axes(width, height, {low: 0, high: this.set.rows}, {low: low - pad, high: high + 2 * pad}, labels);
    const {root} = this.axes;
    this.reference(this.set.dirty, `before any fix ${this.set.dirty.toFixed(3)}`);
    this.reference(this.set.level, `${this.set.goal} ${this.set.level.toFixed(3)}`);
    const shown = this.shown;
    for (const curve of [...shown].reverse()) root.append(this.line(curve));
    for (const label of this.names(shown)) root.append(label);
    this.mark = shape("g", {class: "mark"});
    root.append(this.mark);
    this.plot.replaceChildren(root);
    this.show();
  }

  reference(value, text) {
    const {root, x, y, width} = this.axes;
    const place = round(y(value));
    root.append(shape("line", {class: "reference", x1: x(0), x2: width - MARGIN.right, y1: place, y2: place}));
    root.append(shape("text", {class: "reference", x: width - MARGIN.right - 4, y: place - 4, "text-anchor": "end"}, text));
  }

  line(curve) {
    const {x, y} = this.axes;
    const method = this.methods[curve.method];
    const group = shape("g", {class: `curve ${method.kind}`, "data-method": curve.method});
    if (curve.low) {
      const there = curve.fixes.map((fix, place) => `${round(x(fix))} ${round(y(curve.high[place] / 10000))}`);
      const back = curve.fixes.map((fix, place) => `${round(x(fix))} ${round(y(curve.low[place] / 10000))}`).reverse();
      group.append(shape("path", {class: "range", d: `M${[...there, ...back].join("L")}Z`}));
    }
    const points = curve.fixes.map((fix, place) => `${round(x(fix))} ${round(y(curve.values[place]))}`);
    group.append(shape("path", {class: "ink", d: `M${points.join("L")}`}));
    return group;
  }

  /** The name of each curve, where the fewest others pass; a grey one without room is left out. */
  names(shown) {
    const {x, y, width, height} = this.axes;
    const size = 13;
    const taken = [this.set.dirty, this.set.level].map((value) => [width - 90, y(value) - 8, 170, 14]);
    taken.push([MARGIN.left + 50, MARGIN.top + 6, 100, 14]);
    const made = [];
    const steps = 30;
    const columns = Array.from({length: 4 * steps + 1}, (_, place) => (place * this.set.rows) / (4 * steps));
    const heights = shown.map((curve) => columns.map((fix) => y(valueAt(curve, fix))));
    for (const [number, curve] of shown.entries()) {
      const method = this.methods[curve.method];
      const wide = nameWidth(method);
      let best = null;
      if (method.kind === "rest" && width < NARROW) continue;
      for (let place = 1; place < 4 * steps; place += 4) {
        const middle = x(columns[place]);
        if (middle - wide / 2 < MARGIN.left || middle + wide / 2 > width - MARGIN.right) continue;
        const within = columns.flatMap((fix, at) => (Math.abs(x(fix) - middle) <= wide / 2 ? [at] : []));
        const own = within.map((at) => heights[number][at]);
        for (const centre of [Math.min(...own) - 0.7 * size, Math.max(...own) + 0.7 * size]) {
          if (centre < MARGIN.top + 6 || centre > height - MARGIN.bottom - 6) continue;
          const box = [middle, centre, wide, size];
          const passing = heights.reduce((sum, line) => sum + within.filter((at) => Math.abs(line[at] - centre) < 0.6 * size).length, 0);
          const spread = (Math.max(...own) - Math.min(...own)) / size;
          const cost = passing + spread + 300 * taken.filter((other) => overlap(box, other)).length;
          if (!best || cost < best.cost) best = {cost, box};
        }
      }
      if (!best || (best.cost >= 300 && method.kind === "rest")) continue;
      taken.push(best.box);
      const [left, top] = best.box;
      made.push(
        shape("text", {class: `name ${method.kind}`, "data-method": curve.method, x: round(left), y: round(top + 4), "text-anchor": "middle"}, method.name),
      );
    }
    return made;
  }

  point(event) {
    const place = this.plot.getBoundingClientRect();
    const {x, y, inner, width} = this.axes;
    const scale = width / place.width;
    const [left, top] = [(event.clientX - place.left) * scale, (event.clientY - place.top) * scale];
    const fix = Math.min(this.set.rows, Math.max(0, Math.round(((left - x(0)) / inner.width) * this.set.rows)));
    let near = null;
    for (const curve of this.shown) {
      const distance = Math.abs(y(valueAt(curve, fix)) - top);
      if (!near || distance < near.distance) near = {curve, distance};
    }
    if (near) this.choose(near.curve, fix);
  }

  key(event) {
    const shown = this.shown;
    if (!shown.length) return;
    const now = shown.find((curve) => curve.method === this.at?.method) ?? shown[0];
    const fix = this.at?.fix ?? 0;
    const far = Math.max(1, Math.round(this.set.rows / 20));
    const steps = {ArrowLeft: -1, ArrowRight: 1, PageUp: far, PageDown: -far, Home: -Infinity, End: Infinity};
    const turn = {ArrowUp: -1, ArrowDown: 1}[event.key];
    if (event.key in steps) {
      this.choose(now, Math.min(this.set.rows, Math.max(0, fix + steps[event.key])));
    } else if (turn) {
      this.choose(shown[(shown.indexOf(now) + turn + shown.length) % shown.length], fix);
    } else if (event.key === "Escape") {
      this.at = null;
      this.show();
      this.view.point(null);
    } else {
      return;
    }
    event.preventDefault();
  }

  choose(curve, fix) {
    this.at = {method: curve.method, fix};
    this.show();
    this.view.point(curve.method);
  }

  /** What is known of the chosen point, in words. */
  text() {
    const curve = this.at && this.shown.find((one) => one.method === this.at.method);
    if (!curve) return "";
    const name = this.methods[curve.method].name;
    const place = placeOf(curve, this.at.fix);
    const row = curve.order?.[place];
    const fixed = row === undefined || row < 0 ? "" : `, last fixed: row ${row}`;
    const fix = curve.fixes[place];
    return `${name} after ${fix} ${fix === 1 ? "fix" : "fixes"}: accuracy ${curve.values[place].toFixed(3)}${fixed}`;
  }

  show() {
    const text = this.text();
    this.readout.textContent = text || "\u00a0";
    this.say();
    if (!this.mark) return;
    this.mark.replaceChildren();
    if (!text) return;
    const curve = this.curves.find((one) => one.method === this.at.method);
    const place = placeOf(curve, this.at.fix);
    const {x, y, height} = this.axes;
    const [left, top] = [round(x(curve.fixes[place])), round(y(curve.values[place]))];
    this.mark.append(shape("line", {x1: left, x2: left, y1: MARGIN.top, y2: height - MARGIN.bottom}));
    this.mark.append(shape("circle", {cx: left, cy: top, r: 5, class: `dot ${this.methods[curve.method].kind}`}));
  }

  say() {
    this.plot.setAttribute("aria-valuenow", `${this.at?.fix ?? 0}`);
    this.plot.setAttribute("aria-valuetext", this.text() || "no point chosen; use the arrow keys");
  }
}

/** The last point with at most so many fixes. */
function placeOf(curve, fix) {
  let [low, high] = [0, curve.fixes.length - 1];
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (curve.fixes[middle] <= fix) low = middle;
    else high = middle - 1;
  }
  return low;
}

function valueAt(curve, fix) {
  return curve.values[placeOf(curve, fix)];
}
