// Matrix of every method against every other, best first: a sign and a number, never colour alone.

function drawDuels() {
  const score = state.duelScore;
  const met = section().duels[score];
  const mean = (name) => section().splits.test.rows.find((row) => row.name === name).cells[score][0];
  if (!met.length) {
    byId("duel-table").replaceChildren(make("caption", { textContent: "Nothing to compare." }));
    return;
  }
  const names = [...new Set(met.map((one) => one.one))].sort((a, b) => mean(b) - mean(a));
  const head = make("tr", {}, make("th", { scope: "col", textContent: "Row minus column" }));
  names.forEach((name, place) => {
    head.append(make("th", { scope: "col", title: titleOf(name) },
      make("span", { className: "turned", textContent: `${place + 1} ${titleOf(name)}` })));
  });
  const body = make("tbody");
  names.forEach((one, place) => {
    const title = `${place + 1} ${titleOf(one)}`;
    const line = make("tr", {}, make("th", { scope: "row", textContent: title }));
    for (const other of names) line.append(duelCell(score, one, other));
    body.append(line);
  });
  byId("duel-told").textContent = "";
  byId("duel-table").replaceChildren(make("thead", {}, head), body);
}

function duelCell(score, one, other) {
  if (one === other) return make("td", { className: "self", textContent: "·" });
  const duel = duelOf(score, one, other);
  const decimals = decimalsOf(score);
  if (duel.difference === null) return make("td", { className: "empty", textContent: "–" });
  const interval = isNumber(duel.low)
    ? `, interval ${signed(duel.low, decimals)} to ${signed(duel.high, decimals)}` : "";
  const p = tested(duel) ? `, corrected p ${duel.p.toFixed(4)}` : "";
  const title = `${titleOf(one)} minus ${titleOf(other)}: `
    + `${signed(duel.difference, decimals)}${unitOf(score)}${interval}${p}: `
    + (leavesOutZero(duel) ? HALF : wordsOf(duel));
  const cell = make("td", { className: `met ${duel.outcome}`, title },
    make("b", { textContent: signOf(duel), role: "img", "aria-label": wordsOf(duel) }),
    make("span", { textContent: signed(duel.difference, decimals) }));
  cell.addEventListener("click", () => { byId("duel-told").textContent = title; });
  return cell;
}
