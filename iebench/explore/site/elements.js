"use strict";
// Elements of a page. Names come from datasets: they only ever become text nodes and attributes, never markup.

/** Make an element: on… are listeners, `style` is an object, `class` and all else are attributes; null leaves one out. */
function make(tag, properties = {}, ...children) {
  return furnish(document.createElement(tag), properties, children);
}

/** The same for SVG. */
function draw(tag, properties = {}, ...children) {
  return furnish(document.createElementNS("http://www.w3.org/2000/svg", tag), properties, children);
}

function furnish(element, properties, children) {
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "style") Object.entries(value).forEach(([key, text]) => element.style.setProperty(key, text));
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter(child => child !== null && child !== undefined && child !== false));
  return element;
}

/** Call a function at most once a frame, with its latest arguments. */
function oncePerFrame(action) {
  let latest = null;
  return (...values) => {
    if (!latest) requestAnimationFrame(() => { const now = latest; latest = null; action(...now); });
    latest = values;
  };
}

/** Follow a pointer that is held down on an element, until it is let go, or taken away as by a page that scrolls. */
function whileHeld(element, event, move, end = () => {}) {
  const over = new AbortController();
  const listen = (name, action) => element.addEventListener(name, action, { signal: over.signal });
  element.setPointerCapture(event.pointerId);
  listen("pointermove", move);
  listen("pointercancel", () => over.abort());
  listen("pointerup", pointer => { over.abort(); end(pointer); });
}

/** A whole number with commas. The browser's own way loads its data of languages first: 70 of 400 ms to the first picture. */
function thousands(number) {
  return String(number).replace(/\B(?=(\d{3})+$)/g, ",");
}

/** A number of things, with its noun: "1 view", "1,200 views". */
function count(number, noun) {
  const plural = /(s|x|ch|sh)$/.test(noun) ? noun + "es" : noun + "s";
  return `${thousands(number)} ${number === 1 ? noun : plural}`;
}

function clamp(value, low, high) {
  return Math.min(Math.max(value, low), high);
}
