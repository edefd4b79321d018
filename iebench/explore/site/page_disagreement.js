"use strict";
// Where two runs disagree: views of which one finds the right class and the other does not, or pairs, by their predictions.

const CELLS = [["first", "only"], ["second", "only"], ["both", ""], ["neither", ""]];

async function pageDisagreement(main, params) {
  const questions = await load("questions");
  await loadLatents();
  const state = { first: numberFrom(params, "first", site.runs.length, 0), second: numberFrom(params, "second", site.runs.length, 1), by: params.get("by") ?? "class", cell: params.get("cell") ?? "first" };
  const choices = make("div", { class: "choices" }), cells = make("div", { class: "cells", role: "group", "aria-label": "Who is right" });
  const told = make("p", { class: "faint" }), python = makePython(), holder = make("div");
  main.append(make("div", { class: "disagreement" }, make("div", { class: "head" }, make("h1", {}, "Where two runs disagree"), choices), told, cells, python.element, holder));

  async function show() {
    const pair = [site.runs[state.first], site.runs[state.second]], names = site.runs.map((run, i) => [i, run.name]);
    const bothPredict = pair.every(run => run.predicts);
    if (!bothPredict) state.by = "class";
    choices.replaceChildren(
      makeSelect("First", names, state.first, value => { state.first = Number(value); show().catch(showError); }),
      makeSelect("Second", names, state.second, value => { state.second = Number(value); show().catch(showError); }),
      ...(bothPredict ? [makeSelect("By", [["class", "class of a view"], ["rotation", "rotation of a pair"]], state.by, value => { state.by = value; show().catch(showError); })] : []));
    told.textContent = state.by === "class" ? `The class of each view held out, by the votes of its 20 nearest training views; no probe is trained. Under each view: what ${pair[0].name} says, then ${pair[1].name}.`
      : `Whether the prediction from a source view finds the target first among the object's own views. Under each target: its rank by ${pair[0].name}, then by ${pair[1].name}.`;
    const items = state.by === "class" ? await compareClasses(pair, questions) : await comparePairs(pair, questions);
    const groups = Object.fromEntries(CELLS.map(([name]) => [name, items.filter(item => cellOf(item) === name).sort((a, b) => b.weight - a.weight)]));
    const texts = { first: `only ${pair[0].name} is right`, second: `only ${pair[1].name} is right`, both: "both are right", neither: "neither is right" };
    cells.replaceChildren(...CELLS.map(([name]) => make("button", { type: "button", class: "cell-choice", "data-cell": name, "aria-pressed": String(state.cell === name), onclick: () => { state.cell = name; show().catch(showError); } },
      make("strong", {}, thousands(groups[name].length)), make("span", {}, texts[name]), make("small", {}, `${(100 * groups[name].length / Math.max(items.length, 1)).toFixed(1)} %`))));
    showItems(groups[state.cell], pair);
    python.show(pythonOfViews(groups[state.cell], texts[state.cell]));
    keepInAddress(main, { first: state.first, second: state.second, by: state.by, cell: state.cell });
  }

  function showItems(items, pair) {
    const grid = makeGrid(item => itemLink(item, pair), { size: 112, caption: 42, empty: "There are none." });
    holder.replaceChildren(grid.element);
    grid.show(site.classes.map(({ label, name }) => {
      const own = items.filter(item => site.objects.label[placeOf(item.view)] === label);
      return { title: name, note: thousands(own.length), items: own };
    }));
  }
  await show();
}

function cellOf({ isRight: [first, second] }) {
  return first ? (second ? "both" : "first") : second ? "second" : "neither";
}

async function compareClasses(pair, questions) {
  const [first, second] = await Promise.all(pair.map(run => classesOf(run, questions)));
  return Array.from(first, ([view, found]) => {
    const other = second.get(view);
    return { view, isRight: [found.isRight, other.isRight], weight: found.share * other.share, texts: [found.name, other.name] };
  });
}

async function comparePairs(pair, questions) {
  const answers = await Promise.all(pair.map(run => loadRun(run, "answers"))), items = [];
  questions.places.forEach((place, row) => questions.sources.forEach((source, column) => {
    for (let target = 0; target < site.numViews; target++) {
      if (target === source) continue;
      const at = (row * questions.sources.length + column) * site.numViews + target, ranks = answers.map(answer => answer.rank[at]);
      items.push({ view: place * site.numViews + target, source, isRight: ranks.map(rank => rank === 1), weight: Math.abs(ranks[0] - ranks[1]), texts: ranks.map(ordinal) });
    }
  }));
  return items;
}

function itemLink(item, pair) {
  const place = placeOf(item.view), object = site.objects.index[place], own = item.view % site.numViews;
  const address = item.source === undefined ? addressOf("object", { object, view: own }) : addressOf("retrieval", { object, source: item.source, target: own });
  const line = number => make("small", { class: item.isRight[number] ? "good" : "bad", title: `${pair[number].name}: ${item.texts[number]}` }, `${item.isRight[number] ? "✓" : "✗"} ${item.texts[number]}`);
  return make("a", { class: "cell captioned", href: address, title: tellView(item.view) }, picture(item.view), line(0), line(1));
}
