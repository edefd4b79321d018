"use strict";
// A small picture of the scene: the object's axes, the camera and the lamp, seen from aside. It can be turned.

const AXES = [["x", [1, 0, 0]], ["y", [0, 1, 0]], ["z", [0, 0, 1]]];
const ASIDE = { azimuth: 0.55, height: 0.42 };

/** show({rotations: [{quaternion, faint}], floorHue, lamp: {theta, phi, hue}, axis}) draws it; all but rotations may be absent. */
function makeGizmo() {
  let seen = { ...ASIDE }, scene = { rotations: [] };
  const plot = draw("svg", { viewBox: "-150 -118 300 236", class: "gizmo", role: "img", tabindex: 0, onpointerdown: drag, onkeydown: key });
  const home = make("button", { type: "button", class: "quiet small", title: "Seen from aside", onclick: () => look(ASIDE) }, "Aside");
  const camera = make("button", { type: "button", class: "quiet small", title: "As the camera sees it", onclick: () => look(fromCamera()) }, "Camera");
  const element = make("figure", { class: "gizmo-box" }, plot, make("figcaption", { class: "buttons" }, home, camera));

  function look(next) {
    seen = { ...next };
    redraw();
  }

  function fromCamera() {
    const [x, y, z] = unit(site.scene.camera);
    return { azimuth: Math.atan2(y, x), height: Math.asin(z) };
  }

  function drag(event) {
    event.preventDefault();
    plot.focus();
    const start = { ...seen, x: event.clientX, y: event.clientY };
    whileHeld(plot, event, oncePerFrame(pointer => look({
      azimuth: start.azimuth - (pointer.clientX - start.x) / 90,
      height: clamp(start.height + (pointer.clientY - start.y) / 90, -1.5, 1.5),
    })));
  }

  function key(event) {
    const [turn, lift] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key] ?? [0, 0];
    if (!turn && !lift) return;
    event.preventDefault();
    event.stopPropagation();
    look({ azimuth: seen.azimuth + turn * 0.15, height: clamp(seen.height + lift * 0.15, -1.5, 1.5) });
  }

  /** A point of the world → where it is drawn, and how near it is. */
  function project(point) {
    const { azimuth, height } = seen, size = 46;
    const right = [-Math.sin(azimuth), Math.cos(azimuth), 0];
    const back = [Math.cos(height) * Math.cos(azimuth), Math.cos(height) * Math.sin(azimuth), Math.sin(height)];
    const up = cross(back, right);
    return { x: size * dot(point, right), y: -size * dot(point, up) + 8, near: dot(point, back) };
  }

  function line(from, to, properties) {
    const [a, b] = [project(from), project(to)];
    return draw("line", { x1: a.x, y1: a.y, x2: b.x, y2: b.y, ...properties });
  }

  function polygon(points, properties) {
    return draw("polygon", { points: points.map(project).map(({ x, y }) => `${x},${y}`).join(" "), ...properties });
  }

  function drawFloor() {
    const circle = Array.from({ length: 48 }, (_, i) => [1.7 * Math.cos(i * Math.PI / 24), 1.7 * Math.sin(i * Math.PI / 24), site.scene.floor]);
    const color = scene.floorHue === undefined ? {} : { style: { fill: hueColor(scene.floorHue, 0.6, 0.6) } };
    return polygon(circle, { class: "floor", ...color });
  }

  function drawCamera() {
    const position = site.scene.camera, forward = unit(scale(position, -1));
    const right = unit(cross(forward, [0, 0, 1])), up = cross(right, forward), half = site.scene.halfWidth;
    const corners = [[-1, -1], [1, -1], [1, 1], [-1, 1]].map(([a, b]) =>
      sum(position, scale(sum(forward, sum(scale(right, a * half), scale(up, b * half))), 0.75)));
    const at = project(position);
    return draw("g", { class: "camera" }, polygon(corners, {}), corners.map(corner => line(position, corner, {})),
      line(position, [0, 0, 0], { class: "sight" }), draw("text", { x: at.x, y: at.y - 7, "text-anchor": "middle" }, "camera"));
  }

  function drawLamp({ theta, phi, hue }) {
    const spot = scale([Math.sin(theta) * Math.cos(phi), Math.sin(theta) * Math.sin(phi), Math.cos(theta)], site.scene.spot * 0.6);
    const at = project(spot), color = hueColor(hue, 1, 0.9);
    return draw("g", { class: "lamp" }, line(spot, [0, 0, 0], { style: { stroke: color } }),
      draw("circle", { cx: at.x, cy: at.y, r: 5, style: { fill: color } }), draw("text", { x: at.x + 9, y: at.y + 4 }, "light"));
  }

  function drawAxes({ quaternion, faint }) {
    const arrows = AXES.map(([name, axis]) => {
      const tip = rotate(quaternion, axis), at = project(scale(tip, 1.24));
      return { near: project(tip).near, arrow: draw("g", { class: `axis ${name}${faint ? " faint" : ""}` }, line([0, 0, 0], tip, {}),
        draw("text", { x: at.x, y: at.y + 4, "text-anchor": "middle" }, faint ? "" : name)) };
    });
    return arrows.sort((a, b) => a.near - b.near).map(({ arrow }) => arrow);
  }

  function redraw() {
    plot.replaceChildren(drawFloor(), line([0, 0, 0], [0, 0, site.scene.floor], { class: "sight" }), drawCamera(), ...(scene.lamp ? [drawLamp(scene.lamp)] : []),
      ...(scene.axis ? [line(scale(scene.axis, -1.3), scale(scene.axis, 1.3), { class: "turn" })] : []),
      ...scene.rotations.flatMap(drawAxes));
  }

  function show(next, text) {
    scene = next;
    plot.setAttribute("aria-label", text);
    redraw();
  }
  return { element, show };
}

/** What the latents of a view say about the scene. */
function sceneOf(view) {
  const value = name => { const column = site.factors.findIndex(factor => factor.name === name); return column < 0 ? undefined : latent(view, column); };
  const theta = value("light_theta");
  return { floorHue: value("floor_hue"), lamp: theta === undefined ? null : { theta, phi: value("light_phi") ?? 0, hue: value("light_hue") ?? 0 } };
}

/** The color of a hue, of a saturation and a value, as CSS. */
function hueColor(hue, saturation, value) {
  const lightness = value * (1 - saturation / 2);
  const part = lightness === 0 || lightness === 1 ? 0 : (value - lightness) / Math.min(lightness, 1 - lightness);
  return `hsl(${hue * 360} ${part * 100}% ${lightness * 100}%)`;
}
