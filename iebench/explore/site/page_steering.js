"use strict";
// Steering: the predictor turns a source view about an axis of the object, step by step, and real views show where that leads.

async function pageSteering(main, params) {
  const questions = await load("questions"), runs = site.runs.filter(run => run.steers);
  const [answers] = await Promise.all([Promise.all(runs.map(run => loadRun(run, "answers"))), loadLatents()]);
  const places = Array.from(questions.steeredPlaces), place = placeFrom(params, places), first = place * site.numViews, degrees = questions.degrees;
  let source = questions.steeredSources.includes(Number(params.get("source"))) ? Number(params.get("source")) : questions.steeredSources[0];
  let axis = numberFrom(params, "axis", 3, 2), step = Math.max(0, degrees.indexOf(Number(params.get("degrees") ?? 0)));
  const gizmo = makeGizmo(), shown = make("div"), found = make("div", { class: "answers" }), python = makePython(), told = make("output");
  const strip = makeStrip("Source view", questions.steeredSources.map(view => first + view), first + source, view => { source = view - first; show(); });
  const slider = make("input", { type: "range", min: degrees[0], max: degrees.at(-1), step: degrees[1] - degrees[0], value: degrees[step], "aria-label": "Turn in degrees", oninput: () => { step = degrees.indexOf(Number(slider.value)); show(); } });
  const axes = makeChoice("Axis of the object", [[0, "x"], [1, "y"], [2, "z"]], axis, next => { axis = next; show(); });
  main.append(make("div", { class: "retrieval" },
    make("div", { class: "head" }, makeTitle(place), makeObjectPicker(place, places, next => goTo("steering", { object: site.objects.index[next], axis, degrees: degrees[step] }))),
    make("div", { class: "asked" }, make("section", { class: "side" }, make("h2", {}, "Source"), shown, strip.element),
      make("section", { class: "side" }, make("h2", {}, "Wanted"), gizmo.element),
      make("div", { class: "steer" }, make("div", { class: "line" }, make("span", {}, "Turn about the object's"), axes, told), slider)), found, python.element));

  function show() {
    const turn = turnAbout(AXES[axis][1], degrees[step]), wanted = compose(quaternionOf(first + source), turn);
    shown.replaceChildren(picture(first + source, { class: "large" }));
    strip.show(first + source);
    told.textContent = `${degrees[step]}°`.replace("-", "−");
    slider.setAttribute("aria-valuetext", told.textContent);
    gizmo.show({ ...sceneOf(first + source), axis: rotate(quaternionOf(first + source), AXES[axis][1]), rotations: [{ quaternion: quaternionOf(first + source), faint: true }, { quaternion: wanted }] },
      `The source's axes, faint, and where a turn of ${degrees[step]}° about ${AXES[axis][0]} leads`);
    found.replaceChildren(...runs.map((run, i) => answerOf(run, findSteered(answers[i], questions, place, source, axis), wanted)));
    python.show(pythonOfSteering(runs[0], first + source, axis, degrees[step]));
    remembered.object = site.objects.index[place];
    keepInAddress(main, { object: remembered.object, source, axis, degrees: degrees[step] });
  }

  function answerOf(run, steps, wanted) {
    const at = number => compose(quaternionOf(first + source), turnAbout(AXES[axis][1], degrees[number]));
    const off = (view, goal) => degreesBetween(quaternionOf(view), goal);
    const ofAll = steps.map(({ found: all }, i) => off(viewOfCandidate(questions, all[0]), at(i)));
    const best = steps.map((_, i) => Math.min(...viewsOf(place).map(view => off(view, at(i)))));
    const views = Array.from(steps[step].found, number => viewOfCandidate(questions, number)), own = first + steps[step].own;
    return make("section", { class: "answer", "data-run": run.name }, make("h2", {}, run.name),
      make("div", { class: "steered" },
        make("div", {}, make("p", { class: "faint" }, "Nearest to the prediction, of all views held out"),
          make("div", { class: "neighbours" }, views.map(view => captioned(view, [`off ${tellDegrees(off(view, wanted))}`, placeOf(view) === place ? "itself" : className(placeOf(view))], placeOf(view) === place ? "same" : ""))),
          make("p", { class: "faint" }, "Nearest of the object's own views"),
          make("div", { class: "neighbours" }, captioned(own, [`off ${tellDegrees(off(own, wanted))}`], "same"))),
        drawGaps(degrees, [["found", ofAll, "the view found"], ["best", best, "the best of the object's own"]], step)));
  }
  show();
}

/** Curves of how far the found rotation lies from the wanted one, by the turn. */
function drawGaps(degrees, curves, step) {
  const width = 380, height = 170, left = 34, right = 16, bottom = 26, x = i => left + i / (degrees.length - 1) * (width - left - right), y = value => 8 + (1 - value / 180) * (height - bottom - 8);
  const grid = [0, 90, 180].map(value => draw("g", {}, draw("line", { class: "rule", x1: left, x2: width - right, y1: y(value), y2: y(value) }), draw("text", { x: left - 5, y: y(value) + 4, "text-anchor": "end" }, `${value}°`)));
  const ticks = [-180, -90, 0, 90, 180].map(value => draw("text", { x: x(degrees.indexOf(value)), y: height - 8, "text-anchor": "middle" }, `${value}°`.replace("-", "−")));
  const lines = curves.map(([name, values]) => draw("polyline", { class: `curve ${name}`, points: values.map((value, i) => `${x(i)},${y(value)}`).join(" ") }));
  const now = draw("line", { class: "now", x1: x(step), x2: x(step), y1: 8, y2: height - bottom });
  const text = curves.map(([, values, words]) => `${words} is off by ${tellDegrees(values.reduce((sum, value) => sum + value, 0) / values.length)} on average`).join("; ");
  const key = make("figcaption", { class: "faint" }, curves.map(([name, values, words]) => make("span", { class: `key ${name}` }, `${words}: ${tellDegrees(values.reduce((sum, value) => sum + value, 0) / values.length)} on average`)));
  return make("figure", { class: "gaps" }, make("p", { class: "faint" }, "How far off, by the turn"), draw("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": text }, grid, ticks, now, lines), key);
}
