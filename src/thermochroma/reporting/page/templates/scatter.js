// Two plots of points with labels: quality against cost, and distortion against perception.

const COSTS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000];

function drawScatter() {
  const key = state.quality;
  const rows = methods().filter((row) => row.name in section().histories
    && row.cells.latency_median_ms && row.cells[key] && isNumber(row.cells[key][0]));
  if (!rows.length) {
    byId("scatter").replaceChildren(make("p", { textContent: "No method of this direction was measured." }));
    return;
  }
  const device = rows[0].cells.device ? rows[0].cells.device[1] : "";
  const plot = plotted(byId("scatter"), rows.map((row) => ({
    row, across: Math.log10(row.cells.latency_median_ms[0]), up: row.cells[key] })), {
    label: `${key.toUpperCase()} against latency; the table above holds the same numbers`,
    axis: `Median latency, ms (${device})`,
    marks: COSTS.map((step) => [Math.log10(step), String(step)]),
    flat: referenceRow().cells[key][0],
  });
  byId("scatter").replaceChildren(...plot);
}

// PSNR against LPIPS, both with less error to the left and up. A line joins the rows of one dial.
function drawPerception() {
  const block = byId("perception");
  const key = ["lpips_alex", "lpips_vgg"].find((one) => compared().some((row) => row.cells[one]));
  block.hidden = !key;
  if (!key) return;
  const rows = compared().filter((row) => row.cells[key] && row.cells.psnr && isNumber(row.cells.psnr[0]));
  const rounded = (value) => value.toFixed(2);
  const values = rows.map((row) => row.cells[key][0]);
  const [marks] = ticks(Math.min(...values), Math.max(...values));
  const plot = plotted(byId("perception-plot"), rows.map((row) => ({
    row, across: row.cells[key][0], up: [row.cells.psnr[0]] })), {
    label: "PSNR against LPIPS; the table above holds the same numbers",
    axis: `${scores().columns.find((one) => one.key === key).heading}: left is more like the ground truth to the eye`,
    marks: marks.map((value) => [value, rounded(value)]),
    flat: referenceRow().cells.psnr[0],
  });
  byId("perception-plot").replaceChildren(...plot);
}

const compared = () => section().splits.test.rows.filter((row) => row.kind !== "oracle" && row.cells.psnr);
const referenceRow = () => section().splits.test.rows.find((row) => row.name === section().reference)
  || { cells: { psnr: [null], ssim: [null] } };

// The plot of points {row, across, up: [value, text, low, high]}, and, where it is narrow, a list of names.
function plotted(box, points, { label, axis, marks, flat }) {
  const narrow = box.clientWidth < 560;
  const [width, height] = narrow ? [360, 380] : [860, 430];
  const [left, right, top, bottom] = [46, narrow ? 14 : 120, 14, 40];
  const values = [...points.flatMap(({ up }) => [up[0], up[2], up[3]]), flat].filter(isNumber);
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const spare = (most - least || 1) * 0.04; // so that no interval ends at the frame, as if it went on
  const [low, high] = [least - spare, most + spare];
  const places = points.map((point) => point.across);
  const margin = 0.05 * (Math.max(...places) - Math.min(...places)) || 0.05;
  const [from, to] = [Math.min(...places) - margin, Math.max(...places) + margin];
  const x = (value) => left + ((value - from) / (to - from)) * (width - left - right);
  const y = (value) => top + (1 - (value - low) / (high - low || 1)) * (height - top - bottom);
  const text = (content, attributes) => {
    const found = draw("text", attributes);
    found.textContent = content;
    return found;
  };
  const image = draw("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label });
  const [levels, decimals] = ticks(low, high);
  for (const value of levels) {
    image.append(draw("line", { class: "rule", x1: left, x2: width - right, y1: y(value), y2: y(value) }));
    image.append(text(value.toFixed(decimals), { class: "tick", x: left - 6, y: y(value) + 4, "text-anchor": "end" }));
  }
  for (const [place, name] of marks.filter(([place]) => from <= place && place <= to)) {
    image.append(draw("line", { class: "rule", x1: x(place), x2: x(place), y1: top, y2: height - bottom }));
    image.append(text(name, { class: "tick", x: x(place), y: height - bottom + 15, "text-anchor": "middle" }));
  }
  image.append(text(axis, { class: "axis", x: left, y: height - 6 }));
  if (isNumber(flat)) {
    image.append(draw("line", { class: "reference", x1: left, x2: width - right, y1: y(flat), y2: y(flat) }));
  }
  const spots = points.map(({ row, across, up }, n) => ({ row, n, up, x: x(across), y: y(up[0]) }));
  for (const { row, x: a, y: b } of spots) {
    const next = spots.find((one) => one.row.sharper_than === row.name);
    if (next) image.append(draw("line", { class: "dial", x1: a, y1: b, x2: next.x, y2: next.y }));
  }
  for (const spot of spots) {
    const ends = spot.up.slice(2).filter(isNumber).map(y);
    if (ends.length) {
      image.append(draw("line", { class: "interval thin", x1: spot.x, x2: spot.x, y1: ends[0], y2: ends[1] }));
    }
    for (const end of ends) {
      image.append(draw("line", { class: "cap", x1: spot.x - 4, x2: spot.x + 4, y1: end, y2: end }));
    }
    image.append(mark(spot.row.kind, spot.x, spot.y));
  }
  for (const name of placed(spots, narrow)) {
    image.append(draw("line", { class: "leader", x1: name.spot.x + 4, y1: name.spot.y, x2: name.x - 2, y2: name.y - 4 }));
    image.append(text(name.text, { class: "label", x: name.x, y: name.y }));
  }
  if (!narrow) return [image];
  return [image, make("ol", { className: "key" }, ...points.map(({ row }) => make("li", { textContent: row.title })))];
}

// Labels right of their points, moved down or up until none covers another. Narrow: numbers and a list.
function placed(spots, narrow) {
  const taken = [];
  return [...spots].sort((a, b) => a.y - b.y).map((spot) => {
    const text = narrow ? String(spot.n + 1) : spot.row.title.replace(" (reconstruction)", "");
    const [x, wide] = [spot.x + 8, text.length * 6.4];
    const free = (y) => taken.every((one) => Math.abs(one.y - y) > 12 || x > one.x + one.wide || one.x > x + wide)
      && spots.every((one) => one === spot || Math.abs(one.y + 4 - y) > 9 || one.x < x - 5 || one.x > x + wide + 4);
    const tries = [0, 13, -13, 26, -26, 39, -39, 52, -52].map((step) => spot.y + 4 + step);
    const y = tries.find(free) ?? tries[0];
    taken.push({ x, y, wide });
    return { spot, text, x, y };
  });
}
