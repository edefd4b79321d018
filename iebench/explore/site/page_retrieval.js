"use strict";
// Retrieval: from a source view and a turn, the views nearest to the predicted embedding, beside the truth.

async function pageRetrieval(main, params) {
  const questions = await load("questions");
  const [answers] = await Promise.all([Promise.all(site.runs.map(run => loadRun(run, "answers"))), loadLatents()]);
  const places = Array.from(questions.places), place = placeFrom(params, places), first = place * site.numViews;
  let source = questions.sources.includes(Number(params.get("source"))) ? Number(params.get("source")) : questions.sources[0];
  let target = numberFrom(params, "target", site.numViews, Math.min(1, site.numViews - 1));
  const words = make("p", { class: "words" }), found = make("div", { class: "answers" }), python = makePython();
  const pictures = { source: make("div"), target: make("div") };
  const strips = {
    source: makeStrip("Source view", questions.sources.map(view => first + view), first + source, view => { source = view - first; show(); }),
    target: makeStrip("Target view, which sets the turn", viewsOf(place), first + target, view => { target = view - first; show(); }),
  };
  const side = (name, title, text) => make("section", { class: `side ${name}` }, make("h2", {}, title, " ", make("span", { class: "faint" }, text)), pictures[name], strips[name].element);
  main.append(make("div", { class: "retrieval" },
    make("div", { class: "head" }, makeTitle(place), makeObjectPicker(place, places, next => goTo("retrieval", { object: site.objects.index[next] }))),
    make("div", { class: "asked" }, side("source", "Source", "where it starts"), side("target", "Target", "the truth"), words),
    found, python.element));

  function show() {
    pictures.source.replaceChildren(picture(first + source, { class: "large" }));
    pictures.target.replaceChildren(picture(first + target, { class: "large" }));
    strips.source.show(first + source);
    strips.target.show(first + target);
    words.textContent = tellTransform(first + source, first + target, site.rotation && relativeRotation(quaternionOf(first + source), quaternionOf(first + target)));
    found.replaceChildren(...site.runs.map((run, i) => answerOf(run, answers[i])));
    python.show(pythonOfRetrieval(site.runs.find(run => run.predicts) ?? site.runs[0], first + source, target));
    remembered.object = site.objects.index[place];
    keepInAddress(main, { object: remembered.object, source, target });
  }

  function answerOf(run, own) {
    const unmoved = makeNeighbours("Without a predictor: nearest to the source as it is", findUnmoved(own, questions, place, source));
    if (!run.predicts) return make("section", { class: "answer", "data-run": run.name }, make("h2", {}, run.name, " ", make("span", { class: "faint" }, "has no predictor")), unmoved);
    const { found: all, own: order, rank } = findTarget(own, questions, place, source, target);
    return make("section", { class: "answer", "data-run": run.name },
      make("h2", {}, run.name, " ", make("span", { class: rank === 1 ? "good" : "faint" }, `the target is ${ordinal(rank)} of the object's ${site.numViews} views`)),
      makeNeighbours("Nearest to the prediction, of all views held out", all),
      make("p", { class: "faint" }, "Nearest of the object's own views"),
      make("div", { class: "neighbours" }, Array.from(order, view => captioned(first + view, [view === target ? "the target" : offBy(first + view)], view === target ? "right" : ""))),
      make("details", {}, make("summary", {}, "Without the prediction"), unmoved));
  }

  function offBy(view) {
    return site.rotation ? `off ${tellDegrees(degreesBetween(quaternionOf(view), quaternionOf(first + target)))}` : `view ${view % site.numViews}`;
  }

  function makeNeighbours(text, numbers) {
    const views = Array.from(numbers, number => viewOfCandidate(questions, number));
    return make("div", {}, make("p", { class: "faint" }, text), make("div", { class: "neighbours" }, views.map(view => captioned(view,
      [view === first + target ? "the target" : offBy(view), placeOf(view) === place ? "itself" : className(placeOf(view))], view === first + target ? "right" : placeOf(view) === place ? "same" : ""))));
  }
  show();
}
