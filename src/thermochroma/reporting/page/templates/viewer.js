// Viewer: input, prediction and truth on top of one another, with two sliders; one frame by every row.

const file = (n) => `${String(n).padStart(3, "0")}.webp`;
const source = (folder, n) => `${IMAGES}/${state.dataset}/${folder}/${file(n)}`;
const predictedSource = (name, n) => source(`predicted/${name}`, n);
const capital = (text) => text[0].toUpperCase() + text.slice(1);

function drawViewer() {
  const { seen, predicted } = section();
  const frame = dataset().frames[state.frame];
  const title = titleOf(state.row);
  byId("row").value = state.row;
  byId("frame").value = String(state.frame);
  byId("seen").src = source(seen, state.frame);
  byId("truth").src = source(predicted, state.frame);
  byId("predicted").src = predictedSource(state.row, state.frame);
  byId("edge-lines").src = source("edges", state.frame);
  byId("seen").alt = `${capital(seen)} image of ${frame.frame}`;
  byId("predicted").alt = `${title}: ${frame.frame}`;
  byId("truth").alt = `True ${predicted} image of ${frame.frame}`;
  byId("chip-seen").textContent = capital(seen);
  byId("chip-predicted").textContent = title;
  byId("chip-truth").textContent = "Ground truth";
  byId("edge-lines").hidden = !state.edges;
  byId("stage").classList.toggle("difference", state.view === "difference");
  byId("look-caption").textContent = caption(frame);
  byId("link").href = linkOf();
  moveHandles();
  drawStrip();
  drawExtremes();
}

function caption(frame) {
  const where = [frame.frame, frame.place, frame.time].filter(Boolean).join(", ");
  const told = ["psnr", "ssim"].map((key) => {
    const value = valueOf(state.row, key, state.frame);
    return `${key.toUpperCase()} ${value === null ? "–" : value.toFixed(decimalsOf(key))}${unitOf(key)}`;
  });
  const view = state.view === "difference"
    ? " Black: no difference. Differences are shown three times as bright." : "";
  return `${where}. ${titleOf(state.row)}: ${told.join(", ")}.${view}`;
}

function moveHandles() {
  const { seen, truth } = state.cuts;
  const stage = byId("stage");
  stage.style.setProperty("--seen", `${seen}%`);
  stage.style.setProperty("--truth", `${truth}%`);
  const first = byId("handle-seen");
  const second = byId("handle-truth");
  const { seen: name } = section();
  first.setAttribute("aria-label", `Border between the ${name} image and the prediction`);
  second.setAttribute("aria-label", "Border between the prediction and the ground truth");
  for (const [handle, value] of [[first, seen], [second, truth]]) {
    handle.setAttribute("aria-valuenow", String(Math.round(value)));
    handle.setAttribute("aria-valuetext", `${Math.round(value)} percent from the left`);
  }
  byId("chip-seen").hidden = seen < 14;
  byId("chip-predicted").hidden = truth - seen < 14;
  byId("chip-truth").hidden = 100 - truth < 14;
}

// A slider pushes the other along, so that they never cross.
function cut(which, value) {
  const place = Math.min(100, Math.max(0, value));
  state.cuts[which] = place;
  if (which === "seen") state.cuts.truth = Math.max(place, state.cuts.truth);
  else state.cuts.seen = Math.min(place, state.cuts.seen);
  moveHandles();
}

function listenToHandles() {
  const stage = byId("stage");
  let held = null;
  const at = (event) => {
    const box = stage.getBoundingClientRect();
    return ((event.clientX - box.left) / box.width) * 100;
  };
  stage.addEventListener("pointerdown", (event) => {
    if (state.view === "difference" || event.button !== 0) return;
    const place = at(event);
    const { seen, truth } = state.cuts;
    const near = Math.abs(place - seen) - Math.abs(place - truth);
    held = near < 0 || (near === 0 && place < seen) ? "seen" : "truth";
    stage.setPointerCapture(event.pointerId);
    byId(`handle-${held}`).focus({ preventScroll: true });
    event.preventDefault();
    cut(held, place);
  });
  stage.addEventListener("pointermove", (event) => {
    if (held) cut(held, at(event));
  });
  for (const end of ["pointerup", "pointercancel"]) {
    stage.addEventListener(end, () => { held = null; });
  }
  const steps = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -10, PageUp: 10 };
  for (const which of ["seen", "truth"]) {
    byId(`handle-${which}`).addEventListener("keydown", (event) => {
      if (event.key === "Home") cut(which, 0);
      else if (event.key === "End") cut(which, 100);
      else if (event.key in steps) cut(which, state.cuts[which] + steps[event.key]);
      else return;
      event.preventDefault();
    });
  }
}

function thumbnail(src, alt) {
  const { size } = dataset();
  return make("img", { loading: "lazy", decoding: "async", width: size, height: size, alt, src });
}

function drawStrip() {
  const { seen, predicted, images } = section();
  const n = state.frame;
  const all = section().splits.test.rows.filter((row) => row.name in images);
  const rows = all.filter((row) => shows(row.name, n));
  const plain = (src, title) => make("figure", {}, thumbnail(src, title),
    make("figcaption", {}, make("span", { textContent: title })));
  const items = rows.map((row) => {
    const value = valueOf(row.name, "psnr", n);
    const text = make("figcaption", {},
      make("span", { className: "name", title: row.title, textContent: `${KINDS[row.kind].mark} ${row.title}` }),
      make("small", { textContent: value === null ? "–" : `${value.toFixed(2)} dB` }));
    const button = make("button", { type: "button", "aria-pressed": String(row.name === state.row) },
      make("figure", {}, thumbnail(predictedSource(row.name, n), row.title), text));
    button.dataset.row = row.name;
    button.addEventListener("click", () => {
      chooseRow(row.name);
      byId("strip").querySelector(`[data-row="${row.name}"]`).focus({ preventScroll: true });
    });
    return button;
  });
  byId("strip").replaceChildren(
    plain(source(seen, n), capital(seen)), plain(source(predicted, n), "Ground truth"), ...items
  );
  const without = all.length - rows.length;
  byId("not_shown").textContent = without
    ? `This frame is kept because it is an extreme of one method; ${without} other methods have no image of it.` : "";
}

function drawExtremes() {
  const key = state.extremeScore;
  const { seen, predicted, images } = section();
  const found = images[state.row].extremes[key];
  const picks = found ? [["Worst", found[0]], ["Median", found[1]], ["Best", found[2]]] : [];
  const items = found ? picks.map(([title, n]) => {
    const value = valueOf(state.row, key, n);
    const frame = dataset().frames[n].frame;
    const shown = [source(seen, n), predictedSource(state.row, n), source(predicted, n)];
    const button = make("button", { type: "button", "aria-pressed": String(n === state.frame) },
      make("span", { className: "extreme-title", textContent: `${title}: ${value.toPrecision(4)}, ${frame}` }),
      make("span", { className: "three" }, ...shown.map((src) => thumbnail(src, ""))));
    button.addEventListener("click", () => {
      state.frame = n;
      drawViewer();
      keepInAddress();
      byId("extremes").children[picks.findIndex(([one]) => one === title)].focus({ preventScroll: true });
    });
    return button;
  }) : [make("p", { textContent: "There is no value in this score here." })];
  byId("extremes").replaceChildren(...items);
  byId("extremes-note").textContent = `Of all ${dataset().scored} scored test frames: ${seen}, `
    + "prediction, ground truth. Press one to show it in detail.";
}

function drawImageChoice() {
  const { images } = section();
  const rows = section().splits.test.rows.filter((row) => row.name in images);
  const groups = Object.entries(KINDS).map(([kind, { title }]) => make("optgroup", { label: title },
    ...rows.filter((row) => row.kind === kind).map((row) => make("option", { value: row.name, textContent: row.title }))));
  byId("row").replaceChildren(...groups.filter((group) => group.children.length));
  byId("row").value = state.row;
  const frames = framesOf(state.row).map((n) => {
    const { frame, place, time } = dataset().frames[n];
    const why = n < dataset().common ? "" : "extreme for this method";
    return [String(n), [frame, place, time, why].filter(Boolean).join(", ")];
  });
  options(byId("frame"), frames, String(state.frame));
  const known = section().splits.test.columns.filter((column) => column.key in images[state.row].values);
  options(byId("extreme-score"), known.map((column) => [column.key, column.heading]), state.extremeScore);
}
