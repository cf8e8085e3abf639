/* The case viewer. Data: #head (index of all cases) and #block-N (40 cases each), both gzip in base64. */
(async function () {
  const ROW = 64;
  const byId = (id) => document.getElementById(id);
  const main = byId("main"), list = byId("list");
  if (!("DecompressionStream" in window)) {
    main.textContent = "This browser is too old to unpack the cases (needs DecompressionStream: 2023 or later).";
    return;
  }

  async function unpack(id) {
    const bytes = Uint8Array.from(atob(byId(id).textContent), (c) => c.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    return JSON.parse(await new Response(stream).text());
  }

  const head = await unpack("head");
  const index = head.index;
  const haystack = index.map((row) => (row[0] + " " + row[4] + " " + head.organs[row[2]]).toLowerCase());
  const blocks = new Map();
  async function block(number) {
    if (!blocks.has(number)) {
      if (blocks.size > 12) blocks.delete(blocks.keys().next().value);
      blocks.set(number, unpack("block-" + number));
    }
    return blocks.get(number);
  }

  /* ---- filters ---- */
  function tally(values) {
    const counts = new Map();
    for (const value of values) counts.set(value, (counts.get(value) || 0) + 1);
    return [...counts].sort((a, b) => b[1] - a[1] || String(a[0]).localeCompare(String(b[0])));
  }
  function options(select, pairs, name) {
    select.append(element("option", { value: "" }, "all"));
    for (const [value, count] of pairs) {
      select.append(element("option", { value: value }, `${name(value)} (${count.toLocaleString("en")})`));
    }
  }
  options(byId("verdict"), tally(index.map((r) => r[1])), (v) => v);
  options(byId("organ"), tally(index.map((r) => r[2])), (v) => head.organs[v]);
  options(byId("reason"), tally(index.flatMap((r) => r[3])), (v) => head.reasons[v]);
  options(byId("kind"), tally(index.map((r) => r[5])), (v) => (v || "none").replaceAll("_", " "));

  let shown = [], current = -1, opened = 0;
  function filter() {
    const words = byId("search").value.toLowerCase().split(/\s+/).filter(Boolean);
    const verdict = byId("verdict").value, organ = byId("organ").value, reason = byId("reason").value,
      kind = byId("kind").value, kindChosen = byId("kind").selectedIndex > 0;
    const chosen = current >= 0 ? shown[current] : -1;
    shown = [];
    for (let i = 0; i < index.length; i++) {
      const row = index[i];
      if (verdict && row[1] !== verdict) continue;
      if (organ !== "" && row[2] !== Number(organ)) continue;
      if (reason !== "" && !row[3].includes(Number(reason))) continue;
      if (kindChosen && row[5] !== kind) continue;
      if (words.some((w) => !haystack[i].includes(w))) continue;
      shown.push(i);
    }
    byId("count").textContent = shown.length === index.length ? `${index.length.toLocaleString("en")} ${index.length === 1 ? "case" : "cases"}`
      : `${shown.length.toLocaleString("en")} of ${index.length.toLocaleString("en")} cases`;
    current = shown.indexOf(chosen);
    list.scrollTop = Math.max(0, current) * ROW;
    paint();
    if (shown.length === 0) {
      main.replaceChildren(element("p", {}, "No case passes these filters."));
      list.removeAttribute("aria-activedescendant");
    } else if (current < 0) open(0);
  }

  /* ---- the list: only the rows in sight exist ---- */
  const space = element("div", { "aria-hidden": "true" });
  function paint() {
    const first = Math.max(0, Math.floor(list.scrollTop / ROW) - 4);
    const last = Math.min(shown.length, Math.ceil((list.scrollTop + list.clientHeight) / ROW) + 4);
    space.style.height = shown.length * ROW + "px";
    const rows = [];
    for (let i = first; i < last; i++) {
      const row = index[shown[i]];
      const made = element("div", { class: "row", role: "option", id: "row-" + i, "aria-selected": String(i === current),
        "aria-setsize": shown.length, "aria-posinset": i + 1, onclick: () => open(i) },
        element("span", { class: "line" }, element("span", { class: "badge " + row[1] }, row[1]), " " + row[4]),
        element("span", { class: "line quiet" }, [row[5].replaceAll("_", " "), head.organs[row[2]], row[0]].filter(Boolean).join(" · ")));
      made.style.top = i * ROW + "px";
      rows.push(made);
    }
    list.replaceChildren(space, ...rows);
    if (current >= first && current < last) list.setAttribute("aria-activedescendant", "row-" + current);
    else list.removeAttribute("aria-activedescendant");
  }
  let waiting = false;
  list.addEventListener("scroll", () => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => { waiting = false; paint(); });
  });
  addEventListener("resize", paint);

  /* ---- one case ---- */
  /* Offsets count code points, as Python does. */
  function points(text) { return /[\ud800-\udbff]/.test(text) ? Array.from(text) : text; }
  function cut(text, a, b) { const part = text.slice(a, b); return typeof part === "string" ? part : part.join(""); }

  function marked(text, marks, extra) {
    const letters = points(text);
    const edges = new Set([0, letters.length]);
    for (const m of marks) { edges.add(m[0]); edges.add(m[1]); }
    for (const e of extra || []) { edges.add(e[0]); edges.add(e[1]); }
    const cuts = [...edges].filter((e) => e >= 0 && e <= letters.length).sort((a, b) => a - b);
    const pieces = [];
    for (let i = 0; i + 1 < cuts.length; i++) {
      const words = cut(letters, cuts[i], cuts[i + 1]);
      const over = marks.filter((m) => m[0] <= cuts[i] && m[1] >= cuts[i + 1]).sort((a, b) => (a[1] - a[0]) - (b[1] - b[0]));
      const attributes = { "data-start": cuts[i], "data-end": cuts[i + 1] };
      if (over.length) {
        const m = over[0];
        pieces.push(element("mark", { ...attributes, class: `type-${family(m[4])} ${m[5]}`,
          title: over.map((o) => `${o[3]} (${o[2]}), ${o[4]}, ${o[5]}`).join("\n") }, words));
      } else pieces.push(element("span", attributes, words));
    }
    return pieces;
  }

  let pieces = [], drawing = null, data = null, page = null;
  let evidenceButtons = [], evidenceAt = -1;

  function clearEvidence() {
    document.querySelectorAll("mark.shown, span.shown").forEach((e) => e.classList.remove("shown"));
    document.querySelectorAll('.facts button[aria-pressed="true"]').forEach((b) => b.setAttribute("aria-pressed", "false"));
    if (drawing) drawing.elements().removeClass("chosen dim");
  }
  function showSpan(start, end) {
    const touched = pieces.filter((p) => Number(p.dataset.start) < end && Number(p.dataset.end) > start);
    touched.forEach((p) => p.classList.add("shown"));
    if (!touched.length) return;
    const report = touched[0].closest(".report");
    const gap = touched[0].getBoundingClientRect().top - report.getBoundingClientRect().top;
    report.scrollTop += gap - report.clientHeight / 3;
    if (matchMedia("(max-width: 60rem)").matches) report.scrollIntoView({ block: "nearest" });
  }
  function showPath(number) {
    const hops = page.paths[number][1];
    draw(pathsOf(data).includes(number) ? pathsOf(data) : [number]);
    if (!drawing) return;
    drawing.elements().addClass("dim");
    for (const hop of hops) {
      const edge = drawing.getElementById("e:" + hopKey(hop));
      edge.removeClass("dim").addClass("chosen");
      edge.connectedNodes().removeClass("dim").addClass("chosen");
    }
    fitted(drawing, drawing.elements(".chosen"));
    byId("drawing").scrollIntoView({ block: "nearest", behavior: calm() ? "auto" : "smooth" });
  }
  function pathsOf(item) {
    const found = new Set();
    for (const part of item.p) {
      for (const entity of part.e) for (const e of entity[8]) if (e[0] === "g") found.add(e[1]);
      for (const claim of part.c) for (const e of claim[5]) if (e[0] === "g") found.add(e[1]);
    }
    return [...found];
  }

  let drawn = "";
  function draw(numbers) {
    const key = numbers.join(",");
    const place = byId("drawing");
    if (!place || (drawing && drawn === key)) return;
    drawn = key;
    const elements = [], seen = new Set();
    for (const number of numbers) {
      for (const hop of page.paths[number][1]) {
        for (const id of [hop[0], hop[2]]) {
          if (seen.has(id)) continue;
          seen.add(id);
          const node = page.nodes[id] || [id, ""];
          elements.push(nodeElement(id, node[0], node[1]));
        }
        const edge = hopKey(hop);
        if (seen.has("e" + edge)) continue;
        seen.add("e" + edge);
        elements.push(edgeElement(edge, hop));
      }
    }
    if (drawing) drawing.destroy();
    const seats = layered(numbers.map((n) => page.paths[n][2]));
    for (const e of elements) if (e.group === "nodes") e.position = seats.positions.get(e.data.curie) || { x: 0, y: 0 };
    place.style.height = Math.min(36, Math.max(12, seats.rows * 3.2 + 2)) + "rem";
    drawing = cytoscape({ container: place, elements: elements, style: drawingStyle(), layout: { name: "preset" },
      maxZoom: 3, minZoom: 0.1, userZoomingEnabled: false });
    fitted(drawing);
  }
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { if (data) show(data); });

  function evidence(items) {
    return items.map((item) => {
      const inReport = item[0] === "r";
      const words = inReport ? "“" + cut(points(page.reports[data.r]), item[1], item[2]).replace(/\s+/g, " ") + "”" : page.paths[item[1]][0];
      const button = element("button", { type: "button", "aria-pressed": "false", onclick: () => press(button) },
        inReport ? "report " : "graph ", words);
      button.show = () => (inReport ? showSpan(item[1], item[2]) : showPath(item[1]));
      return button;
    });
  }
  function press(button) {
    const on = button.getAttribute("aria-pressed") === "true";
    clearEvidence();
    evidenceAt = evidenceButtons.indexOf(button);
    if (on) return;
    button.closest("details")?.setAttribute("open", "");
    button.setAttribute("aria-pressed", "true");
    button.show();
    byId("announce").textContent = "Evidence: " + button.textContent;
  }

  function partCard(part) {
    const marks = part.e.map((e) => [e[0], e[1], e[2], e[3], e[4], e[5] === "-" ? "absent" : "present"]);
    const claims = part.c.map((c) => element("li", {}, element("span", { class: "badge " + c[3] }, c[3]),
      element("span", {}, `${c[0]} ${c[1]} ${c[2]}: ${c[4]}`), ...evidence(c[5])));
    const entities = part.e.map((e) => element("li", {}, element("span", { class: "badge " + e[6] }, e[6]),
      element("span", {}, `${e[5] === "-" ? "no " : ""}${e[3]}: ${e[7]}`), ...evidence(e[8])));
    const bad = part.e.some((e) => e[6] !== "supported");
    return element("article", { class: "part " + part.v, "aria-label": part.n },
      element("h3", {}, part.n[0].toUpperCase() + part.n.slice(1), element("span", { class: "badge " + part.v },
        part.v === "unchecked" ? "nothing to check" : part.v)),
      element("p", {}, ...marked(part.t, marks)),
      part.x.length ? element("ul", { class: "facts" }, part.x.map((x) => element("li", {},
        element("span", { class: "badge contradicted" }, "contradicted"), x))) : null,
      claims.length ? element("ul", { class: "facts" }, claims) : null,
      entities.length ? element("details", bad ? { open: true } : {}, element("summary", {},
        `${entities.length} ${entities.length === 1 ? "entity" : "entities"}`), element("ul", { class: "facts" }, entities)) : null);
  }

  function show(item) {
    data = item;
    if (drawing) { drawing.destroy(); drawing = null; }
    drawn = "";
    const row = index[shown[current]];
    const report = page.reports[item.r];
    const spans = item.p.flatMap((p) => [...p.e.flatMap((e) => e[8]), ...p.c.flatMap((c) => c[5])])
      .filter((e) => e[0] === "r").map((e) => [e[1], e[2]]);
    pieces = report ? marked(report, item.m, spans) : [];
    const numbers = pathsOf(item);
    const families = [...new Set(item.m.map((m) => family(m[4])))];
    const statuses = [...new Set(item.m.map((m) => m[5]))];
    const legend = element("ul", { class: "legend", "aria-label": "What the marks mean" },
      families.map((f) => element("li", {}, element("mark", { class: "type-" + f }, f))),
      statuses.map((s) => element("li", {}, element("mark", { class: "type-other " + s }, s))));
    const left = element("section", { class: "sticky", "aria-label": "Report and graph" },
      report ? element("h2", {}, "Report") : null,
      report ? element("div", { class: "report", tabindex: "0", role: "region", "aria-label": "Report text" }, ...pieces) : null,
      item.m.length ? legend : null,
      numbers.length ? element("h2", {}, `Graph paths (${numbers.length})`) : null,
      numbers.length ? element("div", { id: "drawing", role: "img",
        "aria-label": "Drawing of the graph paths that are listed below as text" }) : null,
      numbers.length ? zoomButtons(() => drawing) : null,
      numbers.length ? element("details", {}, element("summary", {}, "the paths as text"),
        element("ol", { id: "paths" }, numbers.map((n) => element("li", {}, page.paths[n][0])))) : null);
    const right = element("section", { "aria-label": "Reasoning" },
      item.p.length ? element("h2", { style: "margin-bottom:.5rem" }, "Reasoning") : null, item.p.map(partCard));
    main.replaceChildren(element("div", { id: "case" },
      element("div", { id: "top" }, element("h2", {}, row[4]),
        element("span", {}, element("span", { class: "badge " + row[1] }, row[1]), " ",
          element("span", { class: "quiet" }, `${row[0]} · ${head.organs[row[2]]}${row[5] ? " · " + row[5].replaceAll("_", " ") : ""}`)),
        item.q ? element("div", { class: "question" }, item.q) : null),
      report || numbers.length ? left : null, right,
      element("dl", { class: "notes" }, item.i.map((n) => element("div", {}, element("dt", {}, n[0] + ":"), element("dd", {}, n[1]))))));
    evidenceButtons = [...main.querySelectorAll(".facts button")];
    evidenceAt = -1;
    main.scrollTop = 0;
    if (numbers.length) draw(numbers);
  }

  async function open(position) {
    if (!shown.length) return;
    current = Math.min(Math.max(0, position), shown.length - 1);
    const top = current * ROW;
    if (top < list.scrollTop) list.scrollTop = top;
    else if (top + ROW > list.scrollTop + list.clientHeight) list.scrollTop = top + ROW - list.clientHeight;
    paint();
    const number = shown[current], ticket = ++opened;
    const unpacked = await block(Math.floor(number / head.block));
    if (ticket !== opened) return;  // another case was asked for meanwhile
    page = unpacked;
    show(unpacked.cases[number % head.block]);
    byId("announce").textContent = `Case ${current + 1} of ${shown.length}: ${index[number][4]}, ${index[number][1]}`;
    history.replaceState(null, "", "#" + encodeURIComponent(index[number][0]));
  }

  function step(by) {
    if (!evidenceButtons.length) return;
    const target = evidenceButtons[(evidenceAt + by + evidenceButtons.length) % evidenceButtons.length];
    target.closest("details")?.setAttribute("open", "");
    if (target.getAttribute("aria-pressed") !== "true") press(target);
    target.focus({ preventScroll: true });
    target.scrollIntoView({ block: "nearest" });
  }

  list.addEventListener("keydown", (event) => {
    const jump = { ArrowDown: current + 1, ArrowUp: current - 1, Home: 0, End: shown.length - 1,
      PageDown: current + 8, PageUp: current - 8 }[event.key];
    if (jump === undefined) return;
    event.preventDefault();
    open(jump);
  });
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.matches("input, select, textarea")) { if (event.key === "Escape") event.target.blur(); return; }
    const act = {
      j: () => open(current + 1), k: () => open(current - 1), n: () => step(1), p: () => step(-1),
      "/": () => byId("search").focus(), "?": () => byId("help").showModal(),
      g: () => { clearEvidence(); if (data && drawing) { fitted(drawing); byId("drawing").scrollIntoView({ block: "nearest" }); } },
    }[event.key];
    if (!act || byId("help").open) return;
    event.preventDefault();
    act();
  });
  byId("help-button").addEventListener("click", () => byId("help").showModal());
  byId("filters").addEventListener("submit", (event) => event.preventDefault());
  byId("search").addEventListener("input", filter);
  for (const id of ["verdict", "organ", "reason", "kind"]) byId(id).addEventListener("change", filter);

  function linked() {
    let wanted = location.hash.slice(1);
    try { wanted = decodeURIComponent(wanted); } catch { /* a lone % in the address: taken as it stands */ }
    return wanted ? index.findIndex((row) => row[0] === wanted) : -1;
  }
  // a link to another case of this page, or an address typed by hand; a case that the filters hide is shown without them
  addEventListener("hashchange", () => {
    const number = linked();
    if (number < 0) return;
    if (!shown.includes(number)) {
      byId("filters").reset();
      filter();
    }
    open(shown.indexOf(number));
  });
  const at = linked();
  shown = index.map((_, i) => i);
  current = at;
  filter();
  if (at >= 0) await open(at);
  document.documentElement.dataset.ready = "true";
})();
