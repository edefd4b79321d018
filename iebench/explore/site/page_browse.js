"use strict";
// All objects by class, or all views, filtered by words, classes, splits and ranges of factors.

const MOST_HISTOGRAMS = 24;  // each takes a bit of a view's mask

function pageBrowse(main, params) {
  const state = {
    words: params.get("q") ?? "", labels: new Set((params.get("class") ?? "").split(",").filter(Boolean).map(Number)),
    split: params.get("split") ?? "", mode: params.get("show") ?? "objects", ranges: readRanges(params),
  };
  const told = make("p", { class: "told", role: "status" });
  const python = makePython();
  const grid = makeGrid(value => state.mode === "views" ? viewLink(value) : objectLink(value), { size: innerWidth < 600 ? 80 : 104, empty: "Nothing is like that: widen a range, or clear all." });
  const masks = new Uint32Array(site.numShown), plots = [];
  const search = make("input", { type: "search", id: "search", placeholder: "Class or object", "aria-label": "Search classes and objects", value: state.words, oninput: () => { state.words = search.value; refresh(); } });
  const chips = site.classes.map(entry => make("button", {
    type: "button", class: "chip", "aria-pressed": String(state.labels.has(entry.label)), onclick: event => toggle(entry.label, event.currentTarget),
  }, entry.name, make("small", {}, thousands(site.byLabel.get(entry.label).length))));
  const histograms = make("section", { class: "histograms", "aria-label": "Factors" });
  const reset = make("button", { type: "button", class: "quiet", onclick: () => { location.hash = "#browse"; } }, "Clear all");
  const splits = makeChoice("Split", [["", "All"], ...site.splits.map(split => [split, split])], state.split, split => { state.split = split; refresh(); });
  const modes = makeChoice("Show", [["objects", "Objects"], ["views", "Views"]], state.mode, mode => { state.mode = mode; refresh(); });
  const filters = make("details", { class: "filters", open: innerWidth >= 900 }, make("summary", {}, "Filters"),
    make("div", { class: "panel" }, search, splits, make("div", { class: "chips", role: "group", "aria-label": "Classes" }, chips), histograms));
  main.append(make("div", { class: "browse" }, filters,
    make("div", { class: "found" }, make("div", { class: "bar" }, told, reset, modes), python.element, grid.element)));

  function toggle(label, button) {
    state.labels.has(label) ? state.labels.delete(label) : state.labels.add(label);
    button.setAttribute("aria-pressed", String(state.labels.has(label)));
    refresh();
  }

  function readMask(column) {
    const range = state.ranges.get(column), factor = site.factors[column], bit = 1 << column;
    const [low, high] = range ? [range[0] <= factor.low ? -Infinity : range[0], range[1] >= factor.high ? Infinity : range[1]] : [-Infinity, Infinity];
    for (let view = 0; view < masks.length; view++) {
      const value = latent(view, column);
      masks[view] = value >= low && value <= high ? masks[view] & ~bit : masks[view] | bit;
    }
  }

  function objectsLeft() {
    const words = state.words.toLowerCase().split(/\s+/).filter(Boolean);
    const synsets = new Map(site.classes.map(entry => [entry.label, entry.synset]));
    return allPlaces().filter(place => {
      const label = site.objects.label[place];
      if (state.labels.size && !state.labels.has(label)) return false;
      if (state.split && splitName(place) !== state.split) return false;
      const name = `${className(place)} ${synsets.get(label)} ${site.ids[place]}`.toLowerCase();
      return words.every(word => name.includes(word));
    });
  }

  function refresh() {
    const places = objectsLeft(), waits = state.ranges.size > 0 && !site.latents;
    const matching = places.map(place => [place, viewsOf(place).filter(view => !masks[view])]).filter(([, views]) => views.length);
    const numViews = matching.reduce((sum, [, views]) => sum + views.length, 0);
    told.replaceChildren(...(waits ? ["Filtered as soon as the factors are there"] : [make("strong", {}, count(matching.length, "object")), `, ${count(numViews, "view")}`]));
    reset.hidden = !(state.words || state.labels.size || state.split || state.ranges.size);
    grid.show(site.classes.map(({ label, name }) => {
      const own = matching.filter(([place]) => site.objects.label[place] === label);
      const items = state.mode === "views" ? own.flatMap(([, views]) => views) : own.map(([place, views]) => [place, views[0]]);
      return { title: name, note: thousands(items.length), items };
    }));
    histograms.classList.toggle("filtered", state.ranges.size > 0);
    showHistograms(places);
    python.show(pythonOfChoice({ labels: [...state.labels].sort((a, b) => a - b), split: state.split, words: state.words.toLowerCase().split(/\s+/).filter(Boolean), ranges: state.ranges }));
    keepInAddress(main, { q: state.words, class: [...state.labels].join(","), split: state.split, show: state.mode === "views" ? "views" : "", ...writeRanges(state.ranges) });
  }

  function showHistograms(places) {
    plots.forEach((plot, column) => {
      const factor = site.factors[column], others = ~(1 << column);
      const all = new Uint32Array(BINS), chosen = new Uint32Array(BINS);
      for (const place of places) {
        for (let view = place * site.numViews; view < (place + 1) * site.numViews; view++) {
          if (masks[view] & others) continue;
          const bin = clamp(Math.floor((latent(view, column) - factor.low) / rangeOf(factor) * BINS), 0, BINS - 1);
          all[bin]++;
          if (!masks[view]) chosen[bin]++;
        }
      }
      plot.show(all, chosen);
    });
  }

  const refreshSoon = oncePerFrame(refresh);
  refresh();
  latentsAfter(grid.element, histograms).then(areThere => areThere ? addHistograms() : forgetRanges()).catch(showError);

  function addHistograms() {
    site.factors.slice(0, MOST_HISTOGRAMS).forEach((factor, column) => {
      readMask(column);
      plots.push(makeHistogram(factor, state.ranges.get(column) ?? null, range => {
        range ? state.ranges.set(column, range) : state.ranges.delete(column);
        readMask(column);
        refreshSoon();
      }));
    });
    histograms.append(make("h2", {}, "Factors"), make("p", { class: "faint" }, "Drag over a histogram to choose a range."), ...plots.map(plot => plot.element));
    refresh();
  }

  function forgetRanges() {
    state.ranges.clear();
    refresh();
  }
}

function viewLink(view) {
  return make("a", { class: "cell", href: addressOf("object", { object: site.objects.index[placeOf(view)], view: view % site.numViews }), title: tellView(view) }, picture(view));
}

function objectLink([place, view]) {
  const own = view % site.numViews;
  return make("a", { class: "cell", href: addressOf("object", { object: site.objects.index[place], view: own }), title: site.ids[place] }, own ? picture(view) : cover(place));
}

function readRanges(params) {
  const ranges = new Map();
  site.factors.slice(0, MOST_HISTOGRAMS).forEach((factor, column) => {
    const [low, high] = (params.get(factor.name) ?? "").split(":").map(Number);
    if (low < high) ranges.set(column, [low, high]);
  });
  return ranges;
}

function writeRanges(ranges) {
  return Object.fromEntries(site.factors.map((factor, column) => [factor.name, ranges.has(column) ? ranges.get(column).map(digits).join(":") : ""]));
}
