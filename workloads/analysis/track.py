"""Logs runs and sweeps of gigawatt to Weights & Biases, from the Parquet and JSON that it wrote.

    pip install wandb polars
    gigawatt simulate workloads/night.toml --out night
    python workloads/analysis/track.py night --project night           # WANDB_MODE=offline keeps it on this machine

A run is one W&B run: what repeats it as its configuration, utilization, queue and draw over simulated time as its
history, every number of summary.json that is about the whole of it as its summary. A sweep is a group of W&B runs, one a
point and seed: its keys are their configuration, its measures their summary.
"""

import argparse
import json
import math
import pathlib

import polars
import wandb

# Without the series of summary.json, which are the history, and what is about single jobs.
DETAILS = ("details", "series")


def numbers(value, name=""):
    """Every number within a value of JSON, by its path."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield from numbers(item, f"{name}/{key}" if name else key)
    elif isinstance(value, list):
        for item in value:
            if isinstance(item, dict) and "name" in item:
                yield from numbers({key: own for key, own in item.items() if key != "name"}, f"{name}/{item['name']}")
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        yield name, value


def over_time(folder):
    """Rows of what changes over simulated time, in its order."""
    frame = polars.read_parquet(folder / "series.parquet").drop("time_utc", "step")
    waiting = polars.read_parquet(folder / "waiting.parquet").pivot("reason", index="time", values="jobs")
    frame = frame.join(waiting.rename(lambda name: name if name == "time" else f"waiting/{name}"), on="time", how="full", coalesce=True)
    if (folder / "power.parquet").exists():
        sites = polars.read_parquet(folder / "power.parquet").filter(polars.col("feed").is_null())
        draw = sites.pivot("site", index="time", values="draw_w")
        frame = frame.join(draw.rename(lambda name: name if name == "time" else f"draw_w/{name}"), on="time", how="full", coalesce=True)
    for row in frame.sort("time").iter_rows(named=True):
        yield {name: value for name, value in row.items() if value is not None}


def track_run(folder, project):
    """One run of gigawatt as one of W&B."""
    manifest = json.loads((folder / "manifest.json").read_text())
    summary = json.loads((folder / "summary.json").read_text())
    with wandb.init(project=project, name=folder.name, job_type="run", config=manifest) as run:
        run.define_metric("time")
        run.define_metric("*", step_metric="time")
        for row in over_time(folder):
            run.log(row)
        told = {key: value for key, value in summary.items() if key not in DETAILS}
        run.summary.update(dict(numbers(told)))


def track_sweep(folder, project):
    """Every run of a sweep as one of W&B, in one group."""
    plan = json.loads((folder / "sweep.json").read_text())
    measures = plan["measures"]
    frame = polars.read_parquet(folder / "runs.parquet")
    keys = frame.columns[frame.columns.index("seed") : frame.columns.index(measures[0])]
    for row in frame.iter_rows(named=True):
        name = f"{folder.name}-{row['run']}-{row['seed']}"
        config = {key: row[key] for key in keys}
        with wandb.init(project=project, group=folder.name, name=name, job_type="sweep", config=config) as run:
            known = {key: row[key] for key in measures if row[key] is not None and not math.isnan(row[key])}
            run.summary.update(known)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("folders", nargs="+", type=pathlib.Path, help="what `simulate --out` or `sweep --out` wrote")
    parser.add_argument("--project", default="gigawatt", help="the project in Weights & Biases")
    options = parser.parse_args()
    for folder in options.folders:
        folder = folder.resolve()
        track = track_sweep if (folder / "runs.parquet").exists() else track_run
        try:
            track(folder, options.project)
        except FileNotFoundError as missing:
            hint = "give a run or a whole sweep; no `--tables csv`, all shards merged"
            parser.error(f"{folder} has no {pathlib.Path(missing.filename or '').name}: {hint}")


if __name__ == "__main__":
    main()
