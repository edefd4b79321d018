"use strict";
// A histogram of one factor, of which a part can be chosen by dragging, or by its two handles with the keys.

const BINS = 24;

/** onchange(range or null) is called with [low, high] in the factor's unit. */
function makeHistogram(factor, range, onchange) {
  const bars = draw("g"), inner = draw("g", { class: "chosen" });
  const shade = draw("rect", { class: "brush", y: 0, height: 44, x: 0, width: 0 });
  const plot = draw("svg", { viewBox: `0 0 ${BINS * 10} 44`, preserveAspectRatio: "none", class: "bars", "aria-hidden": "true" }, shade, bars, inner);
  const told = make("output", { class: "faint" });
  const clear = make("button", { type: "button", class: "quiet", hidden: true, "aria-label": `All of ${tellFactor(factor)}`, onclick: () => choose(null) }, "×");
  const handles = ["from", "to"].map((word, end) => make("span", {
    class: "handle", role: "slider", tabindex: 0, "aria-label": `${tellFactor(factor)} ${word}`,
    "aria-valuemin": factor.low, "aria-valuemax": factor.high, onkeydown: event => slide(event, end),
  }));
  const field = make("div", { class: "field", onpointerdown: begin }, plot, handles);
  const hue = factor.unit === "turn" && make("div", { class: "hues", "aria-hidden": "true" });
  const element = make("div", { class: "histogram", "data-factor": factor.name },
    make("div", { class: "line" }, make("span", {}, tellFactor(factor)), told, clear), field, hue);

  function choose(next, tells = true) {
    range = next && next[1] - next[0] > rangeOf(factor) / 1000 ? next : null;
    const [low, high] = range ?? [factor.low, factor.high];
    const share = value => clamp((value - factor.low) / rangeOf(factor), 0, 1);
    shade.setAttribute("x", share(low) * BINS * 10);
    shade.setAttribute("width", range ? (share(high) - share(low)) * BINS * 10 : 0);
    told.textContent = range ? `${tellValue(factor, low)} – ${tellValue(factor, high)}` : "";
    clear.hidden = !range;
    [low, high].forEach((value, end) => {
      handles[end].style.setProperty("left", `${share(value) * 100}%`);
      handles[end].setAttribute("aria-valuenow", value);
      handles[end].setAttribute("aria-valuetext", tellValue(factor, value));
    });
    if (tells) onchange(range);
  }

  function begin(event) {
    if (event.button) return;
    event.preventDefault();
    const box = field.getBoundingClientRect();
    const at = pointer => factor.low + clamp((pointer.clientX - box.left) / box.width, 0, 1) * rangeOf(factor);
    const held = handles.indexOf(event.target), start = held < 0 ? at(event) : (range ?? [factor.low, factor.high])[1 - held];
    whileHeld(field, event, pointer => choose([Math.min(start, at(pointer)), Math.max(start, at(pointer))]),
      pointer => { if (Math.abs(pointer.clientX - event.clientX) < 3 && held < 0) choose(null); });
  }

  function slide(event, end) {
    const by = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -4, PageUp: 4 }[event.key];
    if (event.key === "Escape") choose(null);
    if (!by) return;
    event.preventDefault();
    const next = [...(range ?? [factor.low, factor.high])];
    next[end] = clamp(next[end] + by * rangeOf(factor) / BINS, end ? next[0] : factor.low, end ? factor.high : next[1]);
    choose(next[0] <= factor.low && next[1] >= factor.high ? null : next);
  }

  /** Counts in each bin: of all views, and of those that the filters let through. */
  function show(all, chosen) {
    const top = Math.max(...all, 1);
    const bar = (number, i) => draw("rect", { x: i * 10 + 1, width: 8, y: 44 - number / top * 42, height: number / top * 42 });
    bars.replaceChildren(...Array.from(all, bar));
    inner.replaceChildren(...Array.from(chosen, bar));
  }

  choose(range, false);
  return { element, show, clear: () => choose(null, false) };
}
