#!/usr/bin/env bash
# A sweep as a Slurm array: each task makes one part of the runs, and a last job puts the parts together.
#
#   sbatch --array=1-8 slurm.sh OUT SCENARIO --vary KEY=... [--seeds N ...]
#
# OUT is a directory that all nodes see. A task that is killed, or requeued, goes on where it stopped; a part that is
# missing in the end is named, and the same command makes it.
#SBATCH --job-name=gigawatt-sweep
#SBATCH --nodes=1
#SBATCH --ntasks=1
#SBATCH --cpus-per-task=8
#SBATCH --time=04:00:00
#SBATCH --requeue
#SBATCH --signal=TERM@60
set -euo pipefail
out=${1:?OUT, a directory that all nodes see}
shift
# Parts are numbered from 1, however the array is.
part=$((SLURM_ARRAY_TASK_ID - SLURM_ARRAY_TASK_MIN + 1))
first=$SLURM_ARRAY_TASK_MIN
export RAYON_NUM_THREADS=${SLURM_CPUS_PER_TASK:-1}
"${GIGAWATT:-gigawatt}" sweep "$@" --out "$out" --resume --shard "$part/$SLURM_ARRAY_TASK_COUNT"

# The first task asks for the job that comes after all of them. What it finds done, it does not make again.
if [ "$SLURM_ARRAY_TASK_ID" -eq "$first" ] && [ "${SLURM_RESTART_COUNT:-0}" -eq 0 ]; then
    sbatch --job-name=gigawatt-merge --dependency="afterok:$SLURM_ARRAY_JOB_ID" --ntasks=1 --wrap \
        "$(printf '%q ' "${GIGAWATT:-gigawatt}" sweep "$@" --out "$out" --resume)"
fi
