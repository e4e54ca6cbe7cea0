// The view in the address: data set, direction, row and frame, so that it can be passed on.

function linkOf(part) {
  const { frame } = dataset().frames[state.frame];
  const said = { dataset: state.dataset, direction: state.direction, row: state.row, frame };
  return `#${new URLSearchParams(part ? { ...said, part } : said)}`;
}

// Only what a reader chooses changes the address: an untouched page keeps its own.
function keepInAddress(part) {
  window.history.replaceState(null, "", linkOf(part));
}

// Takes what the address asks for; says what this page does not have, and shows the usual view instead.
function readAddress() {
  const asked = new URLSearchParams(window.location.hash.slice(1));
  const lost = [];
  const take = (key, take) => {
    const value = asked.get(key);
    if (value !== null && !take(value)) lost.push(`${key} “${value}”`);
  };
  take("dataset", (name) => {
    if (!DATA.some((one) => one.name === name)) return false;
    state.dataset = name;
    state.direction = dataset().sections[0].predicted;
    return true;
  });
  take("direction", (spectrum) => {
    if (!dataset().sections.some((one) => one.predicted === spectrum)) return false;
    state.direction = spectrum;
    return true;
  });
  take("row", (name) => {
    if (!Object.hasOwn(section().images, name)) return false;
    state.row = name;
    return true;
  });
  if (!Object.hasOwn(section().images, state.row)) state.row = firstRow(section());
  take("frame", (name) => {
    const n = dataset().frames.findIndex((one) => one.frame === name);
    if (n < 0 || !shows(state.row, n)) return false;
    state.frame = n;
    return true;
  });
  byId("link-told").hidden = !lost.length;
  byId("link-told").textContent = lost.length
    ? `The link asks for ${lost.join(", ")}, which this page does not have; it shows something else.` : "";
}

// Headings of the page are reached without losing the view from the address.
function goTo(part) {
  const found = byId(part);
  if (!found) return;
  found.tabIndex = -1;
  found.scrollIntoView();
  found.focus({ preventScroll: true });
}

function listenToLinks() {
  for (const anchor of document.querySelectorAll("nav a, .skip")) {
    anchor.addEventListener("click", (event) => {
      const part = anchor.getAttribute("href").slice(1);
      event.preventDefault();
      keepInAddress(part);
      goTo(part);
    });
  }
  window.addEventListener("hashchange", () => {
    if (!window.location.hash.includes("=")) return;
    readAddress();
    drawAll();
    goTo(new URLSearchParams(window.location.hash.slice(1)).get("part"));
  });
}
