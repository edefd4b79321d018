"use strict";
// Colors of points: one for each class, a scale for a factor, a circle for a hue.

const SCALE = [[94, 50, 148], [65, 68, 135], [42, 120, 142], [34, 168, 132], [122, 209, 81], [253, 231, 37]];  // viridis, its dark end lighter, to be seen on dark paper

function scaleColor(share) {
  const at = clamp(share, 0, 1) * (SCALE.length - 1), low = Math.min(Math.floor(at), SCALE.length - 2);
  const mixed = SCALE[low].map((value, i) => Math.round(value + (SCALE[low + 1][i] - value) * (at - low)));
  return `rgb(${mixed.join(",")})`;
}

/** Hues far apart for neighbours in the list, at three lightnesses that the eye sees alike in all hues, on white paper and on dark. */
function classColor(number) {
  return `oklch(${[64, 55, 72][Math.floor(number / 3) % 3]}% ${[0.15, 0.11, 0.18][number % 3]} ${(number * 137.508 + 240) % 360})`;
}

function circleColor(share) {
  return `hsl(${share * 360} 65% 52%)`;
}

/** By what points may be colored: [key, text]. */
function colorings(hasClasses) {
  const found = hasClasses ? [["found", "right or wrong class"]] : [];
  return [["class", "class"], ["split", "split"], ...found, ...site.factors.map(factor => [factor.name, tellFactor(factor)])];
}

/** color(view) and a legend: [color, text, key] entries, or a scale. */
function makeColoring(key, classes) {
  const column = site.factors.findIndex(factor => factor.name === key), factor = site.factors[column];
  if (factor) {
    const paint = factor.isCircular ? circleColor : scaleColor;
    const steps = Array.from({ length: 65 }, (_, i) => paint(i / 64));
    return { color: view => steps[Math.round(clamp((latent(view, column) - factor.low) / rangeOf(factor), 0, 1) * 64)], scale: { factor, steps }, keyOf: () => null };
  }
  if (key === "split") return listColoring(site.splits.map((name, i) => [classColor(i * 4), name]), view => site.objects.split[placeOf(view)]);
  if (key === "found") {
    const entries = [[probe("--good"), "right"], [probe("--bad"), "wrong"], [probe("--bar"), "not held out"]];
    return listColoring(entries, view => classes.has(view) ? (classes.get(view).isRight ? 0 : 1) : 2);
  }
  const numbers = new Map(site.classes.map((entry, i) => [entry.label, i]));
  return listColoring(site.classes.map((entry, i) => [classColor(i), entry.name]), view => numbers.get(site.objects.label[placeOf(view)]));
}

function listColoring(entries, keyOf) {
  return { color: view => entries[keyOf(view)][0], entries, keyOf };
}

/** A color of the style sheet as it is now, light or dark. */
function probe(name) {
  const element = make("span", { style: { color: `var(${name})` } });
  document.body.append(element);
  const color = getComputedStyle(element).color;
  element.remove();
  return color;
}
