#!/usr/bin/env bash
# The measured table of docs/results.md, from nothing: renders 55 classes, trains and evaluates every row, shows table and plots.
#
#     benchmarks/table.sh [FOLDER] [SEEDS]        # results, 3; about 70 minutes on 2 cores
#
# Interrupted, the same command goes on. Longer, on a GPU: SIZE=128 EPOCHS=500 BATCH=256 benchmarks/table.sh
set -euo pipefail
folder=${1:-results} seeds=${2:-3}
data=$folder/data

row() { # NAME SEED METHOD [OPTION...]
    local run=$folder/runs/$1-$2 baselines=constant
    [ -e "$run/results.json" ] && return
    [ "$1-$2" = sie-0 ] && baselines=all # the backbone is the same in all rows, so once is enough
    iebench train "$3" --data "$data" --out "$run" --seed "$2" --epochs "${EPOCHS:-24}" --batch-size "${BATCH:-64}" \
        --schedule cosine --warmup-epochs 3 --num-workers 2 "${@:4}"
    iebench eval "$run" --data "$data" --tasks classification,rotation,colour,retrieval,predictor --epochs 100 \
        --baselines "$baselines"
}

iebench render --classes 55 --objects-per-class 24 --views 12 --size "${SIZE:-64}" --out "$data"
for ((seed = 0; seed < seeds; seed++)); do
    row vicreg "$seed" vicreg
    row sie "$seed" sie
    row supervised "$seed" supervised
    [ "$seed" -gt 0 ] && continue # the others have one seed
    row simclr 0 simclr
    row augself 0 augself
    row equimod 0 equimod
    row sie-color 0 sie --transform rotation+color
done
iebench table "$folder"/runs/* --format markdown | tee "$folder/table.md"
iebench report "$folder"/runs/*-0 --published --title "Built-in objects" --out "$folder/report.html" --plots "$folder/plots"
