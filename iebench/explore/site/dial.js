"use strict";
// A dial: a slider for one factor, above marks that tell where the views of the object lie.

/** oninput(value) is called while the dial moves. */
function makeDial(factor, values, oninput) {
  const told = make("output");
  const input = make("input", {
    type: "range", min: factor.low, max: factor.high, step: rangeOf(factor) / 200, "aria-label": tellFactor(factor),
    disabled: factor.low === factor.high, oninput: () => { asked = true; oninput(Number(input.value)); },
  });
  const share = value => clamp((value - factor.low) / rangeOf(factor), 0, 1) * 100;
  const marks = values.map(value => draw("line", { x1: share(value), x2: share(value), y1: 3, y2: 10 }));
  const found = draw("line", { class: "found", y1: 0, y2: 10 });
  const rug = draw("svg", { viewBox: "0 0 100 10", preserveAspectRatio: "none", class: "rug", "aria-hidden": "true" }, marks, found);
  const hues = factor.unit === "turn" && make("div", { class: "hues", "aria-hidden": "true" });
  const element = make("div", { class: "dial", "data-factor": factor.name },
    make("div", { class: "line" }, make("span", {}, tellFactor(factor)), told), input, hues, rug);
  let nearest = null, asked = false;

  function tell() {
    const shown = tellValue(factor, nearest), wanted = asked ? tellValue(factor, Number(input.value)) : shown;
    told.replaceChildren(shown, wanted === shown ? "" : make("span", { class: "faint" }, ` · asked ${wanted}`));
    input.setAttribute("aria-valuetext", `${wanted}, shown ${shown}`);
  }

  /** Mark the value of the view that is shown, and take it over where the dial is to follow. */
  function show(value, follows) {
    nearest = value;
    if (follows) { input.value = value; asked = false; }
    found.setAttribute("x1", share(value));
    found.setAttribute("x2", share(value));
    tell();
  }
  return { element, show, value: () => Number(input.value) };
}
