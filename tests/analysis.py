"""Looks at what workloads/analysis makes of runs and sweeps, without a browser and a network.

`analysis.py notebook FOLDER...` runs the notebook on each and compares what its cells found with the files of the folder.
`analysis.py track PLACE FOLDER...` reads what Weights & Biases' client kept offline in PLACE and compares it with them.

Prints what is wrong, and how much was compared.
"""

import json
import math
import pathlib
import sys

import polars

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "workloads" / "analysis"))


def near(one, other):
    return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-9)


def notebook_of_run(folder, defined):
    """Waits by kind as the summary has them, and a figure with something in every part."""
    summary = json.loads((folder / "summary.json").read_text())
    found = {row["kind"]: row for row in defined["by_kind"].iter_rows(named=True)}
    groups = summary["details"]["by_kind"]
    compared = 0
    if sorted(found) != sorted(group["name"] for group in groups):
        yield f"kinds {sorted(found)}"
    for group in groups:
        own, wait = found[group["name"]], group["wait_time"]
        for name, key in (("mean", "mean"), ("p50", "p50"), ("p95", "p95"), ("p99", "p99"), ("max", "max")):
            compared += 1
            if not near(own[f"{name}_hours"] * 3600, wait[key]):
                yield f"{group['name']}: {name} is {own[f'{name}_hours'] * 3600}, the summary has {wait[key]}"
        if own["jobs"] != wait["count"]:
            yield f"{group['name']}: {own['jobs']} jobs, the summary has {wait['count']}"
    parts = defined["over_time_figure"].axes
    empty = [part.get_ylabel() for part in parts if not part.lines and not part.collections]
    if len(parts) != 3 or empty:
        yield f"parts of the figure: {len(parts)}, empty: {empty}"
    print(f"{compared} numbers compared")


def notebook_of_sweep(folder, defined):
    """A mean a point and measure, and a mark a point."""
    runs = polars.read_parquet(folder / "runs.parquet")
    keys, points, compared = defined["keys"], defined["by_point"], 0
    for point in points.iter_rows(named=True):
        own = runs.filter(*(polars.col(key) == point[key] for key in keys))
        for name in defined["measures"]:
            compared += 1
            if not near(point[f"{name}_mean"], sum(own[name]) / len(own)):
                yield f"{name} of {[point[key] for key in keys]}: {point[f'{name}_mean']}"
    marks = len(defined["front_figure"].axes[0].containers)
    if marks != len(points):
        yield f"{marks} marks of {len(points)} points"
    print(f"{compared} numbers compared")


def notebook(folders):
    import notebook as page

    for folder in map(pathlib.Path, folders):
        sys.argv = ["notebook.py", "--folder", str(folder)]
        _, defined = page.app.run()
        check = notebook_of_sweep if defined["is_sweep"] else notebook_of_run
        yield from (f"{folder}: {problem}" for problem in check(folder, defined))


def records(path):
    """The records of a file of Weights & Biases: a log as LevelDB writes it, in blocks of 32 KiB, after seven bytes."""
    data, place, parts = path.read_bytes(), 7, b""
    while place + 7 <= len(data):
        left = 32768 - place % 32768
        if left < 7:
            place += left
            continue
        length, kind = int.from_bytes(data[place + 4 : place + 6], "little"), data[place + 6]
        parts += data[place + 7 : place + 7 + length]
        place += 7 + length
        # 1: whole, 2: first, 3: middle, 4: last part of a record.
        if kind in (1, 4):
            yield parts
            parts = b""


def kept(place):
    """Every run that the client kept: its name, group, configuration, rows and summary."""
    from wandb.proto import wandb_internal_pb2
    for path in sorted(pathlib.Path(place).glob("wandb/offline-run-*/*.wandb")):
        run = {"rows": [], "summary": {}, "config": {}}
        for data in records(path):
            record = wandb_internal_pb2.Record()
            record.ParseFromString(data)
            read = lambda items: {item.key or "/".join(item.nested_key): json.loads(item.value_json) for item in items}
            match record.WhichOneof("record_type"):
                case "run":
                    run["name"], run["group"] = record.run.display_name, record.run.run_group
                    run["config"] |= read(record.run.config.update)
                case "config":
                    run["config"] |= read(record.config.update)
                case "history":
                    run["rows"].append({key: value for key, value in read(record.history.item).items() if not key.startswith("_")})
                case "summary":
                    run["summary"] |= read(record.summary.update)
        yield run


def track(place, *folders):
    import track as tracker

    runs, compared = {run["name"]: run for run in kept(place)}, 0
    for folder in map(pathlib.Path, folders):
        if (folder / "runs.parquet").exists():
            frame = polars.read_parquet(folder / "runs.parquet")
            for row in frame.iter_rows(named=True):
                own = runs.get(f"{folder.name}-{row['run']}-{row['seed']}", {"config": {}, "summary": {}, "group": None})
                if own["group"] != folder.name or own["config"].get("seed") != row["seed"]:
                    yield f"{folder}: run {row['run']}, seed {row['seed']} is not in its group"
                for key, value in row.items():
                    known = own["summary"].get(key, own["config"].get(key))
                    if isinstance(value, float) and not math.isnan(value):
                        compared += 1
                        if known is None or not near(known, value):
                            yield f"{folder}: {key} of run {row['run']} is {known}, the table has {value}"
            continue
        own = runs[folder.name]
        series = polars.read_parquet(folder / "series.parquet")
        logged = {row["time"]: row for row in own["rows"]}
        for row in series.iter_rows(named=True):
            compared += 1
            if not near(logged.get(row["time"], {}).get("utilization", -1), row["utilization"]):
                yield f"{folder}: utilization at {row['time']} is not {row['utilization']}"
        summary = json.loads((folder / "summary.json").read_text())
        told = {key: value for key, value in summary.items() if key not in tracker.DETAILS}
        for key, value in tracker.numbers(told):
            compared += 1
            if not near(own["summary"].get(key, math.inf), value):
                yield f"{folder}: {key} is {own['summary'].get(key)}, the summary has {value}"
        if own["config"].get("history") != json.loads((folder / "manifest.json").read_text())["history"]:
            yield f"{folder}: the digest of the history is not in the configuration"
    print(f"{compared} numbers compared")
    if not compared:
        yield "nothing was compared"


def main():
    what, *rest = sys.argv[1:]
    problems = list({"notebook": lambda: notebook(rest), "track": lambda: track(*rest)}[what]())
    print(*problems[:40], f"{len(problems)} problems", sep="\n")
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
