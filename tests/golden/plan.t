#!/bin/sh
# foresight plan: what must I buy?
. "$abs_srcdir/tests/golden/lib.sh"

cat >desk.json <<'JSON'
{ "name": "desk", "unit": "request",
  "workload": {"open": {"arrivals": {"exponential": "0.25s"}}},
  "resources": {"pool": {"kind": "servers", "count": 4, "price": "3usd/h"}, "ours": {"kind": "servers", "count": 9, "price": "1usd/h", "billing": "owned"}},
  "stages": [ {"name": "desk", "model": "station", "on": {"servers": "pool"}, "params": {"service": {"exponential": "0.8s"}}},
              {"name": "file", "model": "station", "on": {"servers": "ours"}, "params": {"service": "1ms"}} ] }
JSON

# Erlang: a = 3.2, C(5) / (5 - 3.2) * 0.8 s + 0.8 s = 0.928 s; with 4 it is 1.4 s
exits_with 0 "a plan" plan desk.json --slo "latency_s.mean <= 1s"
out_like "begins with what to buy" '^desk: buy resources.pool.count = 5 for 15 usd/h at 4/s; that meets'
out_like "and why these knobs" 'Knobs: the scenario has none: how many there are of all that is paid for'
out_unlike "what is owned is not bought" 'resources.ours'
out_like "the ideal beside it" '^  ideal +12 usd/h +resources.pool.count = 4'
out_like "and the gap" 'gap: \+25 % of cost over the ideal'
out_like "growth" '^  10x traffic +105 usd/h +resources.pool.count = 35'
out_like "headroom with its interval" 'headroom before it breaks +\+[0-9]+ % of traffic \(\+[0-9.]+ \.\. \+[0-9.]+ %\)'
out_like "the knee says what it is" 'Kleinrock 1979'
out_like "one server away" 'one of pool away: breaks'
out_like "what stands that" 'meets it with one away +resources.pool.count = 6  18 usd/h'
out_like "billing" 'Of the hours paid for 64 % are used'
ok "no line is wider than a screen" sh -c "! grep -nE '.{82}' '$out'"
exits_with 0 "the same bytes with any number of threads" plan desk.json --slo "latency_s.mean <= 1s" --threads 1 --json --knob resources.pool.count=1..12
cp "$out" one.json
exits_with 0 "two" plan desk.json --slo "latency_s.mean <= 1s" --threads 2 --json --knob resources.pool.count=1..12
ok "threads do not show" cmp one.json "$out"
if command -v jq >/dev/null; then
    is "the document says what to set" "$(jq -c .recommended.set one.json)" '{"resources.pool.count":5}'
    is "and its bound" "$(jq -c .lower_bound.set one.json)" '{"resources.pool.count":4}'
    is "growth in four factors" "$(jq -c '[.growth[].factor]' one.json)" '[1,2,5,10]'
    is "headroom is an estimate" "$(jq '.headroom_frac | .lo <= .mean and .mean <= .hi and .n > 1' one.json)" true
else
    skip "the document says what to set" "no jq"
fi

exits_with 0 "at a rate" plan desk.json --slo "latency_s.mean <= 1s" --rate 8/s --quiet --brief --knob resources.pool.count=1..12
out_like "other servers" 'buy resources.pool.count = 9 for 27 usd/h at 8/s'
exits_with 3 "nothing meets it" plan desk.json --slo "latency_s.mean <= 1s" --knob resources.pool.count=1..3
out_like "is said first" '^desk: no setting of the knobs meets'
out_like "with what binds" 'pool can do 3.75/s at best, 4/s come'
err_like "and in the exit" 'no setting of the knobs meets the SLO'
exits_with 3 "not even alone" plan desk.json --slo "latency_s.mean <= 0.5s" --knob resources.pool.count=1..9
out_like "is said by the bound" 'one request alone takes 801 ms'
exits_with 2 "no SLO" plan desk.json
err_like "says how to give one" '--slo "latency_s.p95 <= 500ms"'
exits_with 78 "a figure that is none" plan desk.json --slo "latency.p95 <= 1s"
err_like "with the nearest" 'did you mean "latency_s.p95"'
exits_with 2 "a figure that this scenario has not" plan desk.json --slo "ttft_s.p95 <= 1s"
err_like "with those it has" 'no run of this scenario knows ttft_s.p95; it knows throughput_per_s'
exits_with 2 "a knob that is none" plan desk.json --slo "latency_s.mean <= 1s" --knob pool=..3
err_like "with how to write it" 'write PATH=LO\.\.HI'
exits_with 2 "a rate that is none" plan desk.json --slo "latency_s.mean <= 1s" --rate -3
err_like "says what it wants" 'a rate above 0'
exits_with 2 "something else to minimize" plan desk.json --slo "latency_s.mean <= 1s" --minimize tears
err_like "lists what there is" 'allowed are cost and count'

# Two knobs: dear servers or cheap ones that are slower together.
cat >two.json <<'JSON'
{ "name": "two", "unit": "request",
  "workload": {"open": {"arrivals": {"exponential": "0.25s"}}},
  "resources": {"a": {"kind": "servers", "count": 4, "price": "3usd/h"}, "b": {"kind": "servers", "count": 4, "price": "1usd/h"}},
  "stages": [ {"name": "first", "model": "station", "on": {"servers": "a"}, "params": {"service": {"exponential": "0.8s"}}},
              {"name": "then", "model": "station", "on": {"servers": "b"}, "params": {"service": {"exponential": "0.8s"}}} ] }
JSON
exits_with 0 "two knobs" plan two.json --slo "latency_s.mean <= 2s" --knob resources.a.count=1..9 --knob resources.b.count=1..9 --quiet --brief
# Jackson: 5 and 5 give 0.928 s + 0.928 s; 5 and 4 give 0.928 + 1.4 s
out_like "the cheapest pair" 'buy resources.a.count = 5, resources.b.count = 5 for 20 usd/h'

# Traffic that follows the hour
cat >day.json <<'JSON'
{ "name": "day", "unit": "request",
  "workload": {"open": {"arrivals": {"schedule": {"rates": ["8/s", "1/s"], "period": "1h"}}}},
  "resources": {"pool": {"kind": "servers", "count": 4, "price": "3usd/h", "autoscale": {"period": "60s", "delay": "30s", "min": 1, "max": 20}}},
  "stages": [ {"name": "desk", "model": "station", "on": {"servers": "pool"}, "params": {"service": {"exponential": "0.8s"}}} ] }
JSON
exits_with 0 "a day" plan day.json --slo "latency_s.p95 <= 4s" --knob resources.pool.count=6..10 --elastic 1.5
out_like "is sized for its peak" 'buy resources.pool.count = [89] for'
out_like "over whole rounds" 'whole rounds of it are simulated'
out_like "policies are compared" '^  fixed at the peak'
out_like "reactive ones" '^  reactive at 60 %'
out_like "and the schedule" '^  by the schedule'
out_like "break-even of commitment" '487 of the 730'

# Options of the programs that the stages stand for
ln -s "$abs_srcdir/scenarios" scenarios
exits_with 0 "a model in service" plan scenarios/llm-serving.json --set 'horizon={"items": 400}' --slo "ttft_s.p95 <= 1s" --knob resources.accelerators.count=2..4 --quiet
out_like "replicas follow the accelerators" '--data-parallel-size [234]'
out_like "as options of vLLM" 'vllm serve llama-3-8b --tensor-parallel-size 1'
out_like "hosted models beside it" 'llama-3.1-8b on Bedrock'
exits_with 0 "a loader" plan scenarios/loader-sizing.json --rate 1800/s --knob load.workers=8..24 --quiet --brief
out_like "the fewest workers" 'buy load.workers = 16'
out_like "as options of a DataLoader" 'num_workers=16, prefetch_factor=2'

cat >night.json <<'JSON'
{ "name": "night", "unit": "job", "horizon": {"items": 1}, "workload": {"closed": {"in_flight": 1}},
  "resources": {"host": {"kind": "cores", "count": 64, "price": "0.05usd/h"}, "disk": {"kind": "disk", "read_bw": "2GB/s", "iops": 20000}, "lan": {"kind": "link", "bandwidth": "5GB/s"}},
  "stages": [ {"name": "etl", "model": "spark", "on": {"cpu": "host", "disk": "disk", "net": "lan"},
    "params": {"executors": 2, "slots": 4, "stages": [ {"name": "map", "tasks": 128, "cpu": "2s"}, {"name": "reduce", "tasks": 16, "cpu": "1s", "after": ["map"]} ]}} ] }
JSON
exits_with 0 "a nightly job" plan night.json --slo "makespan_s <= 30s" --knob etl.executors=1..16 --quiet --brief
out_like "its executors" 'buy etl.executors = 3 '
out_like "as options of Spark" 'spark.executor.instances=3 '
finish
