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
      label: "data(label)", "font-size": 13, color: tone("ink"), "text-wrap": "wrap", "text-max-width": 130,
      "text-valign": "bottom", "text-margin-y": 4, width: 22, height: 22, "background-color": "data(colour)",
      "border-width": 1, "border-color": tone("ink") } },
    { selector: "edge", style: {
      label: "data(label)", "font-size": 11, color: tone("faint"), width: 2, "line-color": tone("faint"),
      "target-arrow-color": tone("faint"), "target-arrow-shape": "triangle", "curve-style": "bezier",
      "text-rotation": "autorotate", "text-background-color": tone("paper"), "text-background-opacity": 0.85,
      "text-background-padding": 2 } },
    { selector: "edge[?negated]", style: { "line-style": "dashed", "line-color": tone("contradicted"),
      "target-arrow-color": tone("contradicted"), "target-arrow-shape": "tee" } },
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

function arrange(drawing, options) {
  drawing.layout(Object.assign({ name: "cose", animate: false, randomize: false, padding: 24, nodeRepulsion: 12000,
    idealEdgeLength: 95, nodeOverlap: 24, componentSpacing: 70, numIter: 600 }, options || {})).run();
  drawing.fit(undefined, 28);
  if (drawing.zoom() > 1.4) { drawing.zoom(1.4); drawing.center(); }
}

/* Start on a circle: the spring layout is then the same each time. */
function seatOnCircle(elements) {
  const nodes = elements.filter((e) => e.group === "nodes");
  nodes.forEach((node, i) => {
    const angle = 2 * Math.PI * i / Math.max(1, nodes.length);
    node.position = { x: 220 * Math.cos(angle), y: 160 * Math.sin(angle) };
  });
  return elements;
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
