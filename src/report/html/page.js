// The page at work: unpacks, draws, and keeps plots over time on one window.

const page = { seconds: 0, unit: unitOf(0), window: [0, 1], plots: new Map() };

async function unpack(id) {
  const packed = Uint8Array.from(atob(byId(id).textContent), (c) => c.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).text();
}

/** Draws a plot as its choices say. */
async function draw(entry) {
  const { plot, area } = entry;
  const variant = plot.variants[entry.choice];
  const width = area.clientWidth || 600;
  const chart = plot.kind === "racks" ? rackChart(variant, page, width, entry.by) : CHARTS[plot.kind](variant, page, width);
  for (const trace of chart.traces) if (entry.hidden.has(trace.plainName)) trace.visible = "legendonly";
  legend(entry, chart.traces);
  entry.canvas.setAttribute("aria-label", describe(plot, variant, chart.traces));
  await Plotly.react(entry.canvas, chart.traces, chart.layout, CONFIG);
  if (!entry.listens) listen(entry);
}

function describe(plot, variant, traces) {
  const names = traces.map((trace) => trace.plainName).join(", ");
  const choice = variant.name ? ` ${variant.name}.` : "";
  return `${plot.title}.${choice} Shows ${names}. The data follow as a table.`;
}

/** Buttons that show and hide, in place of plotly's legend, which no keyboard reaches. */
function legend(entry, traces) {
  entry.legend.replaceChildren();
  if (traces.length < 2) return;
  for (const trace of traces) {
    const swatch = make("i", trace.dashed ? { class: "dash", style: `color:${trace.legendColor}` } : { style: `background:${trace.legendColor}` });
    const button = make("button", { type: "button", "aria-pressed": String(!entry.hidden.has(trace.plainName)) }, swatch, short(trace.plainName, 40));
    button.addEventListener("click", () => {
      if (!entry.hidden.delete(trace.plainName)) entry.hidden.add(trace.plainName);
      draw(entry);
    });
    entry.legend.append(make("li", {}, button));
  }
}

function listen(entry) {
  entry.listens = true;
  const overTime = ["time", "racks"].includes(entry.plot.kind);
  entry.canvas.on("plotly_relayout", (change) => {
    if (!overTime || page.moving) return;
    if (change["xaxis.autorange"]) setWindow(0, page.seconds / page.unit.seconds);
    else if (change["xaxis.range[0]"] !== undefined) setWindow(change["xaxis.range[0]"], change["xaxis.range[1]"]);
    else if (Array.isArray(change["xaxis.range"])) setWindow(...change["xaxis.range"]);
  });
  if (entry.plot.kind === "racks") {
    const tell = (event) => {
      const own = entry.canvas._fullLayout, box = entry.canvas.getBoundingClientRect();
      const racks = entry.plot.variants[entry.choice].racks;
      const seconds = own.xaxis.p2d(event.clientX - box.left - own._size.l) * page.unit.seconds;
      const bar = barAt(racks, seconds, own.yaxis.p2d(event.clientY - box.top - own._size.t));
      if (bar >= 0) entry.picked.replaceChildren(...describeBar(racks, bar));
    };
    entry.canvas.addEventListener("mousemove", tell);
    entry.canvas.addEventListener("click", tell);
  }
}

/** Shows a window of time, in units of the page, in every plot over time. */
async function setWindow(from, to) {
  const end = page.seconds / page.unit.seconds;
  let [a, b] = [Math.max(0, Math.min(from, to)), Math.min(end, Math.max(from, to))];
  if (!(b - a > end * 1e-6)) [a, b] = [0, end];
  page.window = [a, b];
  const decimals = b - a > 20 ? 1 : 3;
  byId("from").value = Number(a.toFixed(decimals));
  byId("to").value = Number(b.toFixed(decimals));
  page.moving = true;
  for (const entry of page.plots.values()) {
    if (["time", "racks"].includes(entry.plot.kind) && entry.listens) await Plotly.relayout(entry.canvas, { "xaxis.range": [a, b] });
  }
  page.moving = false;
}

function windowControls() {
  const form = byId("window");
  if (!form) return;
  byId("unit").textContent = page.unit.name;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    setWindow(Number(byId("from").value), Number(byId("to").value));
  });
  const moves = { earlier: [-0.5, -0.5], later: [0.5, 0.5], closer: [0.25, -0.25], wider: [-0.5, 0.5] };
  for (const button of all("[data-step]", form)) {
    button.addEventListener("click", () => {
      const [a, b] = page.window, move = moves[button.dataset.step], end = page.seconds / page.unit.seconds;
      if (!move) return setWindow(0, end);
      let shift = move.map((part) => part * (b - a));
      if (move[0] === move[1]) shift = shift.map((part) => Math.max(-a, Math.min(end - b, part)));
      return setWindow(a + shift[0], b + shift[1]);
    });
  }
  setWindow(0, page.seconds / page.unit.seconds);
}

/** The data of a plot as rows of text, below their header. */
function rowsOf(entry) {
  const { plot } = entry, variant = plot.variants[entry.choice], time = (seconds) => duration(seconds);
  const names = variant.series.map((series) => series.name);
  if (plot.kind === "bars") return [["", ...names], ...variant.labels.map((label, row) => [label, ...variant.series.map((series) => series.text?.[row] || digits(series.y[row]))])];
  if (plot.kind === "cumulative") return [["Jobs (%)", ...names], ...(variant.series[0]?.y ?? []).map((percent, row) => [`${percent}`, ...variant.series.map((series) => (series.x[row] === undefined ? "–" : time(series.x[row])))])];
  if (plot.kind === "paths") return [["Job", "Eligible", "Started", "Ended", "Outcome"], ...variant.paths[0].steps.map((step) => [step.job, ...[step.eligible, step.start, step.finish].map((at) => (at === null ? "–" : time(at))), step.outcome])];
  if (plot.kind === "racks") {
    const { racks } = variant, size = (bar) => (racks.bars.to[bar] - racks.bars.from[bar]) * (racks.bars.high[bar] - racks.bars.low[bar]);
    const largest = racks.bars.job.map((_, bar) => bar).sort((a, b) => size(b) - size(a)).slice(0, 200);
    const row = (bar) => { const own = barFacts(racks, bar); return [own.job, own.tenant, own.kind, digits(own.gpus), `${own.rack}`, time(own.from), time(own.to), own.end]; };
    return [["Job (the 200 largest)", "Tenant", "Kind", "GPUs", "Rack", "From", "To", "End"], ...largest.map(row)];
  }
  const longest = Math.max(...variant.series.map((series) => series.y.length));
  const rows = Array.from({ length: longest }, (_, row) => [time(row * variant.series[0].bucket), ...variant.series.map((series) => digits(series.y[row]))]);
  return [["From", ...names], ...rows];
}

function dataTable(entry, details) {
  const [header, ...rows] = rowsOf(entry);
  const cells = (tag, row, scope) => row.map((cell, index) => make(index === 0 && scope ? "th" : tag, index === 0 && scope ? { scope } : {}, cell));
  const head = make("tr", {}, ...header.map((cell) => make("th", { scope: "col" }, cell)));
  const body = rows.map((row) => make("tr", {}, ...cells("td", row, "row")));
  const table = make("table", {}, make("thead", {}, head), make("tbody", {}, ...body));
  details.querySelector(".scroll")?.remove();
  details.append(make("div", { class: "scroll", role: "region", tabindex: "0", "aria-label": `Data: ${entry.plot.title}` }, table));
}

function prepare(plot) {
  const area = document.querySelector(`[data-plot="${plot.id}"]`);
  const entry = { plot, area, choice: plot.variants.findIndex((variant) => hasData(variant)), hidden: new Set(), by: "tenant", listens: false };
  entry.legend = make("ul", { class: "legend", "aria-label": "Shown" });
  entry.canvas = make("div", { role: "img", class: "canvas" });
  area.replaceChildren(entry.legend, entry.canvas);
  const details = document.querySelector(`[data-table="${plot.id}"]`);
  const refresh = () => { draw(entry); if (details.open) dataTable(entry, details); };
  document.querySelector(`select[data-choice="${plot.id}"]`)?.addEventListener("change", (event) => {
    entry.choice = Number(event.target.value);
    entry.hidden.clear();
    refresh();
  });
  details.addEventListener("toggle", () => { if (details.open) dataTable(entry, details); });
  if (plot.kind === "racks") rackControls(entry, refresh);
  page.plots.set(plot.id, entry);
}

function rackControls(entry, refresh) {
  const { racks } = entry.plot.variants[entry.choice];
  entry.picked = make("p", { class: "picked", role: "status" }, "Point at a rectangle to see its job.");
  entry.area.append(entry.picked);
  const select = make("select", {}, ...["tenant", "kind", ...(racks.graphs.length > 0 ? ["graph"] : [])].map((by) => make("option", { value: by }, by)));
  select.addEventListener("change", () => { entry.by = select.value; entry.hidden.clear(); refresh(); });
  entry.area.closest("figure").querySelector(".head").append(make("label", { class: "choice" }, make("span", {}, "Coloured by"), select));
  entry.area.closest("figure").querySelector("figcaption").append(` ${drawnOf(racks)}`);
}

const hasData = (variant) => Boolean(variant.racks) || (variant.paths?.length ?? 0) > 0 || variant.series.some((series) => series.y.some((value) => value !== null));

async function drawAll() {
  for (const entry of page.plots.values()) {
    await draw(entry);
    await new Promise((done) => setTimeout(done));
  }
}

function themes() {
  const change = () => { shade(); drawAll(); };
  byId("theme").addEventListener("change", (event) => { root.dataset.theme = event.target.value; change(); });
  systemIsDark.addEventListener("change", change);
  addEventListener("beforeprint", () => {
    root.dataset.shade = "light";
    for (const entry of page.plots.values()) draw(entry).then(() => Plotly.relayout(entry.canvas, { width: 690 }));
  });
  addEventListener("afterprint", change);
}

for (const element of all("data[data-key]")) element.title = `${element.dataset.key}: ${element.value}`;
for (const button of all("[data-copy]")) {
  button.addEventListener("click", async () => {
    const code = button.parentElement.querySelector("code");
    try { await navigator.clipboard.writeText(code.textContent); button.textContent = "Copied"; } catch {
      getSelection().selectAllChildren(code);
      button.textContent = "Selected";
    }
  });
}

(async () => {
  try {
    const data = JSON.parse(await unpack("data"));
    document.head.append(make("script", {}, await unpack("library")));
    page.seconds = data.seconds;
    page.unit = unitOf(data.seconds);
    page.window = [0, data.seconds / page.unit.seconds];
    data.plots.forEach(prepare);
    themes();
    await drawAll();
    windowControls();
  } catch (error) {
    const trouble = byId("trouble");
    trouble.hidden = false;
    trouble.textContent = `Plots cannot be drawn here (${error}); a browser from 2023 on can. Every number below is complete.`;
  }
  root.dataset.ready = "true";
})();
