"use strict";
/* Graph drawings, shared by the viewer and the explorer. */

const FAMILIES = {
  disease: "disease", morphology: "morphology", "effect/phenotype": "morphology", marker_result: "marker",
  marker: "marker", anatomy: "anatomy", stage: "stage", grade: "stage", procedure: "procedure", specimen: "procedure",
  "gene/protein": "gene", pathway: "gene", molecular_function: "gene", biological_process: "gene", cell: "cell",
  cellular_component: "cell",
};

function family(type) { return FAMILIES[type] || "other"; }

function tone(name) { return getComputedStyle(document.documentElement).getPropertyValue("--" + name).trim(); }

function calm() { return matchMedia("(prefers-reduced-motion: reduce)").matches; }

/* The colours come from the style sheet, so that a drawing follows the light or dark scheme. */
function drawingStyle() {
  return [
    { selector: "node", style: {
      label: "data(label)", "font-size": 13, color: tone("ink"), "text-wrap": "wrap", "text-max-width": 118,
      "text-valign": "bottom", "text-margin-y": 4, "text-background-color": tone("paper"), "text-background-opacity": 0.85,
      "text-background-padding": 1, "text-background-shape": "roundrectangle", "z-index": 5, width: 22, height: 22, "background-color": "data(colour)",
      "border-width": 1, "border-color": tone("ink") } },
    { selector: "edge", style: {
      label: "data(label)", "font-size": 11, color: tone("faint"), width: 2, "line-color": tone("faint"),
      "target-arrow-color": tone("faint"), "target-arrow-shape": "triangle", "curve-style": "bezier",
      "text-rotation": "autorotate", "text-background-color": tone("paper"), "text-background-opacity": 0.85,
      "text-background-padding": 2 } },
    { selector: "edge[?negated]", style: { "line-style": "dashed", "line-color": tone("contradicted"),
      "target-arrow-color": tone("contradicted"), "target-arrow-shape": "tee" } },
    { selector: "edge.quiet", style: { label: "" } },
    { selector: "edge.said", style: { label: "data(label)", "line-color": tone("focus"), "target-arrow-color": tone("focus"),
      "text-background-opacity": 1, "z-index": 9 } },
    { selector: ".chosen", style: { width: 4, "line-color": tone("focus"), "target-arrow-color": tone("focus"),
      "z-index": 9 } },
    { selector: "node.chosen", style: { width: 30, height: 30, "border-width": 4, "border-color": tone("focus") } },
    { selector: ".dim", style: { opacity: 0.25 } },
  ];
}

function nodeElement(id, name, type) {
  return { group: "nodes", data: { id: "n:" + id, curie: id, label: name, type: type, colour: tone(family(type)) } };
}

function edgeElement(key, hop) {
  const words = hop[1].replaceAll("_", " ");
  return { group: "edges", data: { id: "e:" + key, source: "n:" + hop[0], target: "n:" + hop[2],
    label: hop[4] ? "NOT " + words : words, negated: hop[4] ? 1 : 0, origin: hop[3] } };
}

function hopKey(hop) { return [hop[0], hop[1], hop[2], hop[3]].join("\u0001"); }

function fitted(drawing, elements) {
  drawing.fit(elements, 30);
  if (drawing.zoom() > 1.15) { drawing.zoom(1.15); drawing.center(elements); }
}

/* Zoom by buttons: the wheel stays with the page. */
function zoomButtons(get) {
  const by = (factor) => () => {
    const drawing = get();
    if (drawing) drawing.zoom({ level: drawing.zoom() * factor, renderedPosition: { x: drawing.width() / 2, y: drawing.height() / 2 } });
  };
  return element("div", { class: "zoom" },
    element("button", { type: "button", onclick: by(1.3), "aria-label": "Zoom in" }, "+"),
    element("button", { type: "button", onclick: by(1 / 1.3), "aria-label": "Zoom out" }, "−"),
    element("button", { type: "button", onclick: () => get() && fitted(get()) }, "whole"));
}

/* Columns by distance from the node where most paths end (the diagnosis, at the right). Edges then join only
   neighbouring columns. Returns the positions by node id, and how many rows they need. */
function layered(walks) {
  const beside = new Map(), ends = new Map();
  const join = (a, b) => { if (!beside.has(a)) beside.set(a, new Set()); beside.get(a).add(b); };
  for (const walk of walks) {
    walk.forEach((id, i) => { if (i) { join(id, walk[i - 1]); join(walk[i - 1], id); } });
    /* of two, the end that paths lead to */
    ends.set(walk[0], (ends.get(walk[0]) || 0) + 1);
    ends.set(walk[walk.length - 1], (ends.get(walk[walk.length - 1]) || 0) + 1.01);
  }
  const roots = [...ends.keys()].sort((a, b) => ends.get(b) - ends.get(a) || beside.get(b).size - beside.get(a).size);
  const column = new Map(), columns = [];
  for (const root of roots) {  /* a later root only starts a part that nothing joins to the others */
    if (column.has(root)) continue;
    let front = [root];
    for (let depth = 0; front.length; depth++) {
      if (!columns[depth]) columns[depth] = [];
      const next = new Set();
      for (const id of front) { column.set(id, depth); columns[depth].push(id); }
      for (const id of front) for (const other of beside.get(id) || []) if (!column.has(other)) next.add(other);
      front = [...next];
    }
  }
  const rows = Math.max(1, ...columns.map((ids) => ids.length));
  const positions = new Map();
  columns.forEach((ids, depth) => {
    /* near what it joins in the column before, so that few edges cross */
    const wish = new Map(ids.map((id) => {
      const known = [...(beside.get(id) || [])].filter((o) => column.get(o) === depth - 1).map((o) => positions.get(o).y);
      return [id, known.length ? known.reduce((a, b) => a + b) / known.length : rows * 31];
    }));
    ids.sort((a, b) => wish.get(a) - wish.get(b));
    ids.forEach((id, i) => positions.set(id, { x: -155 * depth, y: 66 * (i + 0.5) * rows / ids.length }));
  });
  return { positions: positions, rows: rows };
}

function element(tag, attributes, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (name === "onclick") made.addEventListener("click", value);
    else if (value !== null && value !== undefined && value !== false) made.setAttribute(name, value === true ? "" : value);
  }
  for (const child of children.flat()) if (child !== null && child !== undefined) made.append(child);
  return made;
}
