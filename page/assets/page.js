"use strict";
// Plain JavaScript for the table; Vega is started only when a chart comes into view.
(() => {
  const byId = (id) => document.getElementById(id);
  const json = (id) => { const found = byId(id); return found ? JSON.parse(found.textContent) : null; };
  const make = (tag, attributes = {}, ...children) => {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.append(...children);
    return element;
  };
  const root = document.documentElement;
  root.classList.add("js");

  // -- light and dark
  const asked = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (root.dataset.theme || (asked.matches ? "dark" : "light")) === "dark";
  const toggle = byId("theme");
  const label = () => {
    toggle.textContent = isDark() ? "Light" : "Dark";
    toggle.setAttribute("aria-label", isDark() ? "use light colours" : "use dark colours");
  };
  const repaint = () => { label(); drawn.forEach((draw) => draw()); };
  toggle.addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    repaint();
  });
  asked.addEventListener("change", repaint);

  // -- charts
  const drawn = new Map(); // how to draw again, by element
  const drawings = json("charts") || { figures: {}, templates: {}, pairs: [] };
  let vega = null;
  const startVega = () => {
    if (!vega) {
      vega = true;
      document.head.append(make("script", {}, byId("vega").textContent));
    }
  };
  const inTheme = (spec) => {
    if (!isDark()) return spec;
    let text = JSON.stringify(spec);
    for (const [light, dark] of drawings.pairs) text = text.replaceAll(light, dark);
    return JSON.parse(text);
  };
  const show = (element, spec, more = {}) => {
    startVega();
    return window.vegaEmbed(element, inTheme(spec), {
      mode: "vega", ast: true, actions: false, renderer: "svg", defaultStyle: false,
      logLevel: 1, // a trial with no bounded tail is no reason to warn of an empty source
      tooltip: { disableDefaultStyle: true }, ...more,
    });
  };
  const figure = (element) => {
    const spec = drawings.figures[element.dataset.chart];
    if (!spec || drawn.has(element)) return;
    const target = make("div", { class: "live", role: "img", "aria-label": element.querySelector("img").alt });
    const draw = () => {
      const next = make("div");
      return show(next, spec).then(() => { target.replaceChildren(next); element.classList.add("drawn"); });
    };
    drawn.set(element, draw);
    element.append(target);
    draw();
  };
  const watcher = new IntersectionObserver((seen) => {
    for (const one of seen) if (one.isIntersecting) { watcher.unobserve(one.target); figure(one.target); }
  }, { rootMargin: "100px" });
  document.querySelectorAll("[data-chart]").forEach((element) => watcher.observe(element));

  // -- the table
  const table = byId("matrix");
  if (!table) { label(); return; }
  const data = json("rows");
  const body = table.tBodies[0];
  const AT_ONCE = 60;
  const cells = data.cells;
  const elements = new Map([...body.rows].map((row) => [row.id, row]));
  const byCell = new Map(cells.map((cell, index) => [cell.id, { ...cell, index }]));
  const details = new Map();
  const spoken = (row) => { // a row laid out as a card is still a row
    row.setAttribute("role", "row");
    [...row.cells].forEach((one, at) => one.setAttribute("role", at ? "cell" : "rowheader"));
  };
  [...body.rows].forEach(spoken);
  const element = (cell) => {
    let found = elements.get(cell.id);
    if (!found) {
      const holder = document.createElement("template");
      holder.innerHTML = cell.html; // made by us, with every name escaped
      found = holder.content.firstElementChild;
      spoken(found);
      elements.set(cell.id, found);
    }
    return found;
  };
  let order = cells.map((_, index) => index);
  let sorted = { column: 0, down: false };
  let matching = order;
  let limit = AT_ONCE;

  const compareBy = ({ column, down }) => (a, b) => {
    const [x, y] = [cells[a].keys[column], cells[b].keys[column]];
    if (x === y || column === 0) return (column === 0 && down ? -1 : 1) * (a - b);
    if (x === null || x === undefined) return 1;
    if (y === null || y === undefined) return -1;
    const less = typeof x === "string" ? x.localeCompare(y) : x - y;
    return (down ? -less : less) || a - b;
  };
  const selects = [...document.querySelectorAll("[data-axis]")];
  const text = byId("text");
  const filter = () => {
    const words = text.value.toLowerCase().split(/\s+/).filter(Boolean);
    const asked = selects.filter((select) => select.value).map((select) => [Number(select.dataset.axis), select.value]);
    matching = order.filter((index) => {
      const cell = cells[index];
      return asked.every(([axis, value]) => cell.axes[axis] === value)
        && words.every((word) => cell.search.includes(word));
    });
    byId("count").textContent = `${matching.length} of ${cells.length} rows`;
    byId("none").hidden = matching.length > 0;
  };
  const more = make("tr", { class: "more" }, make("td", { colspan: String(table.tHead.rows[0].cells.length) }));
  const place = () => {
    const rows = [];
    for (const index of matching.slice(0, limit)) {
      rows.push(element(cells[index]));
      const detail = details.get(cells[index].id);
      if (detail) rows.push(detail);
    }
    if (matching.length > limit) {
      more.firstChild.textContent = `${matching.length - limit} more rows follow`;
      rows.push(more);
    }
    body.replaceChildren(...rows);
    if (matching.length > limit) { below.unobserve(more); below.observe(more); }
  };
  const below = new IntersectionObserver((seen) => {
    if (seen.some((one) => one.isIntersecting) && matching.length > limit) { limit += AT_ONCE; place(); }
  }, { rootMargin: "800px" });
  const refilter = () => { limit = AT_ONCE; filter(); place(); };
  const sort = (column, down) => {
    sorted = { column, down };
    order = cells.map((_, index) => index).sort(compareBy(sorted));
    [...table.tHead.rows[0].cells].forEach((heading, index) => {
      if (index === column) heading.setAttribute("aria-sort", down ? "descending" : "ascending");
      else heading.removeAttribute("aria-sort");
    });
    byId("order").value = String(column);
    refilter();
  };
  table.tHead.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-column]");
    if (!button) return;
    const column = Number(button.dataset.column);
    // Requests/s and shares begin with the greatest, what costs with the least.
    const first = column === 2 || column === 3;
    sort(column, sorted.column === column ? !sorted.down : first);
  });
  byId("order").addEventListener("change", (event) => {
    const column = Number(event.target.value);
    sort(column, column === 2 || column === 3);
  });
  selects.forEach((select) => select.addEventListener("change", refilter));
  text.addEventListener("input", refilter);
  byId("reset").addEventListener("click", () => { clear(); sort(0, false); });
  const clear = () => { selects.forEach((select) => { select.value = ""; }); text.value = ""; };

  // -- a row opens to its detail
  let series = null;
  const trialsOf = (id) => { series = series || json("series") || {}; return series[id] || []; };
  const opened = (id) => details.has(id);
  const open = (id) => {
    const cell = byCell.get(id);
    const content = make("td", { colspan: String(table.tHead.rows[0].cells.length) });
    const row = make("tr", { class: "detail" }, content);
    details.set(id, row);
    element(cell).classList.add("opened");
    element(cell).querySelector(".open").setAttribute("aria-expanded", "true");
    element(cell).after(row);
    fill(content, cell);
  };
  const close = (id) => {
    details.get(id).querySelectorAll(".plot").forEach((plot) => drawn.delete(plot));
    details.get(id).remove();
    details.delete(id);
    const row = elements.get(id);
    row.classList.remove("opened");
    row.querySelector(".open").setAttribute("aria-expanded", "false");
  };
  body.addEventListener("click", (event) => {
    const button = event.target.closest("button.open");
    if (!button) return;
    const { id } = button.closest("tr");
    if (opened(id)) close(id); else open(id);
  });

  const fill = (content, cell) => {
    const list = make("dl", { class: "facts" });
    for (const [label, told] of cell.facts) list.append(make("div", {}, make("dt", {}, data.labels[label]), make("dd", {}, told)));
    const box = make("div", { class: "box" });
    content.append(box);
    for (const [name, told] of [["Why this verdict", cell.reasons], ["To be known of it", cell.remarks]]) {
      if (told.length) box.append(make("h4", {}, name), make("ul", {}, ...told.map((one) => make("li", {}, one))));
    }
    const trials = trialsOf(cell.id);
    const two = make("div", { class: "two" });
    box.append(two);
    two.append(make("div", {}, make("h4", {}, "Figures"), list));
    const plots = make("div", {});
    two.append(plots);
    if (trials.length) latencyPlot(plots, trials);
    else if (data.no_series !== "") plots.append(make("p", { class: "note" }, data.no_series || "No trial of this cell is recorded over time here."));
    if (trials.length || cell.samples.length) trialList(box, cell, trials);
    if (cell.flame) {
      const img = make("img", { class: "flame", src: cell.flame, alt: "Flame graph of a profile: who calls whom, as wide as its share of the server's CPU" });
      box.append(make("h4", {}, "Where its CPU goes, by a profile of another trial"), img);
    }
    versions(box, cell, trials);
  };
  const plot = (parent, title, template, sources, more = {}) => {
    const holder = make("div", { class: "plot", role: "img", "aria-label": more.told || title });
    parent.append(make("h4", {}, title), holder);
    const draw = () => {
      const spec = structuredClone(drawings.templates[template]);
      for (const source of spec.data) if (sources[source.name]) source.values = sources[source.name];
      const width = Math.max(180, Math.min(more.most || 560, holder.clientWidth - 70));
      return show(holder, spec, { width });
    };
    drawn.set(holder, draw);
    draw();
  };
  const nameOf = (trial) => `${trial.index}${trial.twin ? " (A/A)" : ""}`;
  const latencyPlot = (parent, trials) => {
    const curve = [];
    const ends = [];
    for (const trial of trials) {
      const end = trial.known_to_ms;
      trial.ms.forEach((ms, at) => {
        const point = { trial: nameOf(trial), ms, below: trial.below[at] };
        if (ms <= 0) return;
        if (end === null || ms <= end) curve.push({ ...point, part: "known" });
        if (end !== null && (ms >= end || (trial.ms[at + 1] || 0) > end)) curve.push({ ...point, part: "only a bound" });
      });
      if (end > 0) ends.push({ at: end }); // at 0 nothing is known, and a log axis has no 0
    }
    plot(parent, "Latency: share of requests that took at most …", "latency", { curve, ends },
      { told: `latency of ${trials.length} trials, a curve each` });
    if (curve.some((point) => point.part !== "known")) parent.append(make("p", { class: "note" }, "Dotted, beyond the dashed line if there is one: only a bound. Requests still in flight at the end took longer than they were followed."));
  };
  const TRACKS = [
    ["requests/s", [["throughput_rps", "requests/s"]]],
    ["In flight, users", [["in_flight", "in flight"]]],
    ["Event loop late, ms", [["loop_delay_ms", "late"]]],
    ["Thread pool: busy (line) and waiting (dashes)", [["pool_busy", "busy"], ["pool_waiting", "waiting"]]],
    ["Server's CPU, cores", [["server_cores", "cores"]]],
  ];
  const trialList = (box, cell, trials) => {
    const heading = make("h4", {}, "Trials");
    const rows = make("tbody", {});
    const panels = make("div", { class: "panels" });
    const choose = (trial, button) => {
      rows.querySelectorAll("button").forEach((one) => one.setAttribute("aria-pressed", String(one === button)));
      panels.querySelectorAll(".plot").forEach((one) => drawn.delete(one));
      panels.replaceChildren();
      const missing = [];
      for (const [title, lines] of TRACKS) {
        const points = lines.flatMap(([field, name]) => trial[field].some((value) => value !== null)
          ? trial.t_s.map((t, at) => ({ t, name, value: trial[field][at] })) : []);
        if (!points.length) { missing.push(title.split(/[,:]/)[0]); continue; }
        const panel = make("div", {});
        panels.append(panel);
        plot(panel, title, "track", { points, window: [{ from: trial.t0_s, to: trial.t1_s }] },
          { most: 420, told: `${title} of trial ${nameOf(trial)} over its time` });
      }
      panels.append(make("p", { class: "note" }, `Trial ${nameOf(trial)}; shaded: the window that is measured.`
        + (missing.length ? ` Not known: ${missing.join(", ")}.` : "")));
    };
    const known = new Map(cell.samples.map((sample) => [sample[0], sample[1]]));
    for (const trial of trials) {
      const button = make("button", { type: "button", "aria-pressed": "false" }, nameOf(trial));
      button.addEventListener("click", () => choose(trial, button));
      const counted = !trial.twin && known.has(trial.round);
      const state = counted ? "counted" : trial.twin ? "measured again, for A/A" : "set aside";
      rows.append(make("tr", {}, make("th", { scope: "row" }, button), make("td", {}, String(trial.round)),
        make("td", { class: "n" }, counted ? known.get(trial.round) : "–"), make("td", {}, state),
        make("td", {}, trial.disturbances.join("; ") || "–")));
    }
    if (!trials.length) for (const [round, rate] of cell.samples) {
      rows.append(make("tr", {}, make("th", { scope: "row" }, "–"), make("td", {}, String(round)),
        make("td", { class: "n" }, rate), make("td", {}, "counted"), make("td", {}, "–")));
    }
    const head = make("tr", {}, ...["trial", "round", "requests/s", "state", "disturbed by"].map((name) => make("th", { scope: "col" }, name)));
    box.append(heading, make("div", { class: "wide" }, make("table", { class: "trials" }, make("thead", {}, head), rows)), panels);
    if (trials.length) choose(trials[0], rows.querySelector("button"));
  };
  const versions = (box, cell, trials) => {
    const used = data.environments[cell.environment];
    if (trials.length) box.append(make("h4", {}, "The server's command"), make("pre", {}, make("code", {}, trials[0].argv)));
    if (used) box.append(make("h4", {}, "Versions"), make("p", { class: "versions" }, used));
  };

  // -- links
  const follow = () => {
    let id;
    try { id = decodeURIComponent(location.hash.slice(1)); } catch { return; }
    const cell = byCell.get(id);
    if (!cell) return;
    if (!matching.includes(cell.index)) { clear(); filter(); }
    limit = Math.max(limit, matching.indexOf(cell.index) + 20);
    place();
    if (!opened(id)) open(id);
    element(cell).scrollIntoView({ block: "start" });
  };
  addEventListener("hashchange", follow);
  addEventListener("beforeprint", () => { limit = Infinity; place(); });
  label();
  filter();
  place();
  follow();
})();
