"use strict";
// A grid of thousands of pictures, of which only those in sight are in the page.

const HEADING = 46, GAP = 8, AROUND = 600;

/** A grid that scrolls with the page.
 *  show(sections): [{title, note, items}] · item(value) → an <a> to put into a cell · size: least side of a cell
 *  · empty: what stands there where there is nothing. */
function makeGrid(item, { size = 96, caption = 0, empty = "" } = {}) {
  const element = make("div", { class: "grid", onkeydown: step });
  let sections = [], rows = [], columns = 1, cell = size, active = 0, starts = [];
  const drawn = new Map();

  function show(next) {
    sections = next.filter(section => section.items.length);
    active = 0;
    arrange();
  }

  function arrange() {
    const width = element.clientWidth || 1;
    columns = Math.max(2, Math.floor((width + GAP) / (size + GAP)));
    cell = (width - GAP * (columns - 1)) / columns;
    rows = [];
    let top = 0, first = 0;
    const add = (height, row) => { rows.push({ top, height, ...row }); top += height; };
    for (const section of sections) {
      if (section.title) add(HEADING, { section });
      for (let i = 0; i < section.items.length; i += columns) {
        add(cell + caption + GAP, { items: section.items.slice(i, i + columns), first: first + i });
      }
      first += section.items.length;
    }
    starts = rows.filter(row => row.items).map(row => row.first);
    element.style.setProperty("height", `${top}px`);
    drawn.clear();
    element.replaceChildren(...(rows.length ? [] : [make("p", { class: "note" }, empty)]));
    drawInSight();
  }

  function drawInSight() {
    const above = element.getBoundingClientRect().top;
    const inSight = row => above + row.top + row.height > -AROUND && above + row.top < innerHeight + AROUND;
    rows.forEach((row, number) => {
      if (inSight(row) === drawn.has(number)) return;
      if (drawn.has(number)) { drawn.get(number).remove(); drawn.delete(number); return; }
      drawn.set(number, drawRow(row));
      element.append(drawn.get(number));
    });
  }

  function drawRow(row) {
    const style = { top: `${row.top}px`, height: `${row.height}px` };
    if (row.section) return make("h2", { class: "row heading", style }, row.section.title, make("span", { class: "faint" }, row.section.note ?? ""));
    const cells = row.items.map((value, i) => {
      const link = item(value);
      link.dataset.number = row.first + i;
      link.tabIndex = row.first + i === active ? 0 : -1;
      link.style.setProperty("width", `${cell}px`);
      return link;
    });
    return make("div", { class: "row", style }, cells);
  }

  function step(event) {
    const start = Number(document.activeElement?.dataset.number ?? NaN);
    if (Number.isNaN(start)) return;
    const row = starts.findLastIndex(first => first <= start), column = start - starts[row];
    const inRow = (number, wanted) => {
      const next = clamp(number, 0, starts.length - 1);
      return Math.min(starts[next] + wanted, (starts[next + 1] ?? total()) - 1);
    };
    const target = { ArrowLeft: start - 1, ArrowRight: start + 1, ArrowUp: inRow(row - 1, column), ArrowDown: inRow(row + 1, column), Home: 0, End: total() - 1 }[event.key];
    if (target === undefined) return;
    event.preventDefault();
    focusOn(clamp(target, 0, total() - 1));
  }

  function total() {
    return sections.reduce((sum, section) => sum + section.items.length, 0);
  }

  function focusOn(number) {
    active = number;
    const row = rows.find(candidate => candidate.items && number < candidate.first + candidate.items.length);
    const box = element.getBoundingClientRect().top + row.top;
    if (box < 70) scrollBy({ top: box - 90, behavior: "instant" });
    if (box + row.height > innerHeight) scrollBy({ top: box + row.height - innerHeight + 20, behavior: "instant" });
    drawInSight();
    element.querySelectorAll("[data-number]").forEach(link => { link.tabIndex = Number(link.dataset.number) === number ? 0 : -1; });
    element.querySelector(`[data-number="${number}"]`)?.focus({ preventScroll: true });
  }

  const onScroll = oncePerFrame(() => element.isConnected && drawInSight());
  addEventListener("scroll", onScroll, { passive: true, signal: leaving.signal });
  const observer = new ResizeObserver(oncePerFrame(() => element.isConnected && arrange()));
  observer.observe(element);
  return { element, show };
}
