"""A run or a sweep of gigawatt, read from its Parquet with polars and plotted: a marimo notebook.

    pip install marimo polars matplotlib
    gigawatt simulate workloads/night.toml --out night
    marimo edit workloads/analysis/notebook.py -- --folder night      # or `marimo run`, or plain python

`--folder` is what `simulate --out` or `sweep --out` wrote. `gigawatt list columns` says what every column is.
"""

import marimo

app = marimo.App(width="medium", app_title="gigawatt")


@app.cell
def setup():
    import json
    from pathlib import Path

    import marimo as mo
    import matplotlib.pyplot as plt
    import polars as pl

    return Path, json, mo, pl, plt


@app.cell
def opened(Path, mo, pl):
    folder = Path(mo.cli_args().get("folder") or "night")
    tables = {path.stem: pl.read_parquet(path) for path in sorted(folder.glob("*.parquet"))}
    is_sweep = "runs" in tables
    mo.stop(
        not is_sweep and "jobs" not in tables,
        mo.md(f"No Parquet of a run or a whole sweep in `{folder}`: give `--folder`; no `--tables csv`, all shards merged."),
    )
    what = "sweep" if is_sweep else "run"
    mo.md(f"# {what} `{folder}`\n\n" + "\n".join(f"- {name}: {len(table):,} rows" for name, table in tables.items()))
    return folder, is_sweep, tables


@app.cell
def waits(is_sweep, pl, tables):
    # How long jobs waited, by what they are for: those not done with their wait so far.
    HOUR = 3600
    by_kind = None
    if not is_sweep:
        eligible = tables["jobs"].filter(pl.col("wait_time").is_not_null())
        wait = pl.col("wait_time")
        # The value of nearest rank, as everywhere in gigawatt.
        rank = lambda p: wait.sort().get((pl.len() * p + 99) // 100 - 1)
        by_kind = (
            eligible.group_by("kind")
            .agg(
                pl.len().alias("jobs"),
                (wait.mean() / HOUR).alias("mean_hours"),
                *((rank(p) / HOUR).alias(f"p{p}_hours") for p in (50, 95, 99)),
                (wait.max() / HOUR).alias("max_hours"),
            )
            .sort("kind")
        )
    by_kind
    return HOUR, by_kind


@app.cell
def over_time(HOUR, is_sweep, pl, plt, tables):
    # Utilization, the queue by reason, and what the sites draw.
    over_time_figure = None
    if not is_sweep:
        over_time_figure, (top, middle, bottom) = plt.subplots(3, 1, sharex=True, figsize=(9, 8), layout="constrained")
        series = tables["series"]
        top.step(series["time"] / HOUR, 100 * series["utilization"], where="post")
        top.set(ylabel="Utilization (%)", ylim=(0, 105))
        waiting = tables["waiting"].pivot("reason", index="time", values="jobs").sort("time")
        reasons = [name for name in waiting.columns if name != "time" and waiting[name].sum() > 0]
        middle.set(ylabel="Jobs before they run")
        if reasons:
            middle.stackplot(waiting["time"] / HOUR, *(waiting[name] for name in reasons), labels=reasons, step="post")
            middle.legend(loc="upper right", fontsize="small")
        if "power" in tables:
            for (site,), draw in tables["power"].filter(pl.col("feed").is_null()).group_by("site", maintain_order=True):
                bottom.step(draw["time"] / HOUR, draw["draw_w"] / 1000, where="post", label=site)
            bottom.legend(loc="upper right", fontsize="small")
        bottom.set(xlabel="Hours since the start", ylabel="Site draw (kW)")
    over_time_figure
    return (over_time_figure,)


@app.cell
def points(folder, is_sweep, json, pl, tables):
    # Of a sweep: every point, the mean and the range over its seeds.
    keys, measures, by_point = [], [], None
    if is_sweep:
        told = json.loads((folder / "sweep.json").read_text())["measures"]
        runs = tables["runs"]
        measures = [name for name in told if runs[name].drop_nulls().len() > 0]
        places = runs.columns
        keys = places[places.index("seed") + 1 : places.index(told[0])]
        over_seeds = [
            statistic.alias(f"{name}_{word}")
            for name in measures
            for word, statistic in (("mean", pl.col(name).mean()), ("min", pl.col(name).min()), ("max", pl.col(name).max()))
        ]
        by_point = runs.group_by(keys, maintain_order=True).agg(pl.len().alias("seeds"), *over_seeds)
    by_point
    return by_point, keys, measures


@app.cell
def chosen(measures, mo):
    x = mo.ui.dropdown(measures, value=next(iter(measures), None), label="across")
    y = mo.ui.dropdown(measures, value="energy_j" if "energy_j" in measures else next(iter(measures), None), label="up")
    mo.hstack([x, y]) if measures else None
    return x, y


@app.cell
def front(by_point, keys, plt, x, y):
    # Two measures of every point against each other, with their range over the seeds.
    front_figure = None
    if by_point is not None:
        front_figure, plot = plt.subplots(figsize=(9, 6), layout="constrained")
        for point in by_point.iter_rows(named=True):
            across, up = ([point[f"{name}_{word}"] for word in ("mean", "min", "max")] for name in (x.value, y.value))
            if None in (*across, *up):  # it could not be run
                continue
            label = ", ".join(str(point[key]) for key in keys)
            bars = [[[own[0] - own[1]], [own[2] - own[0]]] for own in (across, up)]
            plot.errorbar(across[0], up[0], xerr=bars[0], yerr=bars[1], fmt="o", capsize=3, label=label)
        plot.set(xlabel=x.value, ylabel=y.value)
        plot.legend(title=", ".join(keys), fontsize="small")
    front_figure
    return (front_figure,)


if __name__ == "__main__":
    app.run()
