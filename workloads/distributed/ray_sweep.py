"""A sweep on a Ray cluster: each task makes one part of the runs, and the last step puts the parts together.

    ray_sweep.py --parts 8 --out OUT SCENARIO --vary KEY=... [--seeds N ...]

OUT and the folder of the scenario are seen by all nodes. A task whose worker or node dies is made again elsewhere and goes on where it
stopped: rows are kept as soon as they are there. What `gigawatt sweep` prints of the whole goes to standard output.
"""

import argparse
import ctypes
import os
import signal
import subprocess
import sys

import ray

WRONG = 2  # the exit code of `gigawatt` where the input is wrong


def end_with_worker():
    """A worker that is killed takes its command with it, which would else keep the next try out (Linux)."""
    PR_SET_PDEATHSIG = 1
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


@ray.remote(max_retries=10, num_cpus=1)
def part(command, folder, number, parts, cores):
    """Makes one part in the folder that the driver was started in: its number, exit code and what it said."""
    shard = [*command, "--shard", f"{number}/{parts}"]
    environment = {**os.environ, "RAYON_NUM_THREADS": str(cores)}
    how = {"cwd": folder, "env": environment, "preexec_fn": end_with_worker}
    done = subprocess.run(shard, capture_output=True, text=True, **how)
    return number, done.returncode, done.stderr


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--parts", type=int, default=8, help="how many parts")
    parser.add_argument("--cores", type=int, default=1, help="cores of a part")
    parser.add_argument("--out", required=True, help="a directory that all nodes see")
    parser.add_argument("--gigawatt", default="gigawatt", help="the command, on every node")
    parser.add_argument("--address", default="auto", help="the cluster")
    arguments, sweep = parser.parse_known_args()
    command = [arguments.gigawatt, "sweep", *sweep, "--out", os.path.abspath(arguments.out), "--resume"]
    ray.init(address=arguments.address, log_to_driver=False)
    make = part.options(num_cpus=arguments.cores)
    numbers = range(1, arguments.parts + 1)
    waiting = [make.remote(command, os.getcwd(), number, arguments.parts, arguments.cores) for number in numbers]
    failed = False
    while waiting:
        (done,), waiting = ray.wait(waiting, num_returns=1)
        number, code, said = ray.get(done)
        print(f"part {number} of {arguments.parts}: exit code {code}", file=sys.stderr)
        if code != 0:
            failed = True
            print(said, end="", file=sys.stderr)
            if code == WRONG:
                for other in waiting:
                    ray.cancel(other, force=True)
                break
    return 1 if failed else subprocess.run(command).returncode


if __name__ == "__main__":
    sys.exit(main())
