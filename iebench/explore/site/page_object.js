"use strict";
// One object with all its views, a dial for each factor, and the scene of the view that is shown.

async function pageObject(main, params) {
  const place = placeFrom(params, allPlaces()), views = viewsOf(place);
  let view = views[numberFrom(params, "view", site.numViews)];
  const shown = make("div", { class: "shown" }), python = makePython();
  const factors = make("section", { class: "dials", "aria-label": "Factors" });
  let dials = [];
  const strip = makeStrip("All views of the object", views, view, next => show(next, true));
  const gizmo = site.rotation ? makeGizmo() : null;
  const pair = make("a", { class: "button" }, "Compare with another view");
  main.append(make("div", { class: "object" },
    make("div", { class: "head" }, makeTitle(place), makeObjectPicker(place, allPlaces(), next => goTo("object", { object: site.objects.index[next] }))),
    make("div", { class: "stage" }, shown, gizmo && gizmo.element),
    factors, make("section", { class: "all-views" }, make("h2", {}, count(site.numViews, "view")), strip.element, make("p", {}, pair)), python.element));

  function addDials() {
    dials = site.factors.map((factor, column) => makeDial(factor, views.map(other => latent(other, column)), () => turn(column)));
    factors.append(make("h2", {}, "Factors"), make("p", { class: "faint" }, "A dial brings the view that is nearest. Marks tell where the views lie."), ...dials.map(dial => dial.element));
  }

  function turn(column) {
    show(nearestView(place, dials.map(dial => dial.value()), column), false);
  }

  function show(next, follows) {
    view = next;
    shown.replaceChildren(picture(view, { class: "large" }), make("p", { class: "faint" }, `view ${view % site.numViews}`));
    dials.forEach((dial, column) => dial.show(latent(view, column), follows));
    strip.show(view);
    if (gizmo) gizmo.element.hidden = !site.latents;
    if (site.latents) gizmo?.show({ ...sceneOf(view), rotations: [{ quaternion: quaternionOf(view) }] }, `The scene of view ${view % site.numViews}: the object's axes, the camera and the light`);
    python.show(pythonOfView(view));
    pair.setAttribute("href", addressOf("pair", { object: site.objects.index[place], source: view % site.numViews, target: (view + 1) % site.numViews }));
    remembered.object = site.objects.index[place];
    keepInAddress(main, { object: remembered.object, view: view % site.numViews });
  }

  onKey("ArrowLeft", () => show(views[(view - views[0] + views.length - 1) % views.length], true));
  onKey("ArrowRight", () => show(views[(view - views[0] + 1) % views.length], true));
  show(view, true);
  if (!await latentsAfter(shown, factors) || !main.isConnected) return;  // another page was opened meanwhile
  addDials();
  show(view, true);
}
