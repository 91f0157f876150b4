#!/bin/sh
# foresight reconcile: after the roll-out, predicted against achieved.
. "$abs_srcdir/tests/golden/lib.sh"

cat >desk.json <<'JSON'
{ "name": "desk", "unit": "request",
  "workload": {"open": {"arrivals": {"exponential": "0.25s"}}},
  "resources": {"pool": {"kind": "servers", "count": 4}},
  "stages": [ {"name": "desk", "model": "station", "on": {"servers": "pool"}, "params": {"service": {"exponential": "0.8s"}}} ] }
JSON

# What came of it: an M/M/5 by Lindley's recursion, in awk; `rate` and `service` as they turned out.
achieved() { # rate service seed
    awk -v rate="$1" -v service="$2" -v seed="$3" 'BEGIN {
        srand(seed); for (k = 0; k < 5; k++) free[k] = 0
        print "ts,took"
        for (i = 0; i < 20000; i++) {
            t -= log(1 - rand()) / rate
            best = 0; for (k = 1; k < 5; k++) if (free[k] < free[best]) best = k
            begin = t > free[best] ? t : free[best]
            free[best] = begin - log(1 - rand()) * service
            printf "%.6f,%.6f\n", t, free[best] - t
        } }'
}
achieved 4 0.8 3 >same.csv
achieved 4.7 0.8 3 >more.csv
map='requests: arrival_s = ts, latency_s = took'
exits_with 0 "what was achieved" import same.csv more.csv --map "$map"
exits_with 0 "what was predicted" whatif desk.json --set resources.pool.count=5
exits_with 0 "as predicted" reconcile latest:whatif same
out_like "is said in a sentence" '^desk: what was predicted was achieved: 5 of 5 figures of "same" are'
out_unlike "nothing is outside" 'OUTSIDE'
exits_with 0 "more came than was thought" reconcile latest:whatif more
out_like "which figure, and which assumption" '^desk: latency_s\.[a-z0-9]+ came out at'
out_like "the traffic" 'arrivals a second were 4\.[67][0-9]*/s, not 4/s'
out_like "with a z" '^  4/s +4\.[67][0-9]*/s .*\+[0-9.]+ +[0-9]+ %  arrivals a second'
out_like "each figure with its verdict" 'throughput_per_s +3\.99.* +4\.[67].*OUTSIDE'
exits_with 0 "as a document" reconcile latest:whatif more --json
if command -v jq >/dev/null; then
    is "what was most off" "$(jq -r .most_off "$out")" "arrivals a second"
    is "it explains most of the miss" "$(jq '.parameters[0].explained_frac > 0.7 and .parameters[0].explained_frac < 1.3' "$out")" true
    is "intervals on both sides" "$(jq '[.figures[] | (.predicted.lo < .predicted.hi) and (.achieved.lo < .achieved.hi)] | all' "$out")" true
else
    skip "what was most off" "no jq"
fi
exits_with 0 "a scenario file in the place of a run" reconcile desk.json more --set resources.pool.count=5
out_like "gives the same" 'arrivals a second were 4\.[67]'

# Spans: the time of a stage was off
awk 'BEGIN { srand(4); print "req,start,end,what"
    for (i = 0; i < 3000; i++) { t -= log(1 - rand()); printf "%d,%.6f,%.6f,desk\n", i, t, t - log(1 - rand()) * 0.95 } }' >spans.csv
exits_with 0 "spans" import spans.csv --map 'spans: stage = what, op = what, start_s = start, end_s = end, item = req'
exits_with 0 "a service that took longer" reconcile desk.json spans --set workload.open.arrivals.exponential=1s --set resources.pool.count=100
out_like "is found by its stage" 'stages.desk.params.service +is|stages.desk.params.service'
out_like "the arrivals were right" '^  1/s .* -  arrivals a second'

recorded=${FORESIGHT_TRACES-}/llmservingsim/bench/RTXPRO6000/Llama-3.1-8B/requests.jsonl
if test -f "$recorded"; then
    exits_with 0 "an engine as it was recorded" init --from "$recorded" -o engine.json
    exits_with 0 "is what its recording says" reconcile engine.json Llama-3.1-8B-requests --replications 4
    out_like "figure by figure" 'tpot_s.mean .*inside'
    out_like "and as fast" '^  1 +(0\.9|1\.0)[0-9]* .* -  stages.serve: time of all it does'
    exits_with 0 "an engine thought slower than it is" reconcile engine.json Llama-3.1-8B-requests --replications 4 --set serve.cpu_step=10ms
    out_like "is found out" 'stages.serve: time of all it does is 0\.[78]'
else
    skip "an engine as it was recorded" "traces not found"
fi

exits_with 2 "no such run" reconcile 99 same
err_like "says what there is" 'no result "99"; there is'
exits_with 2 "no such trace" reconcile latest:whatif sam
err_like "with the nearest" 'same'
exits_with 2 "one argument" reconcile latest:whatif
finish
