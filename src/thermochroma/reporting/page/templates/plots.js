// Learning curves, one small plot per method.

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
