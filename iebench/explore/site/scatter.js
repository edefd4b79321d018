"use strict";
// Many points on a canvas, which can be moved, scaled, pointed at, and walked through with the keys.

/** points: {views, xs, ys} with xs, ys in [0, 1]. onpoint(view or null, x, y) · onchoose(view). */
function makeScatter(label, onpoint, onchoose) {
  const canvas = make("canvas", { class: "scatter", tabindex: 0, role: "application", "aria-label": label,
    onpointermove: hover, onpointerleave: () => point(null), onpointerdown: hold, onkeydown: key, ondblclick: () => home() });
  canvas.addEventListener("wheel", zoomByWheel, { passive: false });
  let points = { views: [], xs: [], ys: [] }, color = () => "gray", isFaint = () => false;
  let zoom = 1, shift = [0, 0], width = 1, height = 1, active = null, ratio = 1, spans = [1, 1];
  const redrawSoon = oncePerFrame(redraw);
  new ResizeObserver(redrawSoon).observe(canvas);

  function base() {
    return { side: Math.min((width - 40) / spans[0], (height - 40) / spans[1]), left: width / 2, top: height / 2 };
  }
  function toScreen(i) {
    const { side, left, top } = base();
    return [left + (points.xs[i] - 0.5 + shift[0]) * side * zoom, top - (points.ys[i] - 0.5 + shift[1]) * side * zoom];
  }

  function measure() {  // also before the first frame is drawn, and between a change of size and the next one
    [width, height] = [canvas.clientWidth, canvas.clientHeight];
  }

  function redraw() {
    if (!canvas.isConnected) return;
    ratio = devicePixelRatio || 1;
    measure();
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    const pen = canvas.getContext("2d"), size = clamp(Math.sqrt(width * height / points.views.length) / 2.6, 2.5, 7) * Math.min(Math.sqrt(zoom), 3);
    pen.scale(ratio, ratio);
    for (const faint of [true, false]) {
      pen.globalAlpha = faint ? 0.06 : 0.8;
      for (let i = 0; i < points.views.length; i++) {
        if (isFaint(points.views[i]) !== faint) continue;
        const [x, y] = toScreen(i);
        if (x < -9 || y < -9 || x > width + 9 || y > height + 9) continue;
        pen.fillStyle = color(points.views[i]);
        pen.fillRect(x - size / 2, y - size / 2, size, size);
      }
    }
    if (active === null) return;
    const [x, y] = toScreen(active);
    pen.globalAlpha = 1;
    pen.strokeStyle = getComputedStyle(canvas).color;
    pen.lineWidth = 2;
    pen.strokeRect(x - size / 2 - 3, y - size / 2 - 3, size + 6, size + 6);
  }

  function nearest(x, y, reach, allowed = () => true) {
    let best = null, least = reach ** 2;
    for (let i = 0; i < points.views.length; i++) {
      const [px, py] = toScreen(i), distance = (px - x) ** 2 + (py - y) ** 2;
      if (distance < least && i !== active && allowed(px - x, py - y) && !isFaint(points.views[i])) [best, least] = [i, distance];
    }
    return best;
  }

  function point(i) {
    if (i === active) return;
    active = i;
    i === null ? onpoint(null) : onpoint(points.views[i], ...toScreen(i));
    redrawSoon();
  }

  function hover(event) {
    if (event.buttons) return;
    measure();
    const [x, y] = [event.offsetX, event.offsetY], kept = active;
    active = null;
    const found = nearest(x, y, 14);
    active = kept;
    point(found);
  }

  function hold(event) {
    const start = { x: event.clientX, y: event.clientY, shift: [...shift] };
    let moved = false;
    whileHeld(canvas, event, pointer => {
      const { side } = base(), by = [pointer.clientX - start.x, pointer.clientY - start.y];
      moved ||= Math.hypot(...by) > 4;
      if (!moved) return;
      shift = [start.shift[0] + by[0] / side / zoom, start.shift[1] - by[1] / side / zoom];
      redrawSoon();
    }, pointer => {
      if (moved) return;
      if (pointer.pointerType === "touch") { active = null; point(nearest(pointer.offsetX, pointer.offsetY, 24)); }
      else if (active !== null) onchoose(points.views[active]);
    });
  }

  function zoomByWheel(event) {
    event.preventDefault();
    zoomAt(event.offsetX, event.offsetY, Math.exp(-event.deltaY / 400));
  }

  function zoomAt(x, y, by) {
    const { side, left, top } = base(), next = clamp(zoom * by, 1, 60);
    shift = [shift[0] + (x - left) / side * (1 / next - 1 / zoom), shift[1] - (y - top) / side * (1 / next - 1 / zoom)];
    zoom = next;
    redrawSoon();
  }

  function home() {
    [zoom, shift] = [1, [0, 0]];
    redrawSoon();
  }

  function key(event) {
    measure();
    const direction = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (event.key === "Enter" && active !== null) onchoose(points.views[active]);
    else if (event.key === "+" || event.key === "=") zoomAt(width / 2, height / 2, 1.5);
    else if (event.key === "-") zoomAt(width / 2, height / 2, 1 / 1.5);
    else if (event.key === "0") home();
    else if (direction) {
      const [x, y] = active === null ? [width / 2, height / 2] : toScreen(active);
      const ahead = (dx, dy) => { const along = dx * direction[0] + dy * direction[1]; return along > 0 && along >= Math.abs(dx * direction[1] + dy * direction[0]); };
      point(nearest(x, y, Infinity, active === null ? () => true : ahead) ?? active);
    } else return;
    event.preventDefault();
  }

  function show(next) {
    points = next;
    spans = [points.xs, points.ys].map(values => values.reduce(([low, high], value) => [Math.min(low, value), Math.max(high, value)], [1, 0])).map(([low, high]) => Math.max(high - low, 0.05));
    active = null;
    home();
  }
  function paint(nextColor, nextFaint) {
    [color, isFaint] = [nextColor, nextFaint];
    redrawSoon();
  }
  return { element: canvas, show, paint, zoomBy: by => zoomAt(width / 2, height / 2, by), home, position: view => toScreen(points.views.indexOf(view)) };
}
