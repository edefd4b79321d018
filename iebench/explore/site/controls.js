"use strict";
// What pages have in common: choices, the way through objects, and the parts of the address.

/** A row of buttons of which one is chosen: choices are [value, text]. */
function makeChoice(label, choices, value, onchange) {
  const buttons = choices.map(([own, text]) => make("button", {
    type: "button", "aria-pressed": String(own === value), onclick: () => {
      buttons.forEach(button => button.setAttribute("aria-pressed", String(button.value === String(own))));
      onchange(own);
    }, value: String(own),
  }, text));
  return make("div", { class: "choice", role: "group", "aria-label": label }, buttons);
}

/** A list to choose from, under its label. */
function makeSelect(label, choices, value, onchange) {
  const select = make("select", { onchange: () => onchange(select.value) },
    choices.map(([own, text]) => make("option", { value: own, selected: String(own) === String(value) }, text)));
  return make("label", { class: "labelled" }, make("span", {}, label), select);
}

/** The way through the objects of a class: onpick(place). `places` are those that there are. */
function makeObjectPicker(place, places, onpick) {
  const labels = site.classes.map(entry => entry.label);
  const ofClass = label => places.filter(other => site.objects.label[other] === label);
  const own = ofClass(site.objects.label[place]), number = own.indexOf(place);
  const known = labels.filter(label => ofClass(label).length).map(label => [label, site.names.get(label)]);
  const step = by => onpick(own[(number + by + own.length) % own.length]);
  return make("div", { class: "picker" },
    makeSelect("Class", known, site.objects.label[place], label => onpick(ofClass(Number(label))[0])),
    make("div", { class: "steps" },
      make("button", { type: "button", class: "step", "aria-label": "The object before", onclick: () => step(-1) }, "‹"),
      make("span", { class: "of" }, `${number + 1} of ${own.length}`),
      make("button", { type: "button", class: "step", "aria-label": "The next object", onclick: () => step(1) }, "›"),
      make("button", { type: "button", class: "quiet", onclick: () => onpick(places[Math.floor(Math.random() * places.length)]) }, "Any")));
}

/** What an object is: its class, its id, its split, and its index in the dataset. */
function makeTitle(place) {
  return make("div", { class: "title" }, make("h1", {}, className(place)),
    make("p", { class: "faint" }, make("span", { class: "id" }, site.ids[place]), ` · ${splitName(place)} · object ${site.objects.index[place]}`));
}

/** Views in a strip, of which one or none is chosen. */
function makeStrip(label, views, chosen, onpick) {
  const buttons = views.map(view => make("button", {
    type: "button", class: "thumb", "aria-pressed": String(view === chosen), title: `view ${view % site.numViews}`, onclick: () => onpick(view),
  }, picture(view)));
  const show = next => buttons.forEach((button, i) => button.setAttribute("aria-pressed", String(views[i] === next)));
  return { element: make("div", { class: views.length <= 16 ? "strip few" : "strip", role: "group", "aria-label": label }, buttons), show };
}

/** A table of names and values. */
function makeFacts(rows) {
  return make("dl", { class: "facts" }, rows.flatMap(([name, ...value]) => [make("dt", {}, name), make("dd", {}, value)]));
}

/** The place of the object that the address names, or a fallback. */
function placeFrom(params, places) {
  const wanted = Number(params.get("object") ?? remembered.object ?? -1);
  const place = site.objects.index.indexOf(wanted);
  return places.includes(place) ? place : places[0];
}

function allPlaces() {
  return Array.from({ length: site.numPlaces }, (_, place) => place);
}

/** A whole number of the address between 0 and a bound, or the fallback. */
function numberFrom(params, name, bound, fallback = 0) {
  const value = Number(params.get(name) ?? NaN);
  return Number.isInteger(value) && value >= 0 && value < bound ? value : fallback;
}
