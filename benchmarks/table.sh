#!/usr/bin/env bash
# The measured table of docs/results.md, from nothing: renders 55 classes, trains and evaluates every row, shows table and plots.
#
#     benchmarks/table.sh [FOLDER] [SEEDS]        # results, 3; about 70 minutes on 2 cores
#
# Interrupted, the same command goes on. Longer, on a GPU: JOBS=1 SIZE=128 EPOCHS=500 BATCH=256 BACKBONE=resnet18
# benchmarks/table.sh
#
# Batches are small, so embeddings are narrow: twice as many coordinates as a batch has pairs, as published; variance and covariance
# cannot both be low far above that.
# Two runs side by side, with a core each, are done sooner than one after the other with both.
set -euo pipefail
folder=${1:-results} seeds=${2:-3} jobs=${JOBS:-2}
export data=$folder/data runs=$folder/runs OMP_NUM_THREADS=$((($(nproc) + jobs - 1) / jobs))

row() { # NAME SEED METHOD [OPTION...]
    local run=$runs/$1-$2 baselines=constant
    [ -e "$run/results.json" ] && return
    [ "$1-$2" = sie-0 ] && baselines=all # the backbone is the same in all rows, so once is enough
    echo "$(date +%T) $1, seed $2: training"
    iebench train "$3" --data "$data" --out "$run" --seed "$2" --backbone "${BACKBONE:-resnet18-narrow}" \
        --epochs "${EPOCHS:-50}" --batch-size "${BATCH:-64}" --schedule cosine --warmup-epochs 2 --num-workers 1 "${@:4}"
    echo "$(date +%T) $1, seed $2: evaluating"
    iebench eval "$run" --data "$data" --tasks classification,rotation,color,retrieval,predictor --epochs 50 \
        --baselines "$baselines" --workers 1 >/dev/null
}
export -f row

rows() { # three methods with all seeds, the others with one
    for ((seed = 0; seed < seeds; seed++)); do
        echo "sie $seed sie --projector 512-512-64"
        echo "vicreg $seed vicreg --projector 512-512-128"
        echo "supervised $seed supervised"
        [ "$seed" -gt 0 ] && continue
        echo "simclr 0 simclr --projector 512-512-128"
        echo "augself 0 augself --projector 512-512-128"
        echo "equimod 0 equimod --projector 512-512-64"
        echo "sie-color 0 sie --projector 512-512-64 --transform rotation+color"
    done
}

iebench render --classes 55 --objects-per-class 60 --views 16 --size "${SIZE:-64}" --quality preview --out "$data"
rows | xargs -P "$jobs" -L 1 bash -euc 'row "$@"' row
iebench table "$runs"/* --format markdown | tee "$folder/table.md"
iebench report "$runs"/*-0 --published --title "Built-in objects" --out "$folder/report.html" --plots "$folder/plots"
