#!/bin/sh
# scripts/record_gpu: what it records can be imported; without PyTorch it says so.
. "$abs_srcdir/tests/golden/lib.sh"

record=$abs_srcdir/scripts/record_gpu
python=${PYTHON-python3}
if ! command -v "$python" >/dev/null; then
    skip "record_gpu" "no python3"
    finish
fi

mkdir none
echo 'raise ImportError("not here")' >none/torch.py
PYTHONPATH=none "$python" "$record" >"$out" 2>"$err"
is "without PyTorch it stops with 69" "$?" 69
err_like "and names what is missing" 'PyTorch is needed'

if ! "$python" -c 'import torch' 2>/dev/null; then
    skip "it records" "no PyTorch"
    finish
fi
ok "an unknown part is refused" sh -c "! '$python' '$record' --parts gemmm"
ok "it records on the CPU" "$python" "$record" --device cpu --quick --workers 1 --out r
exits_with 0 "operator costs and the profile import" import r/ops.csv r/train.trace.json --strict
out_like "as operator costs" 'ops.csv: llm-ops, ([0-9]+) of \1 records kept'
out_like "as a Chrome trace" 'train.trace.json: chrome'
exits_with 0 "the loader's table imports" import r/loader.csv --map r/loader.map --strict
out_like "whole" 'loader.csv: csv, 4 of 4 records'
exits_with 0 "the steps of the training are known" trace show 2
out_like "as steps" '^ +step +ProfilerStep +.* 6 '
finish
