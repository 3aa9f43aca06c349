/** Score against time: one point for each method, with its name and its interval. A point leads to its row. */
class Overview {
  constructor(figure, data, number, view) {
    this.plot = figure.querySelector(".plot");
    this.data = data;
    this.number = number;
    this.view = view;
    new ResizeObserver(() => this.draw()).observe(this.plot);
  }

  draw() {
    const {metric} = this.data;
    const all = this.data.methods.map((one, place) => ({...one, place}));
    const atOnce = all.filter((one) => one.kind !== "rounds");
    const methods = atOnce.length ? atOnce : all;
    const width = Math.max(260, Math.round(this.plot.clientWidth));
    if (!this.plot.clientWidth) return;
    const height = Math.round(Math.min(460, Math.max(280, 0.5 * width)));
    const times = methods.map((one) => one.seconds).filter((one) => one > 0);
    const [least, most] = times.length ? [Math.min(...times), Math.max(...times)] : [1, 1];
    const edge = least / 3;
    const across = {low: edge / 1.6, high: most * 2.5, log: true, ticks: decades(edge, most * 2.5)};
    const ends = methods.flatMap((one) => [one.mean, one.low ?? one.mean, one.high ?? one.mean]);
    const pad = 0.05 * (Math.max(...ends) - Math.min(...ends) || 1);
    const up = {low: Math.min(...ends) - pad, high: Math.max(...ends) + 3 * pad};
    const frame = axes(width, height, across, up, {across: "seconds (log scale)", up: metric});
    const points = methods.map((one) => ({...one, left: frame.x(one.seconds > 0 ? one.seconds : edge), top: frame.y(one.mean)}));
    for (const one of points) frame.root.append(this.mark(one, frame));
    for (const label of names(points, frame)) frame.root.append(label);
    frame.root.removeAttribute("aria-hidden");
    frame.root.setAttribute("role", "group");
    frame.root.setAttribute("aria-label", "points; each leads to its row in the table");
    this.plot.replaceChildren(frame.root);
    this.view.refresh();
  }

  mark(one, {y}) {
    const {place} = one;
    const known = one.seconds > 0 ? `${one.seconds.toPrecision(3)} seconds` : "time unknown";
    const link = shape("a", {
      href: `#m${this.number}-${place}`,
      class: `point ${one.kind}${one.seconds > 0 ? "" : " hollow"}`,
      "data-method": place,
      "aria-label": `${one.name}: ${one.mean.toFixed(3)}, ${known}`,
    });
    if (one.low !== null)
      link.append(shape("line", {class: "ink", x1: round(one.left), x2: round(one.left), y1: round(y(one.low)), y2: round(y(one.high))}));
    link.append(shape("circle", {class: "dot", cx: round(one.left), cy: round(one.top), r: 6}));
    link.addEventListener("pointerenter", () => this.view.point(place));
    link.addEventListener("pointerleave", () => this.view.point(null));
    return link;
  }
}

function decades(low, high) {
  const found = [];
  for (let power = Math.ceil(Math.log10(low)); 10 ** power <= high; power += 1) found.push(Number(`1e${power}`));
  return found;
}

/** Each name beside its point, where it covers no other name and no other point; a grey one without room is left out. */
function names(points, frame) {
  const taken = points.map((one) => [one.left, one.top, 14, 14]);
  const made = [];
  for (const one of points) {
    const {place} = one;
    const wide = nameWidth(one);
    let best = null;
    for (const shift of [0, -14, 14, -28, 28, -42, 42])
      for (const side of [1, -1]) {
        const box = [one.left + side * (wide / 2 + 10), one.top + shift, wide, 13];
        const out = box[0] - wide / 2 < MARGIN.left || box[0] + wide / 2 > frame.width - 2 || box[1] < 24 || box[1] > frame.height - MARGIN.bottom;
        const cost = 100 * taken.filter((other) => overlap(box, other)).length + 1000 * out + Math.abs(shift) / 10 + (side < 0);
        if (!best || cost < best.cost) best = {cost, box, side};
      }
    if (best.cost >= 1000 || (one.kind === "rest" && (best.cost >= 100 || frame.width < NARROW))) continue;
    taken.push(best.box);
    const left = round(one.left + 10 * best.side);
    const top = round(best.box[1] + 4);
    if (Math.abs(best.box[1] - one.top) > 13)
      made.push(shape("line", {class: "leader", x1: round(one.left), y1: round(one.top), x2: left, y2: top - 4}));
    made.push(shape("text", {class: `name ${one.kind}`, "data-method": place, x: left, y: top, "text-anchor": best.side > 0 ? "start" : "end"}, one.name));
  }
  return made;
}
