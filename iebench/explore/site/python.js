"use strict";
// What is on the screen as Python, to be copied.

/** A box with a button. show(lines) sets what is in it. */
function makePython() {
  const code = make("code"), told = make("span", { class: "faint", role: "status" });
  const copy = make("button", { type: "button", onclick: async () => {
    told.textContent = await putOnClipboard(code) ? "Copied." : "Select the text and copy it.";
    setTimeout(() => { told.textContent = ""; }, 2500);
  } }, "Copy");
  const element = make("details", { class: "python", open: remembered.python ?? false, ontoggle: () => { remembered.python = element.open; } },
    make("summary", {}, "As Python"), make("div", { class: "code" }, make("pre", { tabindex: 0 }, code), make("div", { class: "buttons" }, copy, told)));
  return { element, show: lines => { code.textContent = lines.filter(line => line !== null).join("\n"); } };
}

async function putOnClipboard(code) {
  try {
    await navigator.clipboard.writeText(code.textContent);
    return true;
  } catch {
    getSelection().selectAllChildren(code);
    return false;
  }
}

/** A text as a Python literal, of ASCII alone. */
function quote(text) {
  return JSON.stringify(text).replace(/[^\x20-\x7e]/g, sign => `\\u${sign.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

function openInPython(imports = []) {
  return ["from iebench import Dataset", ...imports, "", `data = Dataset(${quote(site.location)})`];
}

/** A number with enough digits, and no more. */
function digits(value) {
  return String(Number(value.toPrecision(7)));
}

function pythonOfChoice({ labels, split, words, ranges }) {
  const lines = ["import numpy as np", ...openInPython(), "chosen = np.ones(data.num_objects, bool)"];
  if (labels.length) lines.push(`chosen &= np.isin(data.labels, [${labels.join(", ")}])  # ${labels.map(label => quote(site.names.get(label)).slice(1, -1)).join(", ")}`);
  if (split) lines.push(`chosen &= data.splits == ${quote(split)}`);
  if (words.length) {
    lines.push("names = [f\"{data.class_of(label).name} {synset} {object_id}\".lower()",
      "         for label, synset, object_id in zip(data.labels, data.synsets, data.object_ids)]",
      ...words.map(word => `chosen &= np.array([${quote(word)} in name for name in names])`));
  }
  const used = [...ranges.entries()];
  if (!used.length) return [...lines, "objects = np.flatnonzero(chosen)"];
  lines.push("views = np.repeat(chosen[:, None], data.num_views, axis=1)");
  for (const [column, [low, high]] of used) {
    const name = site.factors[column].name;
    lines.push(`${`values = data.latents[..., data.space.names.index(${quote(name)})]`}`,
      `views &= (values >= ${digits(low)}) & (values <= ${digits(high)})`);
  }
  return [...lines, "objects, views = np.nonzero(views)"];
}

function pythonOfView(view) {
  const object = site.objects.index[placeOf(view)], own = view % site.numViews;
  return [...openInPython(["from iebench.loader.decode import decode_view"]),
    `image = decode_view(data, ${object}, ${own})  # uint8 (${site.imageSize}, ${site.imageSize}, 3)`,
    `latents = dict(zip(data.space.names, data.latents[${object}, ${own}]))`];
}

function pythonOfPair(source, target) {
  const object = site.objects.index[placeOf(source)], [first, second] = [source, target].map(view => view % site.numViews);
  if (!site.rotation) return [...openInPython(), `difference = data.latents[${object}, ${second}] - data.latents[${object}, ${first}]`];
  return [...openInPython(["from iebench.factors.transforms import make_transform", "from iebench.report.show import show_pair"]),
    `pair = show_pair(data, ${object}, ${first}, ${second})`, "print(*pair.lines, sep=\"\\n\")",
    "rotation = make_transform(\"rotation\", data.space)  # quaternion x, y, z, w",
    `quaternion = rotation(data.latents[${object}, ${first}], data.latents[${object}, ${second}])`];
}
