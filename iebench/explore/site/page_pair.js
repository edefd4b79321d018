"use strict";
// Two views of one object, and what happened between them: in words, as a quaternion, and drawn.

async function pagePair(main, params) {
  const place = placeFrom(params, allPlaces()), views = viewsOf(place);
  let source = views[numberFrom(params, "source", site.numViews)];
  let target = views[numberFrom(params, "target", site.numViews, Math.min(1, site.numViews - 1))];
  const python = makePython(), gizmo = site.rotation ? makeGizmo() : null;
  const pictures = { source: make("div"), target: make("div") };
  const waiting = make("div"), words = make("p", { class: "words" }), facts = make("div");
  const strips = {
    source: makeStrip("Source view", views, source, next => { source = next; show(); }),
    target: makeStrip("Target view", views, target, next => { target = next; show(); }),
  };
  const swap = make("button", { type: "button", onclick: () => { [source, target] = [target, source]; show(); } }, "Swap source and target");
  const side = (name, title) => make("section", { class: `side ${name}` }, make("h2", {}, title), pictures[name], strips[name].element);
  main.append(make("div", { class: "pair" },
    make("div", { class: "head" }, makeTitle(place), makeObjectPicker(place, allPlaces(), next => goTo("pair", { object: site.objects.index[next] }))),
    side("source", "Source"), side("target", "Target"),
    make("section", { class: "between" }, make("h2", {}, "Transform"), waiting, words, gizmo && gizmo.element, facts, make("p", {}, swap)), python.element));

  function show() {
    for (const [name, view] of [["source", source], ["target", target]]) {
      pictures[name].replaceChildren(picture(view, { class: "large" }), make("p", { class: "faint" }, `view ${view % site.numViews}`));
      strips[name].show(view);
    }
    if (gizmo) gizmo.element.hidden = !site.latents;
    if (site.latents) showTransform();
    python.show(pythonOfPair(source, target));
    remembered.object = site.objects.index[place];
    keepInAddress(main, { object: remembered.object, source: source % site.numViews, target: target % site.numViews });
  }

  function showTransform() {
    const turn = site.rotation && relativeRotation(quaternionOf(source), quaternionOf(target));
    words.textContent = tellTransform(source, target, turn);
    facts.replaceChildren(makeFacts(factsOfTransform(source, target, turn)));
    gizmo?.show({ ...sceneOf(target), axis: rotate(quaternionOf(source), axisAndAngle(turn).axis), rotations: [
      { quaternion: quaternionOf(source), faint: true }, { quaternion: quaternionOf(target) }] },
    `The object's axes in the source, faint, and in the target; ${words.textContent}`);
  }
  show();
  if (await latentsAfter(pictures.source, waiting) && main.isConnected) show();
}

/** What takes the source to the target, as a sentence. */
function tellTransform(source, target, turn) {
  const changes = changesOf(source, target);
  const rest = changes.map(([factor, by]) => `${tellFactor(factor)} ${tellChange(factor, by)}`).join(", ");
  if (!turn) return rest || "Nothing changes.";
  const { axis, degrees } = axisAndAngle(turn);
  const turned = degrees < 0.5 ? "Not turned" : `Turned by ${degrees.toFixed(0)}° about ${tellAxis(axis)}`;
  return `${turned}${rest ? `; ${rest}` : ""}.`;
}

/** The factors but for the rotation, with by how much each changes: hues and angles of a whole turn the short way round. */
function changesOf(source, target) {
  return site.factors.map((factor, column) => {
    const by = latent(target, column) - latent(source, column), period = rangeOf(factor);
    return [factor, factor.isCircular ? by - period * Math.round(by / period) : by, column];
  }).filter(([factor, by, column]) => !(site.rotation || []).includes(column) && Math.abs(by) > rangeOf(factor) / 1000);
}

function tellChange(factor, by) {
  return `${by < 0 ? "−" : "+"}${tellValue(factor, Math.abs(by))}`;
}

function tellAxis(axis) {
  return `(${axis.map(value => value.toFixed(2).replace("-", "−")).join(", ")})`;
}

function factsOfTransform(source, target, turn) {
  if (!turn) return [];
  const { axis, degrees } = axisAndAngle(turn);
  const numbers = turn.map(value => value.toFixed(4).replace("-", "−"));
  return [
    ["angle", `${degrees.toFixed(1)}°`],
    ["axis, in the object's frame", tellAxis(axis)],
    ["quaternion (x, y, z, w)", make("code", { class: "quaternion" }, `(${numbers.join(", ")})`)],
  ];
}
