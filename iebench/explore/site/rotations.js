"use strict";
// Rotations as in iebench.factors.rotations: quaternions (x, y, z, w), Euler angles extrinsic x-y-z in radians.

function eulerToQuaternion([x, y, z]) {
  const [sx, sy, sz] = [x, y, z].map(angle => Math.sin(angle / 2));
  const [cx, cy, cz] = [x, y, z].map(angle => Math.cos(angle / 2));
  return [
    sx * cy * cz - cx * sy * sz, cx * sy * cz + sx * cy * sz,
    cx * cy * sz - sx * sy * cz, cx * cy * cz + sx * sy * sz,
  ];
}

/** Hamilton product: applies `right` first. */
function compose([ax, ay, az, aw], [bx, by, bz, bw]) {
  return [
    aw * bx + ax * bw + ay * bz - az * by, aw * by - ax * bz + ay * bw + az * bx,
    aw * bz + ax * by - ay * bx + az * bw, aw * bw - ax * bx - ay * by - az * bz,
  ];
}

function invert([x, y, z, w]) {
  return [-x, -y, -z, w];
}

/** The rotation in the object's frame that takes the source to the target: R(target) = R(source) r. */
function relativeRotation(source, target) {
  return compose(invert(source), target);
}

function rotate([x, y, z, w], vector) {
  const t = cross([x, y, z], vector).map(value => 2 * value);
  return sum(sum(vector, t.map(value => w * value)), cross([x, y, z], t));
}

/** Unit axis, and angle in degrees in [0, 180]. */
function axisAndAngle([x, y, z, w]) {
  const sign = w < 0 ? -1 : 1, length = Math.hypot(x, y, z);
  const axis = length > 1e-9 ? [x, y, z].map(value => sign * value / length) : [0, 0, 1];
  return { axis, degrees: 2 * Math.atan2(length, Math.abs(w)) * 180 / Math.PI };
}

function turnAbout(axis, degrees) {
  const half = degrees * Math.PI / 360;
  return [...axis.map(value => value * Math.sin(half)), Math.cos(half)];
}

function degreesBetween(first, second) {
  return axisAndAngle(relativeRotation(first, second)).degrees;
}

function cross(a, b) {
  return [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
}

function dot(a, b) {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

function sum(a, b) {
  return a.map((value, i) => value + b[i]);
}

function scale(a, by) {
  return a.map(value => value * by);
}

function unit(a) {
  return scale(a, 1 / (Math.hypot(...a) || 1));
}
