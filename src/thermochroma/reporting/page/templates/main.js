// Connects controls to the state, and the state to the page.

function drawAll() {
  const found = section();
  const direction = byId("choose-direction");
  direction.hidden = dataset().sections.length < 2;
  for (const input of direction.querySelectorAll("input")) {
    input.checked = input.value === state.direction;
    input.parentElement.hidden = !dataset().sections.some((one) => one.predicted === input.value);
  }
  for (const input of byId("choose-dataset").querySelectorAll("input")) {
    input.checked = input.value === state.dataset;
  }
  for (const input of byId("choose-kinds").querySelectorAll("input")) {
    input.parentElement.hidden = !found.splits.test.rows.some((row) => row.kind === input.value);
  }
  for (const block of document.querySelectorAll(".verdict")) {
    const { dataset: name, direction: predicted } = block.dataset;
    block.hidden = name !== state.dataset || predicted !== state.direction;
  }
  const names = [...new Set(found.duels.psnr.map((one) => one.one))];
  if (!names.includes(state.against)) state.against = names.includes(found.reference) ? found.reference : null;
  options(byId("against"), names.map((name) => [name, titleOf(name)]), state.against);
  if (!(state.row in found.images)) state.row = firstRow(found);
  if (state.frame === null || !shows(state.row, state.frame)) state.frame = usualFrame(found);
  if (!(state.extremeScore in found.images[state.row].values)) state.extremeScore = "psnr";
  for (const span of document.querySelectorAll(".reference-name")) {
    span.textContent = found.reference.replaceAll("_", " ");
  }
  drawColumnChoice();
  drawTable();
  drawDuels();
  drawImageChoice();
  drawViewer();
  drawCurves();
  drawScatter();
  drawPerception();
}

// The best method or entry by PSNR that has images; without any, another row.
function firstRow(found) {
  const rows = found.splits.test.rows.filter((row) => row.name in found.images);
  const competing = rows.filter((row) => COMPETING.includes(row.kind));
  const value = (row) => (row.cells.psnr ? row.cells.psnr[0] : -Infinity);
  return (competing.length ? competing : rows).sort((a, b) => value(b) - value(a))[0].name;
}

// The common frame on which the chosen row has its median PSNR.
function usualFrame(found) {
  const { values: known } = found.images[state.row];
  const values = known.psnr.slice(0, dataset().common).map((value, n) => [value, n]);
  values.sort((a, b) => a[0] - b[0]);
  return values[Math.floor((values.length - 1) / 2)][1];
}

function onChange(selector, then) {
  for (const input of document.querySelectorAll(selector)) {
    input.addEventListener("change", () => then(input));
  }
}

function chooseRow(name) {
  state.row = name;
  if (!shows(name, state.frame)) state.frame = usualFrame(section());
  drawImageChoice();
  drawViewer();
  keepInAddress();
}

function step(by) {
  const frames = framesOf(state.row);
  state.frame = frames[(frames.indexOf(state.frame) + by + frames.length) % frames.length];
  drawViewer();
  keepInAddress();
}

onChange("[name=dataset]", (input) => {
  state.dataset = input.value;
  state.direction = dataset().sections[0].predicted;
  state.frame = null; // frames of one data set say nothing of another's
  drawAll();
  keepInAddress();
});
onChange("[name=direction]", (input) => {
  state.direction = input.value;
  drawAll();
  keepInAddress();
});
onChange("[name=split]", (input) => { state.split = input.value; drawColumnChoice(); drawTable(); });
onChange("[name=kind]", (input) => {
  if (input.checked) state.kinds.add(input.value);
  else state.kinds.delete(input.value);
  drawTable();
});
onChange("#against", (input) => { state.against = input.value; drawTable(); });
onChange("[name=duel-score]", (input) => { state.duelScore = input.value; drawDuels(); });
onChange("#row", (input) => { chooseRow(input.value); });
onChange("#frame", (input) => {
  state.frame = Number(input.value);
  drawViewer();
  keepInAddress();
});
onChange("[name=view]", (input) => { state.view = input.value; drawViewer(); });
onChange("#edges", (input) => { state.edges = input.checked; drawViewer(); });
onChange("#extreme-score", (input) => { state.extremeScore = input.value; drawExtremes(); });
onChange("[name=reading]", (input) => { state.reading = input.value; drawCurves(); });
onChange("[name=quality]", (input) => { state.quality = input.value; drawScatter(); });
byId("before").addEventListener("click", () => step(-1));
byId("after").addEventListener("click", () => step(1));
window.matchMedia("(max-width: 640px)").addEventListener("change", () => {
  drawScatter();
  drawPerception();
});
window.addEventListener("beforeprint", () => {
  for (const one of document.querySelectorAll("details.more")) one.open = true;
});
listenToHandles();
listenToLinks();
readAddress();
drawAll();
goTo(new URLSearchParams(window.location.hash.slice(1)).get("part"));
document.documentElement.dataset.ready = "true";
