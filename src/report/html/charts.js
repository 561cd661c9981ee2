// From what a plot shows to what plotly draws.

const CONFIG = { displayModeBar: false, responsive: true, doubleClick: "reset", scrollZoom: false };
const HEIGHT = 330;

function axis(title, more = {}) {
  return {
    title: { text: plain(title), standoff: 10, font: { size: 12.5, color: color("muted") } },
    gridcolor: color("line"), zerolinecolor: color("line"), linecolor: color("line"), automargin: true,
    tickfont: { size: 12, color: color("muted") }, ...more,
  };
}

function layout(width, height, x, y, more = {}) {
  return {
    height, autosize: true, xaxis: x, yaxis: y, showlegend: false, paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)", margin: { l: 50, r: 14, t: 8, b: 44 },
    font: { family: getComputedStyle(document.body).fontFamily, size: 12.5, color: color("text") },
    hoverlabel: { bgcolor: color("card"), bordercolor: color("line"), font: { color: color("text"), size: 12.5 }, namelength: 28 },
    hovermode: "closest", ...more,
  };
}

const timeTitle = (title, unit) => `${title} (${unit.name})`;

/** Steps over buckets: each holds to the beginning of the next, the last to the end. */
function steps(series, seconds, unit) {
  const x = series.y.map((_, index) => (index * series.bucket) / unit.seconds);
  x.push(Math.min(series.y.length * series.bucket, seconds) / unit.seconds);
  return { x, y: [...series.y, series.y[series.y.length - 1]] };
}

function timeChart(variant, page, width) {
  const unit = page.unit;
  const traces = variant.series.map((series) => {
    const own = color(series.color === "limit" && series.style === "area" ? "limit-reason" : series.color);
    const line = { shape: "hv", color: own, width: { thin: 1, area: 0.5 }[series.style] ?? 2 };
    if (series.style === "dash") line.dash = "dash";
    const trace = {
      type: "scatter", mode: "lines", name: plain(series.name), line, ...steps(series, page.seconds, unit),
      hovertemplate: "%{y:,.4~g}", legendColor: own, dashed: series.style === "dash", plainName: series.name,
    };
    if (series.style === "area") Object.assign(trace, { stackgroup: "one", fillcolor: own });
    return trace;
  });
  const lowest = Math.min(0, ...variant.series.flatMap((series) => series.y.filter((value) => value !== null)));
  const x = axis(timeTitle(variant.x, unit), { range: page.window, hoverformat: ".2f" });
  const y = axis(variant.y, lowest < 0 ? {} : { rangemode: "tozero" });
  if (variant.y.includes("%")) y.range = [0, 102];
  return { traces, layout: layout(width, HEIGHT, x, y, { hovermode: "x unified" }) };
}

const DURATIONS = [1, 10, 60, 600, 3600, 36000, 86400, 864000, 8640000];
/** Between them, where less is shown. */
const FINER = [1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200, 18000, 43200, 86400, 172800, 432000, 864000, 2592000];

function cumulativeChart(variant, page, width) {
  const traces = variant.series.map((series) => ({
    type: "scatter", mode: "lines", name: plain(series.name), x: series.x.map((value) => Math.max(value, 1)), y: series.y,
    line: { color: color(series.color), width: 2 }, customdata: series.x.map(duration), legendColor: color(series.color),
    hovertemplate: `%{y} % within %{customdata}<extra>${plain(short(series.name, 28))}</extra>`, plainName: series.name,
  }));
  const values = traces.flatMap((trace) => trace.x);
  const [least, most] = [Math.min(...values), Math.max(10, ...values)];
  const apart = (one, other) => Math.log10(other / one) * (width - 80) / (Math.log10(most / least) + 0.1);
  const all = (most / least < 1000 ? FINER : DURATIONS).filter((seconds) => seconds >= least * 0.9 && seconds <= most * 1.1);
  // Those that have room beside the one before.
  const ticks = all.reduce((kept, seconds) => (kept.length > 0 && apart(kept[kept.length - 1], seconds) < 34 ? kept : [...kept, seconds]), []);
  const texts = ticks.map((seconds) => duration(seconds).replace("00s", "").replace("00m", "").replace("00h", ""));
  const x = axis(`${variant.x} (logarithmic, time)`, {
    type: "log", tickvals: ticks, ticktext: texts, range: [Math.log10(least) - 0.05, Math.log10(most) + 0.05],
  });
  return { traces, layout: layout(width, HEIGHT, x, axis(variant.y, { range: [0, 102] })) };
}

/** Where a bar's value lies with 95 %: a line across its end, in place of the text beside it. */
function between(series) {
  if (!series.ends) return {};
  const part = (of) => series.ends.map((pair, index) => (pair === null ? 0 : of(pair, series.y[index])));
  const line = { type: "data", symmetric: false, color: color("text"), thickness: 1.2, width: 3 };
  return {
    textposition: "none", error_x: { ...line, array: part((pair, value) => pair[1] - value), arrayminus: part((pair, value) => value - pair[0]) },
  };
}

function barChart(variant, page, width) {
  const narrow = width < 520;
  const labels = variant.labels.map((label) => plain(short(label, narrow ? 16 : 32)));
  // Two labels may be alike once they are cut.
  const places = labels.map((_, index) => index);
  const traces = variant.series.map((series) => ({
    type: "bar", orientation: "h", name: plain(series.name), x: series.y, y: places, legendColor: color(series.color),
    text: (series.text ?? []).map(plain), textposition: "outside", cliponaxis: false, textfont: { color: color("text"), size: 11.5 },
    marker: { color: series.colors ? series.colors.map(color) : color(series.color) }, ...(series.base ? { base: series.base } : {}), hovertemplate: `%{text}<extra>${plain(short(series.name, 28))}</extra>`,
    plainName: series.name, ...between(series),
  }));
  const ends = (series) => (series.ends ?? []).flatMap((pair) => pair ?? []);
  const values = variant.series.flatMap((series) => [...series.y.filter((value) => value !== null), ...ends(series)]);
  const [least, most] = [Math.min(0, ...values), Math.max(0, ...values)];
  const room = (most - least || 1) * (narrow ? 0.38 : 0.18);
  const x = axis(variant.x, { range: [least < 0 ? least - room : 0, most + room] });
  const y = axis("", { tickvals: places, ticktext: labels, autorange: "reversed", tickfont: { size: 12, color: color("text") } });
  const rows = labels.length * Math.max(1.25, variant.series.length * 0.92);
  return { traces, layout: layout(width, Math.max(200, rows * 21 + 70), x, y, { bargap: 0.24, margin: { l: 40, r: 14, t: 4, b: 44 } }) };
}

function pathChart(variant, page, width) {
  const [path] = variant.paths, unit = page.unit;
  const names = path.steps.map((step) => plain(short(step.job, width < 520 ? 18 : 44)));
  const places = names.map((_, index) => index);
  const end = page.seconds;
  const bars = (name, own, opacity, from, to, told) => {
    const known = path.steps.map((step, index) => ({ from: from(step), to: to(step), index })).filter((bar) => bar.from !== null && bar.to > bar.from);
    return {
      type: "bar", orientation: "h", name, y: known.map((bar) => bar.index), base: known.map((bar) => bar.from / unit.seconds),
      x: known.map((bar) => (bar.to - bar.from) / unit.seconds), marker: { color: own, opacity }, legendColor: own, plainName: name,
      customdata: known.map((bar) => `${plain(path.steps[bar.index].job)}: ${told} ${duration(bar.to - bar.from)}, ${duration(bar.from)} to ${duration(bar.to)}`),
      hovertemplate: "%{customdata}<extra></extra>",
    };
  };
  const traces = [
    bars("waits", color("others"), 0.75, (step) => step.eligible, (step) => step.start ?? step.finish ?? end, "waits"),
    bars("runs, stops included", color("0"), 1, (step) => step.start, (step) => step.finish ?? end, "takes"),
  ].filter((trace) => trace.y.length > 0);
  const ends = path.steps.flatMap((step) => [step.eligible, step.start, step.finish]).filter((time) => time !== null);
  const last = Math.max(path.submit + 1, ...ends), margin = (last - path.submit) * 0.03;
  const x = axis(timeTitle(variant.x, unit), { range: [(path.submit - margin) / unit.seconds, (last + margin) / unit.seconds] });
  const y = axis("", { tickvals: places, ticktext: names, autorange: "reversed", tickfont: { size: 12, color: color("text") } });
  return { traces, layout: layout(width, Math.max(220, names.length * 30 + 70), x, y, { barmode: "overlay", bargap: 0.35 }) };
}

const CHARTS = { time: timeChart, cumulative: cumulativeChart, bars: barChart, paths: pathChart };
