// Table of scores: sorting, filters, columns, and intervals drawn beside the printed ones.

const WIDTH = 132;
const HEIGHT = 18;
const EDGE = 8; // of a plot, at each end: room for a mark and for the cap of an interval
const AGAINST = "against"; // the key of the column of differences, sorted by that in PSNR

function shownColumns() {
  return scores().columns.filter((column) => state.columns.has(column.key));
}

function sortedRows(kind) {
  const { key, descending } = state.sort;
  const rows = scores().rows.filter((row) => row.kind === kind);
  const value = (row) => {
    if (key === "title") return row.title.toLowerCase();
    if (key === AGAINST) return (duelOf("psnr", row.name, state.against) || { difference: null }).difference;
    return (row.cells[key] || [null])[0];
  };
  const missing = (one) => one === null || one === undefined;
  return rows.sort((a, b) => {
    const [one, other] = [value(a), value(b)];
    if (missing(one) || missing(other)) return missing(one) - missing(other);
    const order = one < other ? -1 : one > other ? 1 : 0;
    return descending ? -order : order;
  });
}

// Scale from a column's numbers to positions in a plot. Oracles outside it, and ends of their
// intervals, are shown as arrows at its edge.
function scaleOf(column) {
  const values = [];
  for (const row of scores().rows) {
    const cell = row.cells[column.key];
    if (row.kind === "oracle" || !cell || !isNumber(cell[0])) continue;
    values.push(...[cell[0], cell[2], cell[3]].filter(isNumber));
  }
  if (!values.length) return null;
  const low = Math.min(...values);
  const span = Math.max(...values) - low || 1;
  return (value) => EDGE + ((value - low) / span) * (WIDTH - 2 * EDGE);
}

function mark(kind, x, middle) {
  const look = { class: `mark-${kind}` };
  if (kind === "method") return draw("circle", { ...look, cx: x, cy: middle, r: 3.2 });
  if (kind === "trivial") {
    return draw("rect", { ...look, x: x - 3.2, y: middle - 3.2, width: 6.4, height: 6.4 });
  }
  if (kind === "probe") {
    return draw("path", { ...look, d: `M${x - 4} ${middle + 3.2}h8l-4-7z` });
  }
  // a diamond: filled for an entry, open for an oracle
  return draw("path", { ...look, d: `M${x - 4.5} ${middle}l4.5-4.5 4.5 4.5-4.5 4.5z` });
}

function bar(cell, kind, scale, reference) {
  const image = draw("svg", {
    width: WIDTH, height: HEIGHT, viewBox: `0 0 ${WIDTH} ${HEIGHT}`, "aria-hidden": "true",
  });
  const middle = HEIGHT / 2;
  if (isNumber(reference)) {
    const x = scale(reference);
    image.append(draw("line", { class: "reference", x1: x, x2: x, y1: 0, y2: HEIGHT }));
  }
  const x = scale(cell[0]);
  if (x > WIDTH || x < 0) {
    image.append(arrow(x > WIDTH, middle));
    return image;
  }
  const ends = isNumber(cell[2]) ? [scale(cell[2]), scale(cell[3])] : [];
  const drawn = ends.map((end) => Math.min(WIDTH - 2, Math.max(2, end)));
  if (ends.length) {
    image.append(draw("line", { class: "interval", x1: drawn[0], x2: drawn[1], y1: middle, y2: middle }));
  }
  image.append(mark(kind, x, middle));
  ends.forEach((end, n) => { // after the mark, so that it never hides the end of a short interval
    const cap = { class: "cap", x1: end, x2: end, y1: middle - 6, y2: middle + 6 };
    image.append(end === drawn[n] ? draw("line", cap) : arrow(end > WIDTH - 2, middle));
  });
  return image;
}

function arrow(right, middle) {
  const [tip, back] = right ? [WIDTH - 2, -7] : [2, 7];
  return draw("path", { class: "beyond", d: `M${tip + back} ${middle - 4}L${tip} ${middle}l${back} 4` });
}

function heading(key, text, better) {
  const sorted = state.sort.key === key;
  const turned = sorted ? (state.sort.descending ? " ▾" : " ▴") : "";
  const button = make("button", { type: "button", textContent: text + turned });
  button.dataset.key = key;
  const order = sorted ? (state.sort.descending ? "descending" : "ascending") : "none";
  const cell = make("th", { scope: "col", "aria-sort": order }, button);
  cell.addEventListener("click", () => { // the whole cell; a press of the button comes here too
    const first = key === "title" ? false : better >= 0;
    state.sort = { key, descending: sorted ? !state.sort.descending : first };
    drawTable();
    byId("table").querySelector(`button[data-key="${CSS.escape(key)}"]`).focus();
  });
  return cell;
}

function againstCell(row) {
  const cell = make("td", { className: "against" });
  if (row.name === state.against) {
    cell.textContent = "itself";
    return cell;
  }
  const lines = ["psnr", "ssim"].map((score) => {
    const duel = duelOf(score, row.name, state.against);
    if (!duel || duel.difference === null) return null;
    const low = isNumber(duel.low)
      ? ` [${signed(duel.low, decimalsOf(score))}, ${signed(duel.high, decimalsOf(score))}]` : "";
    const sign = make("b", { className: `sign ${duel.outcome}`, textContent: signOf(duel) });
    const text = `${signed(duel.difference, decimalsOf(score))}${unitOf(score)}${low}`;
    return make("span", { className: "duel" }, sign, ` ${score.toUpperCase()} ${text} `,
      make("b", { className: duel.outcome, textContent: wordsOf(duel) }));
  }).filter(Boolean);
  cell.append(...(lines.length ? lines : ["not tested"]));
  return cell;
}

function scoreCell(row, column, scale, reference) {
  const cell = row.cells[column.key];
  if (!cell) return make("td", { className: "empty", "aria-label": "none" });
  const found = make("td", {}, make("span", { className: "number", textContent: cell[1] }));
  if (isNumber(cell[0]) && scale) {
    found.append(bar(cell, row.kind, scale, reference));
  }
  return found;
}

function drawTable() {
  const columns = shownColumns();
  const compared = state.split === "test" && state.against !== null;
  const head = make("tr", {}, heading("title", "Method", 0));
  for (const column of columns) head.append(heading(column.key, column.heading, column.better));
  if (compared) {
    head.append(heading(AGAINST, `Minus ${titleOf(state.against).toLowerCase()}`, 1));
  }
  const scales = Object.fromEntries(columns.map((column) => [column.key, scaleOf(column)]));
  const reference = scores().rows.find((row) => row.name === section().reference);
  const bodies = Object.keys(KINDS).filter((kind) => state.kinds.has(kind)).map((kind) => {
    const group = make("th", {
      colSpan: columns.length + 1 + compared, scope: "rowgroup", textContent: KINDS[kind].title,
    });
    const body = make("tbody", { className: kind }, make("tr", { className: "group" }, group));
    for (const row of sortedRows(kind)) {
      const name = make("th", { scope: "row" });
      name.append(make("span", { className: "mark", "aria-hidden": "true",
        textContent: `${KINDS[kind].mark} ` }), row.title);
      if (TAGGED.includes(kind)) name.append(make("span", { className: "tag", textContent: kind }));
      const line = make("tr", {}, name);
      for (const column of columns) {
        const beside = reference && reference.cells[column.key];
        line.append(scoreCell(row, column, scales[column.key], beside ? beside[0] : null));
      }
      if (compared) line.append(againstCell(row));
      body.append(line);
    }
    return body;
  });
  byId("table").replaceChildren(make("thead", {}, head), ...bodies);
  const count = byId("table").querySelectorAll("tbody tr:not(.group)").length;
  byId("table-count").textContent = `${count} of ${scores().rows.length} rows shown, ${state.split} split.`
    + " An arrow at the edge of a plot: the value, or an end of its interval, lies outside.";
  byId("table-halves").textContent = compared && anyHalf()
    ? `“By the test”: ${HALF}.` : "";
}

function anyHalf() {
  return scores().rows.some((row) => ["psnr", "ssim"].some((score) => {
    const duel = duelOf(score, row.name, state.against);
    return duel && leavesOutZero(duel);
  }));
}

function drawColumnChoice() {
  const boxes = scores().columns.map((column) => {
    const box = make("input", { type: "checkbox", value: column.key });
    box.checked = state.columns.has(column.key);
    box.addEventListener("change", () => {
      if (box.checked) state.columns.add(column.key);
      else state.columns.delete(column.key);
      drawTable();
    });
    return make("label", {}, box, ` ${column.heading}`);
  });
  byId("choose-columns").replaceChildren(...boxes);
}
