/* The graph explorer: search, expand on click, filter, path between two nodes. */
(function () {
  const byId = (id) => document.getElementById(id);
  const about = JSON.parse(byId("graph-about").textContent);
  byId("about").textContent = `${about.nodes.toLocaleString("en")} nodes, ${about.edges.toLocaleString("en")} edges, ${about.hash.slice(0, 19)}…`;
  const names = new Map();
  const WORDS_AT_ONCE = 12;  /* beyond that, the words on the lines cover each other: they come when pointed at */
  let chosen = "", from = "", to = "";

  function say(text) { byId("message").textContent = text; }
  async function ask(what, query) {
    const response = await fetch(`${about.prefix}/${what}?` + new URLSearchParams(query));
    const value = await response.json();
    if (!response.ok) { say(value.error + (value.hint ? " — " + value.hint : "")); throw new Error(value.error); }
    say("");
    return value;
  }
  function fill(select, values, all) {
    select.append(element("option", { value: "" }, all));
    for (const value of values) select.append(element("option", { value: value }, value.replaceAll("_", " ")));
  }
  fill(byId("type"), about.types, "any type");
  fill(byId("relation"), about.relations, "any relation");

  const drawing = cytoscape({ container: byId("drawing"), style: drawingStyle(), maxZoom: 3, minZoom: 0.05 });
  byId("stage").append(zoomButtons(() => drawing));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    drawing.nodes().forEach((n) => { n.data("colour", tone(family(n.data("type")))); });
    drawing.style(drawingStyle());
  });

  function put(nodes, edges, around) {
    const centre = around ? drawing.getElementById("n:" + around) : null;
    const middle = centre && centre.length ? { ...centre.position() } : { x: 0, y: 0 };
    const before = drawing.nodes().length;
    const fresh = nodes.filter((n) => drawing.getElementById("n:" + n.id).empty());
    const seats = rings(fresh.filter((n) => n.id !== around).length);
    let seat = 0;
    for (const n of fresh) {
      names.set(n.id, n.name);
      const place = n.id === around ? { x: 0, y: 0 } : seats[seat++];
      drawing.add({ ...nodeElement(n.id, n.name, n.type), position: { x: middle.x + place.x, y: middle.y + place.y } });
    }
    for (const e of edges) {
      if (drawing.getElementById("e:" + e.id).nonempty()) continue;
      drawing.add(edgeElement(e.id, [e.subject, e.relation, e.object, e.source, e.negated]));
    }
    drawing.edges().toggleClass("quiet", drawing.edges().length > WORDS_AT_ONCE);
    if (!fresh.length) return;
    if (before > 1) {  /* a second neighbourhood: let the springs part them */
      drawing.layout({ name: "cose", animate: false, randomize: false, nodeRepulsion: 90000, idealEdgeLength: 150,
        nodeOverlap: 40, gravity: 0.2, numIter: drawing.nodes().length > 150 ? 150 : 500 }).run();
    }
    fitted(drawing);
  }

  /* Places on rings wide enough that the names do not collide. */
  function rings(count) {
    const places = [];
    for (let ring = 0; places.length < count; ring++) {
      const radius = 190 + 130 * ring;
      const room = Math.min(count - places.length, Math.floor(2 * Math.PI * radius / 125));
      for (let i = 0; i < room; i++) {
        const angle = 2 * Math.PI * (i + ring / 2) / room - Math.PI / 2;
        places.push({ x: 1.25 * radius * Math.cos(angle), y: radius * Math.sin(angle) });
      }
    }
    return places;
  }

  const drawnTo = new Map();
  async function expand(id) {
    const key = [id, byId("type").value, byId("relation").value].join("\u0001");
    const found = await ask("neighbours", { id: id, type: byId("type").value, relation: byId("relation").value, offset: drawnTo.get(key) || 0 });
    put(found.nodes, found.edges, id);
    const end = found.offset + found.edges.length;
    byId("announce").textContent = `${found.edges.length} neighbours of ${names.get(id)} added`;
    if (end < found.total) say(`${end} of ${found.total} neighbours are drawn: choose a type or relation, or “more neighbours”`);
    drawnTo.set(key, end < found.total ? end : 0);
  }

  async function choose(id) {
    const node = await ask("node", { id: id });
    chosen = node.id;
    names.set(node.id, node.name);
    put([node], [], "");
    drawing.elements().removeClass("chosen");
    drawing.getElementById("n:" + node.id).addClass("chosen");
    history.replaceState(null, "", "#" + encodeURIComponent(node.id));
    const more = element("button", { type: "button", onclick: () => expand(node.id) }, "more neighbours");
    byId("right").replaceChildren(
      element("h2", {}, node.name),
      element("p", { class: "quiet" }, element("span", { class: "dot type-" + family(node.type) }), `${node.type} · ${node.id} · ${node.degree} edges`),
      element("div", { class: "buttons" }, more,
        element("button", { type: "button", onclick: () => end("from", node) }, "start here"),
        element("button", { type: "button", onclick: () => end("to", node) }, "end here"),
        element("button", { type: "button", onclick: () => drawing.getElementById("n:" + node.id).remove() }, "remove")),
      node.definition ? element("p", {}, node.definition) : null,
      element("dl", {},
        node.synonyms.length ? [element("dt", {}, "also called"), element("dd", {}, node.synonyms.join("; "))] : [],
        node.xrefs.length ? [element("dt", {}, "elsewhere"), element("dd", {}, node.xrefs.slice(0, 12).join(", "))] : [],
        [element("dt", {}, "sources"), element("dd", {}, node.sources.join(", "))]),
      element("h3", {}, "Neighbours"),
      element("ul", { class: "plain" }, node.groups.map((g) => element("li", {}, element("button", { type: "button",
        onclick: () => list(node, g) }, element("span", { class: "dot type-" + family(g.type) }),
        `${g.direction === "forward" ? "" : "← "}${g.relation.replaceAll("_", " ")} ${g.direction === "forward" ? "→ " : ""}${g.type} (${g.count})`)))),
      element("ul", { class: "plain", id: "members", "aria-label": "Neighbours of the chosen kind" }));
    byId("announce").textContent = `${node.name}, ${node.type}, ${node.degree} edges`;
  }

  async function list(node, group) {
    const found = await ask("neighbours", { id: node.id, relation: group.relation, type: group.type });
    put(found.nodes, found.edges, node.id);
    const others = found.nodes.filter((n) => n.id !== node.id);
    byId("members").replaceChildren(...others.map((n) => element("li", {}, element("button", { type: "button", onclick: () => choose(n.id) }, n.name))));
    byId("members").querySelector("button")?.focus();
  }

  function end(which, node) {
    if (which === "from") from = node.id; else to = node.id;
    byId(which).textContent = node.name;
    byId("find").disabled = !(from && to);
  }
  byId("find").addEventListener("click", async () => {
    const found = await ask("paths", { a: from, b: to, k: 3 });
    if (!found.paths.length) { say(`No path: ${found.reason.replaceAll("_", " ")} ${found.detail || ""}`); return; }
    drawing.elements().remove();
    put(found.nodes, found.edges, from);
    const seats = layered(found.paths.map((p) => p.nodes));
    drawing.nodes().forEach((n) => { n.position(seats.positions.get(n.data("curie"))); });
    fitted(drawing);
    for (const edge of found.paths[0].edges) drawing.getElementById("e:" + edge).addClass("chosen");
    byId("paths").replaceChildren(...found.paths.map((p) => element("li", {}, p.words)));
    byId("announce").textContent = `${found.paths.length} paths found`;
  });
  byId("clear").addEventListener("click", () => { drawing.elements().remove(); drawnTo.clear(); byId("paths").replaceChildren(); say(""); });

  let ticket = 0, timer = 0;
  async function search() {
    const mine = ++ticket, text = byId("search").value;
    if (text.trim().length < 2) { byId("results").replaceChildren(); return; }
    const found = await ask("search", { q: text });
    if (mine !== ticket) return;
    byId("results").replaceChildren(...found.map((n) => element("li", {}, element("button", { type: "button",
      onclick: async () => { byId("results").replaceChildren(); await choose(n.id); await expand(n.id); } },
      element("span", { class: "dot type-" + family(n.type) }), n.name, " ",
      element("span", { class: "quiet" }, n.matched ? `“${n.matched}” · ${n.type}` : n.type)))));
    if (!found.length) say("Nothing has that in its name, synonyms or CURIE.");
  }
  byId("search").addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(search, 120); });
  byId("form").addEventListener("submit", (event) => {
    event.preventDefault();
    clearTimeout(timer);
    search().then(() => byId("results").querySelector("button")?.click());
  });
  drawing.on("tap", "node", async (event) => { const id = event.target.data("curie"); await choose(id); await expand(id); });
  drawing.on("mouseover", "edge", (event) => event.target.addClass("said"));
  drawing.on("mouseout", "edge", (event) => event.target.removeClass("said"));
  drawing.on("mouseover", "node", (event) => { if (event.target.degree() <= WORDS_AT_ONCE) event.target.connectedEdges().addClass("said"); });
  drawing.on("mouseout", "node", (event) => event.target.connectedEdges().removeClass("said"));
  drawing.on("tap", "edge", (event) => {
    const e = event.target.data();
    say(`${names.get(e.source.slice(2))} — ${e.label} → ${names.get(e.target.slice(2))} [${e.origin}]`);
  });

  const wanted = decodeURIComponent(location.hash.slice(1));
  if (wanted) choose(wanted).then(() => expand(wanted)).catch(() => {});
  window.pathkgDrawing = drawing;
  document.documentElement.dataset.ready = "true";
})();
