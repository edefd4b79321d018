"use strict";
// The dataset as the pages see it. A view has one number in the whole site: place · numViews + view, where `place` counts
// the objects that are shown.

const site = {};  // the index, once it is there

function openIndex(index) {
  Object.assign(site, index);
  site.numPlaces = site.ids.length;
  site.numShown = site.numPlaces * site.numViews;
  site.names = new Map(site.classes.map(entry => [entry.label, entry.name]));
  site.byLabel = new Map(site.classes.map(entry => [entry.label, []]));
  site.objects.label.forEach((label, place) => site.byLabel.get(label).push(place));
}

async function loadLatents() {
  site.latents = (await load("latents")).latents;
}

/** The latents, and until they are there a note in the place of what needs them; where they are missing the note says so.
 *  They are large, and no picture needs them: those in `pictures` come first. Tells whether they are there. */
async function latentsAfter(pictures, waiting) {
  if (site.latents) return true;
  waiting.replaceChildren(make("p", { class: "faint", role: "status" }, "Loading the factors …"));
  waiting.setAttribute("aria-busy", "true");
  await whenPainted(pictures);
  const missing = await loadLatents().then(() => null, error => make("p", { class: "bad", role: "alert" }, error.message));
  waiting.replaceChildren(...(missing ? [missing] : []));
  waiting.removeAttribute("aria-busy");
  return !missing;
}

function placeOf(view) {
  return Math.floor(view / site.numViews);
}

function viewsOf(place) {
  return Array.from({ length: site.numViews }, (_, view) => place * site.numViews + view);
}

function className(place) {
  return site.names.get(site.objects.label[place]);
}

function splitName(place) {
  return site.splits[site.objects.split[place]];
}

/** What a picture shows, for those who do not see it. */
function tellView(view) {
  const place = placeOf(view);
  return `${className(place)} ${site.ids[place]}, view ${view % site.numViews}`;
}

function latent(view, column) {
  return site.latents[view * site.factors.length + column];
}

function quaternionOf(view) {
  return eulerToQuaternion(site.rotation.map(column => latent(view, column)));
}

/** A factor's value for people: angles in degrees, all else with two digits. */
function tellValue(factor, value) {
  const number = factor.unit === "rad" ? `${(value * 180 / Math.PI).toFixed(0)}°` : value.toFixed(2);
  return number.replace(/^-(?=0*\.?0*°?$)/, "").replace("-", "−");
}

function tellFactor(factor) {
  return factor.name.replaceAll("_", " ");
}

function rangeOf(factor) {
  return factor.high - factor.low || 1;
}

/** How far two values lie apart, as a share of the factor's range. */
function apart(factor, first, second) {
  const share = Math.abs(first - second) / rangeOf(factor);
  return factor.isCircular ? Math.min(share % 1, 1 - share % 1) : share;
}

const MOVED = 4;  // how much more the dial that was moved counts than the others

/** The view of an object nearest to the wanted latents: the sum of squared distances, each a share of its factor's range. */
function nearestView(place, wanted, moved) {
  const distance = view => site.factors.reduce((total, factor, column) =>
    total + (column === moved ? MOVED : 1) * apart(factor, latent(view, column), wanted[column]) ** 2, 0);
  const views = viewsOf(place), distances = views.map(distance);
  return views[distances.indexOf(Math.min(...distances))];
}
