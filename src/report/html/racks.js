// Racks over time: rectangles of jobs above how busy the racks were.

const ENDS = ["still running", "completed", "failed", "timeout", "stopped by the policy", "stopped by a broken node", "changed"];
const NAMED = 10;

/** By what rectangles may be coloured: the group of each job, and what the groups are called. */
function grouping(racks, by) {
  const index = { tenant: racks.jobs.tenant, kind: racks.jobs.kind, graph: racks.jobs.graph }[by];
  const names = { tenant: racks.tenants, kind: racks.kinds, graph: racks.graphs }[by];
  const sums = new Map();
  racks.bars.job.forEach((job, bar) => {
    const group = index[job];
    sums.set(group, (sums.get(group) ?? 0) + (racks.bars.to[bar] - racks.bars.from[bar]) * (racks.bars.high[bar] - racks.bars.low[bar]));
  });
  const order = [...sums.keys()].filter((group) => group >= 0).sort((a, b) => sums.get(b) - sums.get(a) || a - b);
  const named = order.slice(0, NAMED);
  const places = new Map(named.map((group, place) => [group, place]));
  const rest = by === "graph" ? "in no named graph" : `other ${by}s`;
  return { of: (job) => places.get(index[job]) ?? NAMED, names: [...named.map((group) => names[group]), rest] };
}

function rackChart(variant, page, width, by = "tenant") {
  const racks = variant.racks, unit = page.unit, bars = racks.bars;
  const groups = grouping(racks, by);
  const traces = [heat(racks, unit, page)];
  const count = racks.platforms.length, gpus = racks.edges[count];
  const height = Math.min(820, Math.max(300, count * 46 + 90));
  // An outline is drawn where it leaves something of what it surrounds.
  const outline = height / count < 8 ? 0 : bars.job.length > 4000 ? 0.2 : 0.6;
  const outlines = groups.names.map(() => ({ x: [], y: [] }));
  for (let bar = 0; bar < bars.job.length; bar += 1) {
    const own = outlines[groups.of(bars.job[bar])];
    const [left, right] = [bars.from[bar] / unit.seconds, bars.to[bar] / unit.seconds];
    const [low, high] = [bars.low[bar], bars.high[bar]];
    own.x.push(left, right, right, left, left, null);
    own.y.push(low, low, high, high, low, null);
  }
  outlines.forEach((own, place) => {
    if (own.x.length === 0) return;
    const fill = place === groups.names.length - 1 ? color("others") : color(String(place));
    traces.push({
      type: "scatter", mode: "lines", fill: "toself", fillcolor: fill, hoverinfo: "skip", name: plain(groups.names[place]),
      line: { color: color("card"), width: outline, simplify: false }, ...own, legendColor: fill, plainName: groups.names[place],
    });
  });
  const stride = Math.max(1, Math.ceil(count / ((height - 90) / 22)));
  const shown = racks.platforms.map((_, rack) => rack).filter((rack) => rack % stride === 0);
  const label = (rack) => (width < 520 ? `${rack}` : `rack ${rack} · ${plain(short(racks.platforms[rack], 14))}`);
  const x = axis(timeTitle(variant.x, unit), { range: page.window });
  const y = axis(width < 520 ? "Rack" : "", {
    range: [gpus, 0], tickvals: shown.map((rack) => (racks.edges[rack] + racks.edges[rack + 1]) / 2), ticktext: shown.map(label),
    showgrid: false, zeroline: false,
  });
  const lines = count > 60 ? [] : racks.edges.map((edge) => ({
    type: "line", xref: "paper", x0: 0, x1: 1, y0: edge, y1: edge, line: { color: color("line"), width: 1 }, layer: "above",
  }));
  return { traces, layout: layout(width, height, x, y, { shapes: lines, dragmode: "zoom" }) };
}

/** What all jobs held, row by row and bucket by bucket. */
function heat(racks, unit, page) {
  const buckets = racks.busy[0]?.length ?? 0;
  const x = Array.from({ length: buckets + 1 }, (_, index) => Math.min(index * racks.bucket, page.seconds) / unit.seconds);
  return {
    type: "heatmap", x, y: racks.rows.map((rack) => racks.edges[rack]), z: racks.busy, zmin: 0, zmax: 100, showscale: false,
    hoverinfo: "skip", colorscale: [[0, color("card")], [1, color("busy")]], name: "held by all jobs", legendColor: color("busy"),
    plainName: "held by all jobs, drawn or not",
  };
}

/** The rectangle at a point of the plot. */
function barAt(racks, seconds, gpu) {
  const bars = racks.bars;
  for (let bar = bars.job.length - 1; bar >= 0; bar -= 1) {
    if (bars.from[bar] <= seconds && seconds < bars.to[bar] && bars.low[bar] <= gpu && gpu < bars.high[bar]) return bar;
  }
  return -1;
}

function barFacts(racks, bar) {
  const { bars, jobs } = racks, job = bars.job[bar];
  const rack = racks.edges.findIndex((edge, index) => bars.low[bar] >= edge && bars.low[bar] < racks.edges[index + 1]);
  return {
    job: jobs.name[job], tenant: racks.tenants[jobs.tenant[job]], kind: racks.kinds[jobs.kind[job]],
    graph: jobs.graph[job] < 0 ? "–" : racks.graphs[jobs.graph[job]], gpus: jobs.gpus[job], rack,
    from: bars.from[bar], to: bars.to[bar], end: ENDS[bars.end[bar]], wait: jobs.wait[job], run: jobs.run[job],
  };
}

function describeBar(racks, bar) {
  const facts = barFacts(racks, bar);
  const name = make("b", {}, facts.job);
  const graph = facts.graph === "–" ? "" : `, graph ${facts.graph}`;
  return [name, ` · ${facts.tenant}, ${facts.kind}${graph} · ${digits(facts.gpus)} GPUs, this part on rack ${facts.rack} · here from ` +
    `${duration(facts.from)} to ${duration(facts.to)}, ${facts.end} · waited ${duration(facts.wait)}, ran ${duration(facts.run)} in all`];
}

/** How much of everything is drawn. */
function drawnOf(racks) {
  const drawn = racks.bars.job.length;
  if (drawn === racks.all) return `All ${digits(racks.all)} rectangles are drawn.`;
  return `Drawn are the ${digits(drawn)} largest of ${digits(racks.all)} rectangles, by GPU-seconds: ` +
    `${digits(racks.drawn * 100)} % of all GPU-hours held. What the others hold is in the grey below.`;
}
