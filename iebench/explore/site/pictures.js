"use strict";
// Views as pictures: tiles of sheets, which the browser loads when they come into sight.

/** One view. It fills the width that its class gives it. */
function picture(view, properties = {}) {
  const tiles = site.sheets.tiles, sheet = Math.floor(view / tiles);
  const onSheet = Math.min(tiles, site.numShown - sheet * tiles);
  return tile(`views/${sheet}.jpg`, view % tiles, onSheet, tellView(view), properties);
}

/** The first view of an object. */
function cover(place, properties = {}) {
  const tiles = site.sheets.covers, sheet = Math.floor(place / tiles);
  const onSheet = Math.min(tiles, site.numPlaces - sheet * tiles);
  return tile(`covers/${sheet}.jpg`, place % tiles, onSheet, tellView(place * site.numViews), properties);
}

/** Resolves when the pictures in an element are on the screen; one that cannot be had is not waited for. */
async function whenPainted(element) {
  const addresses = new Set(Array.from(element.querySelectorAll(".picture"), shown => shown.style.backgroundImage.slice(5, -2)));
  await Promise.allSettled(Array.from(addresses, address => Object.assign(new Image(), { src: address }).decode()));
  await new Promise(resolve => requestAnimationFrame(() => setTimeout(resolve)));
}

function tile(address, number, onSheet, text, properties) {
  const columns = site.sheets.columns, rows = Math.ceil(onSheet / columns);
  const share = (position, all) => all > 1 ? `${100 * position / (all - 1)}%` : "0%";
  const place = `${share(number % columns, columns)} ${share(Math.floor(number / columns), rows)}`;
  const style = { "background-image": `url("${address}")`, "background-size": `${columns * 100}% ${rows * 100}%`, "background-position": place };
  const kind = `picture ${properties.class ?? ""}`;
  return make("span", { role: "img", "aria-label": text, ...properties, class: kind, style });
}
