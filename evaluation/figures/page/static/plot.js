/** Pictures below this width name only the methods in colour. */
const NARROW = 480;
const MARGIN = {left: 48, right: 14, top: 12, bottom: 42};

/** About `count` round numbers between two values. */
function ticks(low, high, count) {
  const raw = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = power * [1, 2, 5, 10].find((one) => one * power >= raw);
  const found = [];
  for (let at = Math.ceil(low / step) * step; at <= high + step * 1e-9; at += step) found.push(at);
  return found.map((at) => Number(at.toPrecision(12)));
}

/** An empty picture with axes. x and y turn values into places. */
function axes(width, height, across, up, labels) {
  const inner = {width: width - MARGIN.left - MARGIN.right, height: height - MARGIN.top - MARGIN.bottom};
  const scale = across.log ? Math.log10 : (value) => value;
  const [left, right] = [scale(across.low), scale(across.high)];
  const x = (value) => MARGIN.left + (inner.width * (scale(value) - left)) / (right - left || 1);
  const y = (value) => MARGIN.top + (inner.height * (up.high - value)) / (up.high - up.low || 1);
  const root = shape("svg", {viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true", focusable: "false"});
  const grid = shape("g", {class: "axis"});
  for (const at of ticks(up.low, up.high, 5)) {
    grid.append(shape("line", {x1: MARGIN.left, x2: width - MARGIN.right, y1: round(y(at)), y2: round(y(at))}));
    grid.append(shape("text", {x: MARGIN.left - 6, y: round(y(at)) + 4, "text-anchor": "end"}, `${at}`));
  }
  for (const at of across.ticks ?? ticks(across.low, across.high, Math.max(3, Math.floor(width / 110)))) {
    grid.append(shape("line", {x1: round(x(at)), x2: round(x(at)), y1: MARGIN.top, y2: height - MARGIN.bottom}));
    grid.append(shape("text", {x: round(x(at)), y: height - MARGIN.bottom + 16, "text-anchor": "middle"}, `${at}`));
  }
  grid.append(shape("text", {x: MARGIN.left + inner.width / 2, y: height - 6, "text-anchor": "middle"}, labels.across));
  if (labels.up) grid.append(shape("text", {x: MARGIN.left + 6, y: MARGIN.top + 10, class: "up"}, labels.up));
  root.append(grid);
  return {root, x, y, width, height, inner};
}

/** Whether two boxes (centre x, centre y, width, height) share a point. */
function overlap(one, other) {
  return Math.abs(one[0] - other[0]) < (one[2] + other[2]) / 2 && Math.abs(one[1] - other[1]) < (one[3] + other[3]) / 2;
}

/** The width of a method's name in a picture, near enough; names in colour are bold. */
const nameWidth = (method) => (method.kind === "rest" ? 6.1 : 7.1) * [...method.name].length + 4;
