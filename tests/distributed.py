"""Runs the recipes of workloads/distributed: `distributed.py GIGAWATT`. Fails if the parts are not the whole, byte for byte.

Slurm's array is run task by task, with an `sbatch` that notes what it is asked for; the Kubernetes Job is held against
the schema of its API, and its command run as each of its pods runs it; Ray is really started, with two nodes, one of
which is killed while it works.
"""

import copy
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

import kubernetes_validate
import yaml

RECIPES = pathlib.Path(__file__).resolve().parent.parent / "workloads" / "distributed"
SCENARIO = RECIPES.parent / "night.toml"
SWEEP = ["night.toml", "--vary", "tenant.0.quota=64..128:5", "--seeds", "8"]
LONGER = ["night.toml", "--vary", "tenant.0.quota=64..128:5", "--seeds", "400"]


def run(command, folder, **environment):
    done = subprocess.run(command, cwd=folder, env={**os.environ, **environment}, capture_output=True, text=True)
    assert done.returncode == 0, f"{command}: exit code {done.returncode}\n{done.stderr}"
    return done


def whole(gigawatt, folder, sweep):
    """The rows of a sweep made at once."""
    run([gigawatt, "sweep", *sweep, "--out", "whole"], folder)
    return (folder / "whole" / "runs.csv").read_bytes()


def slurm(gigawatt, folder):
    asked = folder / "asked"
    (folder / "bin").mkdir()
    sbatch = folder / "bin" / "sbatch"
    sbatch.write_text(f'#!/bin/sh\nfor word; do printf "%s\\n" "$word"; done >> {asked}\n')
    sbatch.chmod(0o755)
    path = f"{folder / 'bin'}:{os.environ['PATH']}"
    for task in [5, 3, 4]:
        array = {"SLURM_ARRAY_TASK_ID": str(task), "SLURM_ARRAY_TASK_MIN": "3", "SLURM_ARRAY_TASK_COUNT": "3"}
        more = {"SLURM_ARRAY_JOB_ID": "77", "SLURM_CPUS_PER_TASK": "1", "GIGAWATT": gigawatt, "PATH": path}
        run(["bash", RECIPES / "slurm.sh", "out", *SWEEP], folder, **array, **more)
    words = asked.read_text().splitlines()
    assert "--dependency=afterok:77" in words and words.count("--wrap") == 1, words
    run(["sh", "-c", words[words.index("--wrap") + 1]], folder)


def kubernetes(gigawatt, folder):
    job = yaml.safe_load((RECIPES / "kubernetes.yaml").read_text())
    version = max(
        (entry.name[1:].removesuffix("-standalone-strict") for entry in pathlib.Path(kubernetes_validate.__file__).parent.rglob("v1.*") if entry.is_dir()),
        key=lambda name: [int(number) for number in re.findall(r"\d+", name)],
    )
    version = ".".join(version.split(".")[:2])
    kubernetes_validate.validate(job, version, strict=True)
    wrong = copy.deepcopy(job)
    wrong["spec"]["completion"] = wrong["spec"].pop("completions")
    try:
        kubernetes_validate.validate(wrong, version, strict=True)
    except kubernetes_validate.ValidationError:
        pass
    else:
        raise AssertionError("a key that Jobs have not is taken for one")
    container = job["spec"]["template"]["spec"]["containers"][0]
    (folder / "path").mkdir()
    (folder / "path" / "gigawatt").symlink_to(gigawatt)
    environment = {"PATH": f"{folder / 'path'}:{os.environ['PATH']}", "RAYON_NUM_THREADS": "1"}
    for index in range(job["spec"]["completions"]):
        run([*container["command"], *container["args"]], folder, JOB_COMPLETION_INDEX=str(index), **environment)
    # As the head of the file says, with the volume at hand.
    merge = re.search(r"^#   (gigawatt sweep .*?--resume)", (RECIPES / "kubernetes.yaml").read_text(), re.M).group(1)
    run(["sh", "-c", merge], folder, **environment)
    return merge.split()[2 : merge.split().index("--out")]


def ray(gigawatt, folder):
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    other = cluster.add_node(num_cpus=1)
    try:
        cluster.wait_for_nodes()
        driver = [sys.executable, RECIPES / "ray_sweep.py", "--address", cluster.address, "--gigawatt", gigawatt]
        driver = subprocess.Popen(
            [*driver, "--parts", "4", "--out", "out", *LONGER], cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        # Both nodes work: two parts have rows.
        begun = time.monotonic()
        rows = lambda: [file for file in (folder / "out").glob("runs-*.partial") if file.stat().st_size > 2000]
        while len(rows()) < 2 and driver.poll() is None and time.monotonic() - begun < 120:
            time.sleep(0.01)
        assert len(rows()) >= 2, f"two nodes do not work at a time: {driver.poll() is not None and driver.communicate()}"
        cluster.remove_node(other, allow_graceful=False)
        _, said = driver.communicate(timeout=300)
        assert driver.returncode == 0, said
        done = re.findall(r"part (\d) of 4: exit code 0", said)
        assert sorted(done) == ["1", "2", "3", "4"], said
    finally:
        cluster.shutdown()


def main():
    gigawatt = os.path.abspath(sys.argv[1])
    for name, recipe in [("slurm", slurm), ("kubernetes", kubernetes), ("ray", ray)]:
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            shutil.copy(SCENARIO, folder)
            out = {"kubernetes": "sweep"}.get(name, "out")
            sweep = recipe(gigawatt, folder) or (LONGER if name == "ray" else SWEEP)
            made, expected = (folder / out / "runs.csv").read_bytes(), whole(gigawatt, folder, sweep)
            assert made == expected, f"{name}: the parts are not the whole"
            assert made.count(b"\n") > 40, f"{name}: rows are missing"
            print(f"{name}: {made.count(10) - 1} runs, the parts are the whole")


if __name__ == "__main__":
    main()
