"use strict";
// What runs make of the views: positions on maps, classes by neighbours, answers of predictors.

function loadRun(run, what) {
  return load(`${run.key}-${what}`);
}

/** The view of a number among all candidates, the views held out. */
function viewOfCandidate(questions, number) {
  return questions.candidates[Math.floor(number / site.numViews)] * site.numViews + number % site.numViews;
}

/** For each view held out, the class that a run finds by neighbours and whether it is right. */
async function classesOf(run, questions) {
  const { label, share } = await loadRun(run, "classes"), found = new Map();
  label.forEach((value, number) => {
    const view = viewOfCandidate(questions, number);
    found.set(view, { label: value, name: site.names.get(value) ?? "?", share: share[number] / 255, isRight: value === site.objects.label[placeOf(view)] });
  });
  return found;
}

/** A part of an array of answers by the indices before its last axes. */
function slice(array, sizes, indices, length) {
  const start = indices.reduce((sum, index, axis) => sum * sizes[axis] + index, 0) * length;
  return array.subarray(start, start + length);
}

/** What the prediction from a source view to a target view finds. */
function findTarget(answers, questions, place, source, target) {
  const sizes = [questions.places.length, questions.sources.length, site.numViews];
  const at = [questions.places.indexOf(place), questions.sources.indexOf(source), target];
  const number = sizes.reduce((product, size) => product * size);
  return {
    found: slice(answers.found, sizes, at, answers.found.length / number),
    own: slice(answers.own, sizes, at, answers.own.length / number),
    rank: slice(answers.rank, sizes, at, 1)[0],
  };
}

/** What lies nearest to a source view as it is. */
function findUnmoved(answers, questions, place, source) {
  const sizes = [questions.places.length, questions.sources.length];
  const at = [questions.places.indexOf(place), questions.sources.indexOf(source)];
  return slice(answers.unmoved, sizes, at, answers.unmoved.length / (sizes[0] * sizes[1]));
}

/** What a turn of a source view about an axis finds, at every step. */
function findSteered(answers, questions, place, source, axis) {
  const sizes = [questions.steeredPlaces.length, questions.steeredSources.length, 3, questions.degrees.length];
  const number = answers.steeredFound.length / (sizes[0] * sizes[1] * sizes[2] * sizes[3]);
  const at = step => [questions.steeredPlaces.indexOf(place), questions.steeredSources.indexOf(source), axis, step];
  return questions.degrees.map((_, step) => ({
    found: slice(answers.steeredFound, sizes, at(step), number), own: slice(answers.steeredOwn, sizes, at(step), 1)[0],
  }));
}

/** A picture with a line under it, which leads to the object. */
function captioned(view, lines, kind = "") {
  return make("a", { class: `captioned ${kind}`, href: addressOf("object", { object: site.objects.index[placeOf(view)], view: view % site.numViews }), title: tellView(view) },
    picture(view), lines.map(text => make("small", {}, text)));
}

function tellDegrees(degrees) {
  return `${degrees.toFixed(0)}°`;
}

function ordinal(number) {
  const last = number % 10, teen = Math.floor(number / 10) % 10 === 1;
  return number + (teen ? "th" : { 1: "st", 2: "nd", 3: "rd" }[last] ?? "th");
}
