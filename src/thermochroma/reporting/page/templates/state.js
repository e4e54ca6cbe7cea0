// State of the page, and small helpers. The other scripts add the `draw...` functions.

const DATA = JSON.parse(document.getElementById("data").textContent);
const IMAGES = document.getElementById("data").dataset.images;
const KINDS = {
  method: { title: "Methods", mark: "●" },
  entry: { title: "Entries: predictions from elsewhere", mark: "◆" },
  probe: { title: "Closed form: a frozen network and ridge regression", mark: "▲" },
  trivial: { title: "Baselines: no learning", mark: "■" },
  oracle: { title: "Oracles: they see the ground truth", mark: "◇" },
};
const COMPETING = ["method", "entry"];
const TAGGED = ["entry", "oracle"];
const FIRST_COLUMNS = ["ssim", "psnr", "ciede2000"];

const state = {
  dataset: DATA[0].name,
  direction: DATA[0].sections[0].predicted,
  split: "test",
  kinds: new Set(["method", "entry", "probe", "trivial"]),
  columns: new Set(FIRST_COLUMNS),
  sort: { key: "psnr", descending: true },
  against: null,
  duelScore: "psnr",
  row: null,
  frame: null,
  view: "slide",
  edges: false,
  extremeScore: "psnr",
  reading: "validation/psnr",
  quality: "psnr",
  cuts: { seen: 33, truth: 67 },
};

const byId = (id) => document.getElementById(id);
const dataset = () => DATA.find((one) => one.name === state.dataset);
const section = () => dataset().sections.find((one) => one.predicted === state.direction);
const scores = () => section().splits[state.split];
const titleOf = (name) => section().splits.test.rows.find((row) => row.name === name).title;
const isNumber = (value) => typeof value === "number";
const methods = () => section().splits.test.rows.filter((row) => row.kind === "method");

// Frames shown for a row: those common to all rows, followed by its own extremes.
const extraOf = (row) => section().images[row].extra;
const framesOf = (row) => [...Array(dataset().common).keys(), ...extraOf(row)];
const shows = (row, n) => n < dataset().common || extraOf(row).includes(n);

function valueOf(row, key, n) {
  const place = n < dataset().common ? n : dataset().common + extraOf(row).indexOf(n);
  return section().images[row].values[key][place];
}

function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [key, value] of Object.entries(properties)) {
    if (key in element) element[key] = value;
    else element.setAttribute(key, value);
  }
  element.append(...children);
  return element;
}

function draw(tag, attributes = {}, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

function options(select, pairs, chosen) {
  select.replaceChildren(
    ...pairs.map(([value, text]) => make("option", { value, textContent: text }))
  );
  if (chosen !== null) select.value = chosen;
}

function duelOf(score, one, other) {
  const found = section().duels[score].find((met) => met.one === one && met.other === other);
  return found ? found.duel : null;
}

// Without a test (p is null) nothing is said. A pair's own interval may leave out zero where the test,
// which is corrected for all pairs, does not tell the two apart: both are said.
const tested = (duel) => isNumber(duel.p);
const leavesOutZero = (duel) => duel.outcome === "alike" && tested(duel) && isNumber(duel.low)
  && (duel.low > 0 || duel.high < 0);
const HALF = "the interval of this pair alone leaves out zero, but the test, corrected for all pairs, "
  + "does not tell the two apart";

function signOf(duel) {
  return tested(duel) ? { better: "▲", worse: "▼", alike: "=" }[duel.outcome] : "–";
}

function wordsOf(duel) {
  if (!tested(duel)) return "not tested";
  if (leavesOutZero(duel)) return "cannot be told apart by the test";
  return { better: "better", worse: "worse", alike: "cannot be told apart" }[duel.outcome];
}

// A number as text with a sign, so that a loss is never read as a gain.
function signed(value, decimals) {
  const text = Math.abs(value).toFixed(decimals);
  if (Number(text) === 0) return text;
  return (value > 0 ? "+" : "−") + text;
}

const decimalsOf = (score) => (score === "psnr" ? 2 : 3);
const unitOf = (score) => (score === "psnr" ? " dB" : "");
