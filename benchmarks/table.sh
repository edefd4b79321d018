#!/usr/bin/env bash
# The measured table of docs/results.md, from nothing: renders 55 classes, trains and evaluates every row, shows table and plots.
#
#     benchmarks/table.sh [FOLDER] [SEEDS]        # results, 3; about 80 minutes on 2 cores
#
# Interrupted, the same command goes on. Longer, on a GPU: SIZE=128 EPOCHS=500 BACKBONE=resnet18 benchmarks/table.sh
#
# Batches are small, so embeddings are narrow: of more coordinates than a batch has pairs, variance and covariance cannot both be low.
set -euo pipefail
folder=${1:-results} seeds=${2:-3}
data=$folder/data

row() { # NAME SEED METHOD [OPTION...]
    local run=$folder/runs/$1-$2 baselines=constant
    [ -e "$run/results.json" ] && return
    [ "$1-$2" = sie-0 ] && baselines=all # the backbone is the same in all rows, so once is enough
    iebench train "$3" --data "$data" --out "$run" --seed "$2" --backbone "${BACKBONE:-resnet18-narrow}" \
        --epochs "${EPOCHS:-50}" --batch-size "${BATCH:-64}" --schedule cosine --warmup-epochs 2 --num-workers 2 "${@:4}"
    iebench eval "$run" --data "$data" --tasks classification,rotation,colour,retrieval,predictor --epochs 50 \
        --baselines "$baselines"
}

iebench render --classes 55 --objects-per-class 60 --views 16 --size "${SIZE:-64}" --quality preview --out "$data"
for ((seed = 0; seed < seeds; seed++)); do
    row sie "$seed" sie --projector 512-512-64
    row vicreg "$seed" vicreg --projector 512-512-128
    row supervised "$seed" supervised
    [ "$seed" -gt 0 ] && continue # the others have one seed
    row simclr 0 simclr --projector 512-512-128
    row augself 0 augself --projector 512-512-128
    row equimod 0 equimod --projector 512-512-64
    row sie-color 0 sie --projector 512-512-64 --transform rotation+color
done
iebench table "$folder"/runs/* --format markdown | tee "$folder/table.md"
iebench report "$folder"/runs/*-0 --published --title "Built-in objects" --out "$folder/report.html" --plots "$folder/plots"
