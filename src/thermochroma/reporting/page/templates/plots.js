// Learning curves, one small plot per method; and quality against cost.

function ticks(low, high) {
  const span = high - low || 1;
  const rough = 10 ** Math.floor(Math.log10(span / 2));
  const step = [1, 2, 5, 10].map((n) => n * rough).find((one) => span / one <= 4) || span;
  const found = [];
  for (let value = Math.ceil(low / step) * step; value <= high + 1e-9; value += step) found.push(value);
  return [found, Math.max(0, -Math.floor(Math.log10(step)))];
}

function drawCurves() {
  const { histories } = section();
  const reading = state.reading;
  const lines = Object.entries(histories).filter(([, found]) => (found[reading] || []).length);
  const points = lines.flatMap(([, found]) => found[reading]);
  if (!points.length) {
    byId("curves").replaceChildren(make("p", { textContent: "No readings were taken here." }));
    return;
  }
  const [width, height, left, bottom] = [210, 132, 34, 18];
  const logs = points.map(([images]) => Math.log10(images));
  const values = points.map(([, value]) => value);
  const [from, to] = [Math.min(...logs), Math.max(...logs)];
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const x = (images) => left + 6 + ((Math.log10(images) - from) / (to - from || 1)) * (width - left - 16);
  const y = (value) => 8 + (1 - (value - low) / (high - low || 1)) * (height - bottom - 16);
  const path = (found) => found.map(([a, b], n) => `${n ? "L" : "M"}${x(a).toFixed(1)} ${y(b).toFixed(1)}`).join("");
  const [marks, decimals] = ticks(low, high);
  const panels = lines.map(([name, found]) => {
    const own = found[reading];
    const last = own[own.length - 1];
    const image = draw("svg", { viewBox: `0 0 ${width} ${height}`, role: "img",
      "aria-label": `${titleOf(name)}: ${last[1].toPrecision(4)} after ${last[0]} images` });
    for (const value of marks) {
      image.append(draw("line", { class: "rule", x1: left, x2: width, y1: y(value), y2: y(value) }));
      const text = draw("text", { class: "tick", x: left - 4, y: y(value) + 3, "text-anchor": "end" });
      text.textContent = value.toFixed(decimals);
      image.append(text);
    }
    for (const [images, anchor] of [[10 ** from, "start"], [10 ** to, "end"]]) {
      const text = draw("text", { class: "tick", x: x(images), y: height - 4, "text-anchor": anchor });
      text.textContent = Math.round(images).toLocaleString("en");
      image.append(text);
    }
    for (const [, other] of lines) image.append(draw("path", { class: "other", d: path(other[reading]) }));
    image.append(draw("path", { class: "own", d: path(own) }));
    for (const [a, b] of own) image.append(draw("circle", { class: "own-dot", cx: x(a), cy: y(b), r: 2.6 }));
    return make("figure", {}, make("figcaption", {}, make("span", { textContent: titleOf(name) }),
      make("b", { textContent: last[1].toFixed(decimalsOf(reading.split("/")[1])) })), image);
  });
  byId("curves").replaceChildren(...panels);
}

function drawScatter() {
  const key = state.quality;
  const rows = methods().filter((row) => row.name in section().histories
    && row.cells.latency_median_ms && row.cells[key] && isNumber(row.cells[key][0]));
  if (!rows.length) {
    byId("scatter").replaceChildren(make("p", { textContent: "No method of this direction was measured." }));
    return;
  }
  const narrow = byId("scatter").clientWidth < 560;
  const [width, height] = narrow ? [360, 380] : [860, 430];
  const [left, right, top, bottom] = [46, narrow ? 14 : 120, 14, 40];
  const cost = (row) => Math.log10(row.cells.latency_median_ms[0]);
  const beside = section().splits.test.rows.find((row) => row.name === section().reference);
  const flat = beside ? beside.cells[key][0] : null;
  const all = rows.flatMap((row) => [row.cells[key][0], row.cells[key][2], row.cells[key][3]]);
  const values = [...all, flat].filter(isNumber);
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const spare = (most - least || 1) * 0.04; // so that no interval ends at the frame, as if it went on
  const [low, high] = [least - spare, most + spare];
  const [from, to] = [Math.min(...rows.map(cost)) - 0.05, Math.max(...rows.map(cost)) + 0.05];
  const x = (value) => left + ((value - from) / (to - from)) * (width - left - right);
  const y = (value) => top + (1 - (value - low) / (high - low || 1)) * (height - top - bottom);
  const text = (content, attributes) => {
    const found = draw("text", attributes);
    found.textContent = content;
    return found;
  };
  const device = rows[0].cells.device ? rows[0].cells.device[1] : "";
  const image = draw("svg", { viewBox: `0 0 ${width} ${height}`, role: "img",
    "aria-label": `${key.toUpperCase()} against latency; the table above holds the same numbers` });
  const [marks, decimals] = ticks(low, high);
  for (const value of marks) {
    image.append(draw("line", { class: "rule", x1: left, x2: width - right, y1: y(value), y2: y(value) }));
    image.append(text(value.toFixed(decimals), { class: "tick", x: left - 6, y: y(value) + 4, "text-anchor": "end" }));
  }
  for (const step of [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000]) {
    const place = Math.log10(step);
    if (place < from || place > to) continue;
    image.append(draw("line", { class: "rule", x1: x(place), x2: x(place), y1: top, y2: height - bottom }));
    image.append(text(String(step), { class: "tick", x: x(place), y: height - bottom + 15, "text-anchor": "middle" }));
  }
  image.append(text(`Median latency, ms (${device})`, { class: "axis", x: left, y: height - 6 }));
  if (isNumber(flat)) {
    image.append(draw("line", { class: "reference", x1: left, x2: width - right, y1: y(flat), y2: y(flat) }));
  }
  const spots = rows.map((row, n) => ({ row, n, x: x(cost(row)), y: y(row.cells[key][0]) }));
  for (const spot of spots) {
    const ends = spot.row.cells[key].slice(2).filter(isNumber).map(y);
    if (ends.length) {
      image.append(draw("line", { class: "interval thin", x1: spot.x, x2: spot.x, y1: ends[0], y2: ends[1] }));
    }
    for (const end of ends) {
      image.append(draw("line", { class: "cap", x1: spot.x - 4, x2: spot.x + 4, y1: end, y2: end }));
    }
    image.append(mark("method", spot.x, spot.y));
  }
  for (const label of placed(spots, narrow)) {
    image.append(draw("line", { class: "leader", x1: label.spot.x + 4, y1: label.spot.y, x2: label.x - 2, y2: label.y - 4 }));
    image.append(text(label.text, { class: "label", x: label.x, y: label.y }));
  }
  const parts = [image];
  if (narrow) {
    parts.push(make("ol", { className: "key" }, ...rows.map((row) => make("li", { textContent: row.title }))));
  }
  byId("scatter").replaceChildren(...parts);
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
