"use strict";
// Data comes as scripts that call `receive`, so that a page which was opened from disk may read it.

const received = new Map();
const expected = new Map();
const ARRAYS = { f4: Float32Array, u1: Uint8Array, u2: Uint16Array, u4: Uint32Array };

function receive(name, value) {
  received.set(name, revive(value));
  expected.get(name)?.resolve(received.get(name));
}

/** The value of `data/NAME.js`, loaded when it is first asked for. */
function load(name) {
  if (!expected.has(name)) {
    const promise = {};
    promise.done = new Promise((resolve, reject) => Object.assign(promise, { resolve, reject }));
    expected.set(name, promise);
    if (received.has(name)) promise.resolve(received.get(name));
    else addScript(name, promise);
  }
  return expected.get(name).done;
}

function addScript(name, promise) {
  const fail = () => {
    expected.delete(name);
    promise.reject(new Error(`data/${name}.js is missing or damaged: copy the whole folder of the explorer.`));
  };
  const script = make("script", { onerror: fail, onload: () => received.has(name) || fail() });
  const address = `data/${name}.js`;
  script.src = globalThis.trustedTypes ? scriptAddresses.createScriptURL(address) : address;
  document.head.append(script);
}

// The page's policy allows scripts only from addresses that were made here: those of our own data files.
const scriptAddresses = globalThis.trustedTypes?.createPolicy("data", {
  createScriptURL: address => {
    if (!/^data\/[a-z0-9-]+\.js$/.test(address)) throw new TypeError(`${address} is no data file`);
    return address;
  },
});

function revive(value) {
  if (Array.isArray(value) || value === null || typeof value !== "object") return value;
  if (typeof value.base64 === "string") return decodeArray(value);
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, revive(inner)]));
}

function decodeArray({ type, base64 }) {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return new ARRAYS[type](bytes.buffer);
}
