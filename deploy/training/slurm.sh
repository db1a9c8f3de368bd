#!/bin/bash
# One system of one task on several nodes: sbatch deploy/training/slurm.sh
# Stopped by the time limit it saves, ends with 75, and is queued again.
#SBATCH --job-name=dlfa_tf
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=1
#SBATCH --gpus-per-node=4
#SBATCH --cpus-per-task=16
#SBATCH --time=12:00:00
#SBATCH --signal=TERM@120
#SBATCH --requeue
#SBATCH --open-mode=append
set -euo pipefail

# Shared by all nodes.
DATA_DIR=${DATA_DIR:?folder with xnli/, pawsx/, panx/, udpos_fused/}
OUTPUT_DIR=${OUTPUT_DIR:?run folder on shared storage}
export PORT=$((20000 + SLURM_JOB_ID % 20000))
NODES=$(scontrol show hostnames "$SLURM_JOB_NODELIST")
export WORKERS=$(printf '"%s:'"$PORT"'",' $NODES)

code=0
srun --kill-on-bad-exit=0 bash -c '
    export TF_CONFIG="{\"cluster\": {\"worker\": [${WORKERS%,}]},
        \"task\": {\"type\": \"worker\", \"index\": $SLURM_PROCID}}"
    exec .venv/bin/python -m trainers.train "$@"
' train --task=xnli --fusion_layer=9 --strategy=multi_worker \
    --batch_size=32 --precision=auto --data_dir="$DATA_DIR" \
    --output_dir="$OUTPUT_DIR" --resume || code=$?
if [ "$code" = 75 ]; then
    scontrol requeue "$SLURM_JOB_ID"
fi
exit "$code"
