"use strict";
// What is on the screen about runs, as Python.

function openRunInPython(run, view) {
  const object = site.objects.index[placeOf(view)], size = run.size ? `, ${run.size}` : "";
  return [
    "import iebench", "import numpy as np", "import torch",
    ...openInPython(["from iebench.factors.transforms import make_transform", "from iebench.loader.decode import decode_view"]),
    run.location ? `run = iebench.load(${quote(run.location)})` : `run = …  # ${quote(run.name)}`,
    `images = np.stack([decode_view(data, ${object}, view${size}) for view in range(data.num_views)])`,
    "images = torch.from_numpy(images.transpose(0, 3, 1, 2).copy())",
    "with torch.no_grad():",
  ];
}

function pythonOfMap(run, map) {
  const part = map.part === "whole" ? "" : `[:, run.parts[${quote(map.part)}]]`;
  return [
    "import iebench", "import numpy as np", "import torch", "from iebench import ViewDataset", "",
    run.location ? `run = iebench.load(${quote(run.location)})` : `run = …  # ${quote(run.name)}`,
    `views = ViewDataset(${quote(site.location)}, "val"${run.size ? `, ${run.size}` : ""}).loader(256)`,
    "with torch.no_grad():",
    `    found = torch.cat([run.represent(batch.image)${part} for batch in views]).double().numpy()`,
    "centred = found - found.mean(0)",
    "positions = centred @ np.linalg.eigh(centred.T @ centred)[1][:, :-3:-1]  # two principal components, of val alone",
  ];
}

function embedInPython(run) {
  return run.embedsImages ? "    embeddings = run.embed_images(images)" : "    embeddings = run.embed(run.represent(images))";
}

function findInPython(source) {
  return [
    `    predicted = run.predict(embeddings[[${source}]], torch.from_numpy(turn.astype(np.float32)))`,
    "cosines = torch.cosine_similarity(predicted, embeddings[:, -predicted.shape[1]:])",
    "order = cosines.argsort(descending=True).tolist()  # the object's own views, nearest first",
  ];
}

function pythonOfRetrieval(run, source, target) {
  const object = site.objects.index[placeOf(source)], own = source % site.numViews;
  if (!run.predicts) {
    return [...openRunInPython(run, source), "    found = run.represent(images)",
      `order = torch.cosine_similarity(found[[${own}]], found).argsort(descending=True).tolist()`];
  }
  return [...openRunInPython(run, source), embedInPython(run),
    `    turn = make_transform(${quote(run.transform)}, data.space)(data.latents[${object}, [${own}]], data.latents[${object}, [${target}]])`, ...findInPython(own)];
}

function pythonOfSteering(run, source, axis, degrees) {
  return [...openRunInPython(run, source), embedInPython(run),
    `    turn = make_transform(${quote(run.transform)}, data.space).rotate_about(np.eye(3)[${axis}], np.radians([${degrees}]))`, ...findInPython(source % site.numViews)];
}

const MOST_LISTED = 200;

function pythonOfViews(items, text) {
  const listed = items.slice(0, MOST_LISTED).map(({ view, source }) => {
    const numbers = [site.objects.index[placeOf(view)], ...(source === undefined ? [] : [source]), view % site.numViews];
    return `(${numbers.join(", ")})`;
  });
  const what = items[0]?.source === undefined ? "object, view" : "object, source, target";
  return [...openInPython(["from iebench.loader.decode import decode_view"]),
    `# ${quote(text).slice(1, -1)}: (${what})${items.length > MOST_LISTED ? `, the first ${MOST_LISTED} of ${items.length}` : ""}`,
    `found = [${listed.join(", ")}]`, "images = [decode_view(data, item[0], item[-1]) for item in found]"];
}
