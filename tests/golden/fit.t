# foresight fit of a model: a recording in, a calibration out, and what it is used for.
. "$abs_srcdir/tests/golden/lib.sh"

# Times of an operator and of a ring of four, with a ripple of one per cent that no law explains.
awk 'BEGIN {
    print "op,tokens,batch,chunk,context,time_s,bytes,devices"
    for (i = 0; i < 60; i++) { n = int(2 ^ (i / 5)); printf "gemm,%d,,,,%.6e,,1\n", n, (2e-5 + 1e-7 * n) * (1 + 0.01 * sin(i)) }
    for (i = 0; i < 40; i++) { b = 1024 * 2 ^ (i / 2); printf "all_reduce,,,,,%.6e,%d,4\n", (1.2e-5 + 1.5e-11 * b) * (1 + 0.01 * sin(i)), b }
}' >ops.csv

exits_with 0 "a link from a file" fit link --trace ops.csv --name ring
cat >expected <<'OUT'
calibration "ring" of link: 4 parameters from 1 trace

OUT
is "says what it made" "$(head -2 "$out")" "$(cat expected)"
out_like "finds the latency of a step" 'kinds\.link\.latency +(1\.9[89]|2\.0[012]?)[0-9]*e-06'
out_like "finds the bandwidth" 'kinds\.link\.bandwidth +(9\.9|1\.0)[0-9]*e\+(10|11)'
out_like "says where it holds" '1024 to 7\.593e\+08 bytes'
exits_with 0 "a filter" fit link --trace ops --where 'op=all_reduce,devices=8; op=all_*' --json --quiet
out_like "JSON names the calibration" '"calibration": "ops"'
out_like "and the rows it came from" '"what": "op=all_reduce,devices=4"'
out_like "and a covariance" '"covariance": -?[0-9]'
out_like "and where it holds" '"of": "bytes"'

# Products of 100 TFLOP/s and 1 TB/s, half as fast at 10,000 elements of the result, 4 us before they begin.
awk 'BEGIN {
    print "framework,version,device,op_name,kernel_source,gemm_dtype,m,n,k,latency"
    for (s = 0; s < 12; s++) for (i = 0; i < 14; i++) {
        m = 2 ^ i; n = 512 * 2 ^ (s % 4); k = 512 * 2 ^ int(s / 4)
        c = 2 * m * n * k / 1e14 * (1 + 1e4 / (m * n)); b = 2 * (m * k + k * n + m * n) / 1e12
        printf "V,1,NVIDIA X,gemm,lib,bfloat16,%d,%d,%d,%.9g\n", m, n, k, 1e3 * (4e-6 + (c > b ? c : b)) * (1 + 0.01 * sin(7 * i + s)) }
}' >gemm_perf.csv
exits_with 0 "a roofline from matrix products" fit gpus --trace gemm_perf.csv --name roof
out_like "peak" '\.peak +(9\.9[0-9]*e\+13|1e\+14|1\.00[0-9]*e\+14) '
out_like "bandwidth" '\.bandwidth +(9\.9[0-9]*e\+11|1e\+12|1\.00[0-9]*e\+12) '
out_like "what fills it" '\.half_size +(9[0-9.]+e\+03|9[0-9]{3}|1\.[01][0-9]*e\+04) .*512 to 3\.355e\+07 elements'
out_like "the overhead" '\.overhead +(3\.9[0-9]*|4|4\.0[0-9]*)e-06 '
out_like "which side counts how often" '[0-9]+ products compute longer than they move'

# What was fitted is used; a second fit gives the same bytes.
"$FORESIGHT" fit llm_serving --trace ops --name gpu --json --quiet >first
"$FORESIGHT" fit llm_serving --trace ops --name gpu --json --quiet >second
ok "a fit is reproducible" cmp first second
cat >link.json <<'JSON'
{ "name": "l", "unit": "item", "horizon": {"items": 100}, "workload": {"closed": {"in_flight": 1}},
  "resources": {"wire": {"kind": "link", "calibration": "ring"}},
  "stages": [ {"name": "send", "model": "operators", "on": {"net": "wire"},
               "params": {"ops": [ {"name": "copy", "net_bytes": "1GB"} ]}} ] }
JSON
exits_with 0 "a resource uses its calibration" run link.json
out_like "at the bandwidth found" 'throughput +(99|100|101)\.?[0-9]*/s'
out_like "with what is not known" 'prediction interval'
exits_with 0 "without the uncertainty" run link.json --uncertainty none
out_unlike "there is no such interval" 'prediction interval'

# Presets.
exits_with 2 "a preset needs its source" fit link --trace ops -o p.json
err_like "and says so" '\-\-note'
exits_with 0 "a preset" fit link --trace ops -o p.json --note 'made up'
ok "has its source" grep -q '"source": "made up"' p.json
ok "and the recording's hash" grep -Eq '"sha256": "[0-9a-f]{64}"' p.json
mkdir presets && mv p.json presets/wire.json
sed 's/"calibration": "ring"/"preset": "wire"/' link.json >preset.json
FORESIGHT_PRESETS=presets exits_with 0 "a preset is used like a calibration" run preset.json
out_like "and gives the same" 'throughput +(99|100|101)\.?[0-9]*/s'

# Ranges.
cat >sweep.jsonl <<'JSON'
{"clients": 1, "qps": 90, "mean": 0.011}
{"clients": 2, "qps": 178, "mean": 0.0112}
{"clients": 4, "qps": 340, "mean": 0.0117}
{"clients": 8, "qps": 395, "mean": 0.0202}
{"clients": 16, "qps": 400, "mean": 0.04}
JSON
exits_with 0 "a sweep with --map" import sweep.jsonl --map \
    'measurements: @concurrency = clients, queries_per_s = qps, latency_mean_s = mean'
exits_with 0 "is fitted" fit station --trace sweep
out_like "to a station" 'models\.station\.params\.service\.exponential'
servers=$(sed -n 's/.*one of \([0-9]*\) server.*/\1/p' "$out")
cat >db.json <<JSON
{ "name": "db", "unit": "query", "horizon": {"items": 2000}, "workload": {"clients": {"count": 8}},
  "resources": {"pool": {"kind": "servers", "count": ${servers:-1}}},
  "stages": [ {"name": "desk", "model": "station", "on": {"servers": "pool"}, "calibration": "sweep"} ] }
JSON
exits_with 0 "inside its range it predicts" run db.json
out_like "latency with what is not known" 'latency .*prediction interval'
exits_with 78 "outside it does not" run db.json --set workload.clients.count=64
err_like "and says why" 'concurrency from 1 to 16.*asked for 64.*--extrapolate'
exits_with 0 "unless told to" run db.json --set workload.clients.count=64 --extrapolate --json
out_like "and marks it" '"text": "extrapolated: '

exits_with 2 "a model nobody knows" fit lnik --trace ops
err_like "suggests a name" 'did you mean "link"'
exits_with 2 "no recording" fit link
err_like "says how to get one" 'foresight import FILE'
exits_with 2 "a recording of something else" fit workload --trace ops
err_like "says what is needed" 'requests \(arrival_s\)'
exits_with 0 "models lists what can be calibrated" models station
out_like "and from what" 'service +service law, from spans'
finish
