#!/usr/bin/env bash
# The measured table of docs/results.md, from nothing: renders 55 classes, trains and evaluates every row, writes table and plots.
#
#     benchmarks/table.sh [FOLDER] [SEEDS]        # results, 3; about 80 minutes on 2 cores
#
# Interrupted, the same command goes on. On a CUDA device: SIZE=128 EPOCHS=500 BATCH=256 benchmarks/table.sh
set -euo pipefail
folder=${1:-results} seeds=${2:-3}
data=$folder/data

iebench render --classes 55 --objects-per-class 24 --views 12 --size "${SIZE:-64}" --out "$data"

row() { # NAME SEED METHOD [OPTION...]
    local run=$folder/runs/$1-$2
    [ -e "$run/results.json" ] && return
    iebench train "$3" --data "$data" --out "$run" --seed "$2" --epochs "${EPOCHS:-30}" --batch-size "${BATCH:-64}" \
        --schedule cosine --warmup-epochs 3 --num-workers 2 "${@:4}"
    iebench eval "$run" --data "$data" --tasks classification,rotation,colour,retrieval,predictor --epochs 100
}

# The rows for which the paper has seeds come first, then the others with one.
for ((seed = 0; seed < seeds; seed++)); do
    row vicreg "$seed" vicreg
    row sie "$seed" sie
    row supervised "$seed" supervised
done
row simclr 0 simclr
row augself 0 augself
row equimod 0 equimod
row sie-color 0 sie --transform rotation+color

iebench table "$folder"/runs/* --format markdown
iebench report "$folder"/runs/*-0 --published --title "Built-in objects" --out "$folder/report.html" --plots "$folder/plots"
