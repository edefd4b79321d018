"use strict";
// The map of a run's representations, colored by class or by a factor; pointing at a place shows its view.

async function pageMap(main, params) {
  const questions = await load("questions");
  await loadLatents();
  const state = { run: numberFrom(params, "run", site.runs.length), map: params.get("map") ?? "map0", color: params.get("color") ?? "class", only: null };
  const card = make("a", { class: "card", hidden: true }), told = make("p", { class: "faint", role: "status" });
  const legend = make("div", { class: "legend" }), choices = make("div", { class: "choices" }), python = makePython();
  const scatter = makeScatter("Map of representations: a point for each view. Arrow keys walk through it, Enter opens the object.", point,
    view => goTo("object", { object: site.objects.index[placeOf(view)], view: view % site.numViews }));
  const zooms = make("div", { class: "zooms buttons" }, [["+", "Closer", () => scatter.zoomBy(1.5)], ["−", "Farther", () => scatter.zoomBy(1 / 1.5)], ["⌂", "All", () => scatter.home()]]
    .map(([sign, text, action]) => make("button", { type: "button", class: "step", "aria-label": text, title: text, onclick: action }, sign)));
  main.append(make("div", { class: "map" }, make("div", { class: "sheet" }, scatter.element, zooms, card),
    make("aside", {}, make("h1", {}, "Map"), choices, told, legend), python.element));
  let classes = null, coloring = null;

  async function showRun() {
    const run = site.runs[state.run], maps = run.maps, map = maps.find(one => one.key === state.map) ?? maps[0];
    const [data, found] = await Promise.all([loadRun(run, "map"), classesOf(run, questions)]);
    classes = found;
    choices.replaceChildren(
      makeSelect("Run", site.runs.map((one, i) => [i, one.name]), state.run, value => { state.run = Number(value); showRun().catch(showError); }),
      makeSelect("Map", maps.map(one => [one.key, `${one.part}, ${one.kind}`]), map.key, value => { state.map = value; showRun().catch(showError); }),
      makeSelect("Color", colorings(true), state.color, value => { state.color = value; state.only = null; paint(); }));
    told.textContent = map.shares.length ? `Two principal components hold ${map.shares.map(share => `${(100 * share).toFixed(0)} %`).join(" and ")} of the variance.` : "";
    scatter.show(pointsOf(data.places, data[map.key]));
    paint();
  }

  function paint() {
    coloring = makeColoring(state.color, classes);
    const share = coloring.entries && countEntries(coloring);
    legend.replaceChildren(...(coloring.scale ? [makeScale(coloring.scale)] : coloring.entries.map(([color, text], i) => make("button", {
      type: "button", class: "entry", "aria-pressed": String(state.only === i), onclick: () => { state.only = state.only === i ? null : i; paint(); },
    }, make("span", { class: "dot", style: { background: color } }), text, make("small", {}, share[i])))));
    scatter.paint(coloring.color, view => state.only !== null && coloring.keyOf(view) !== state.only);
    keepInAddress(main, { run: state.run || "", map: state.map === "map0" ? "" : state.map, color: state.color });
    python.show(pythonOfMap(site.runs[state.run], site.runs[state.run].maps.find(map => map.key === state.map) ?? site.runs[state.run].maps[0]));
  }

  function countEntries({ entries, keyOf }) {
    const counts = entries.map(() => 0);
    for (let view = 0; view < site.numShown; view++) counts[keyOf(view)]++;
    return counts.map(thousands);
  }

  function point(view, x, y) {
    card.hidden = view === null;
    if (view === null) return;
    const place = placeOf(view), found = classes.get(view);
    const factor = coloring.scale?.factor, column = site.factors.indexOf(factor);
    card.setAttribute("href", addressOf("object", { object: site.objects.index[place], view: view % site.numViews }));
    card.replaceChildren(picture(view), make("span", {}, make("strong", {}, className(place)), make("small", {}, `view ${view % site.numViews} of ${site.ids[place]}`),
      factor && make("small", {}, `${tellFactor(factor)} ${tellValue(factor, latent(view, column))}`),
      found && make("small", { class: found.isRight ? "good" : "bad" }, `neighbours say ${found.name}`)));
    const box = scatter.element;
    card.style.setProperty("left", `${x > box.clientWidth - 280 ? Math.max(0, x - 274) : x + 14}px`);
    card.style.setProperty("top", `${clamp(y - 50, 4, Math.max(4, box.clientHeight - 118))}px`);
    told.textContent = tellView(view);
  }

  addEventListener("themechange", paint, { signal: leaving.signal });
  await showRun();
}

/** Points in an order that has nothing to do with their class, so that none hides the others. */
function pointsOf(places, positions) {
  const number = positions.length / 2, order = Array.from({ length: number }, (_, i) => i);
  let seed = 1;
  for (let i = number - 1; i > 0; i--) {
    seed = seed * 1664525 + 1013904223 >>> 0;
    const other = seed % (i + 1);
    [order[i], order[other]] = [order[other], order[i]];
  }
  return {
    views: order.map(i => places[Math.floor(i / site.numViews)] * site.numViews + i % site.numViews),
    xs: order.map(i => positions[2 * i] / 65535), ys: order.map(i => positions[2 * i + 1] / 65535),
  };
}

function makeScale({ factor, steps }) {
  const bar = make("div", { class: "scale", style: { background: `linear-gradient(to right, ${steps.join(",")})` } });
  return make("div", {}, bar, make("div", { class: "line" }, make("span", {}, tellValue(factor, factor.low)), make("output", {}, tellValue(factor, factor.high))));
}
