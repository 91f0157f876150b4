#!/bin/sh
# What foresight rank prints: one table of all that is weighed, in 80 columns, then why, who pays, and what a faster
# stage would gain. The times of two.json are constant, so that its transcript is known to the last figure.
. "$abs_srcdir/tests/golden/lib.sh"

cat >two.json <<'JSON'
{ "name": "two", "unit": "sample", "workload": {"closed": {"in_flight": "max"}},
  "resources": {"p": {"kind": "cores", "price": "1usd/h"}, "q": {"kind": "cores", "price": "2usd/h"}},
  "stages": [
    {"name": "a", "owner": "left", "model": "operators", "on": {"cpu": "p"}, "params": {"ops": [{"name": "x", "cpu": "30ms"}]}},
    {"name": "b", "owner": "right", "model": "operators", "on": {"cpu": "q"}, "params": {"ops": [{"name": "x", "cpu": "40ms"}]}} ],
  "optimizations": [
    {"name": "faster-a", "set": {"a.ops[0].cpu": "15ms"}},
    {"name": "wider-b", "set": {"resources.q.count": 2, "b.workers": 2}} ] }
JSON
cat >expected <<'TEXT'
two: 2 optimizations; gains are of throughput; limited by b
Paired differences from 2 replications, with 95 % intervals.

  optimization  throughput  usd per 1M  verdict
  as it is            25/s   33.33 usd
                         %           %
  wider-b        +33.3±0.0   +25.0±0.0  helps
  faster-a               0           0  no effect

Cannot be told apart (neighbours whose paired difference may be zero):
  throughput_per_s: as-it-is ~ faster-a
  cost_usd_per_1m_units: as-it-is ~ faster-a

  optimization  local gain       end-to-end gain     share  verdict
  wider-b       2.000x           1.333x             70.8 %  helps
    no stage's work per unit changes; the limit moves from b to a
  faster-a      2.000x           1.000x             29.2 %  no effect
    a -50 % work; b was and stays the limit

Best together: 2.000x with faster-a wider-b; then the limit is b.
Interaction: faster-a + wider-b: 1.500x what the product of their gains says.

Usd per month of 730 h: cash is what the bill changes by, worth what the same
work would cost less
  optimization           cash          worth
  wider-b             +1460±0         -547±0   costs more
  faster-a                  0              0      nothing

Who pays, who gains: usd per hour (. none that can be told)
                     left      right
  wider-b               .         +2

Who pays, who gains: busy cores, GPUs, servers (. none that can be told)
                     left      right
  wider-b           +0.25     +0.333
  faster-a         -0.375          .

If one stage took less time, the whole would gain (virtual speed-up)
  stage                  10 % less       25 % less       50 % less
  b                         1.111x          1.333x          1.333x
  nothing to gain: a
TEXT

exits_with 0 "rank" rank two.json --replications 2
is "the whole transcript" "$(cat "$out")" "$(cat expected)"

cat >asking.json <<'JSON'
{ "name": "asking", "unit": "request", "workload": {"clients": {"count": 2, "think": "0s"}},
  "assumed": {"stages.ask.params.p_distract": "a guess"},
  "resources": {"c": {"kind": "cores", "price": "1usd/h"}, "g": {"kind": "gpus", "price": "3usd/h"}},
  "stages": [
    {"name": "ask", "owner": "product", "model": "prompt", "calls": {"retriever": "search", "llm": "gen"},
     "params": {"graph": "retrieve_each_round", "rounds": 4, "hops": 2, "passages": 5, "evidence": [[1, 0.3], [5, 0.6]],
                "p_all": 0.8, "p_none": 0.3, "p_distract": 0.2, "prompt_tokens": 100, "output_tokens": 20}},
    {"name": "search", "owner": "search", "model": "station", "on": {"servers": "c"}, "params": {"service": "5ms"}},
    {"name": "gen", "owner": "models", "model": "llm_serving", "on": {"gpu": "g"},
     "params": {"policy": "vllm", "max_batch": 4,
                "ops": {"prefill": [[100, "9ms"], [1000, "40ms"]], "decode": [[1, "2ms"], [4, "3ms"]]}}} ],
  "optimizations": [
    {"name": "two-rounds", "set": {"ask.rounds": 2}},
    {"name": "faster-search", "set": {"search.service": "2ms"}},
    {"name": "dearer-model", "set": {"ask.p_all": 0.9, "resources.g.price": "30usd/h"}} ] }
JSON
exits_with 0 "rank of answers" rank asking.json --replications 3
out_like "a guess makes a break-even" 'two-rounds .* break-even$'
out_like "that says what it takes" 'two-rounds pays unless quality falls by more than [0-9.]+ points'
out_like "and what can never pay" 'dearer-model cannot pay: quality would have to rise from [0-9.]+ to'
out_like "names what was assumed" 'Assumed: stages\.ask\.params\.p_distract'
out_like "and gives a verdict where quality stays" 'faster-search .* helps$'
out_like "who pays" 'dearer-model +\. +\. +\+27'
ok "80 columns are enough" sh -c "! sed 's/\302\261/+/g' '$out' | grep -E '^.{81}'"
exits_with 0 "rank --json" rank asking.json --replications 3 --json
for key in throughput_gain latency_p95_gain quality_delta cost_delta_usd_per_1m_units delta_by_owner break_even \
    cannot_tell_apart speedup_curves gain_of; do
    out_like "has $key" "\"$key\""
done
out_like "with the verdict of its kind" '"verdict": "assumed: break-even"'
sed 's/"assumed"/"objective": {"quality_usd": "much"}, "assumed"/' asking.json >bad.json
exits_with 78 "a value that is none" rank bad.json
err_like "is named" 'bad\.json: \$\.objective\.quality_usd: a positive number is needed'
# Several pipelines judged together.
cat >estate.json <<'JSON'
{ "name": "estate", "objective": {"whole": "spend"},
  "resources": {"p": {"kind": "cores", "price": "1usd/h"}, "q": {"kind": "cores", "price": "3usd/h"}},
  "pipelines": [
    {"name": "left", "horizon": "steady", "workload": {"closed": {"in_flight": 2}},
     "stages": [{"name": "a", "owner": "red", "model": "operators", "on": {"cpu": "p"}, "params": {"ops": [{"name": "x", "cpu": "10ms"}]}}]},
    {"name": "right", "horizon": "steady", "workload": {"closed": {"in_flight": 2}},
     "stages": [{"name": "b", "owner": "blue", "model": "operators", "on": {"cpu": "q"}, "params": {"ops": [{"name": "x", "cpu": "20ms"}]}}]}
  ],
  "optimizations": [{"name": "faster-a", "set": {"a.ops[0].cpu": "5ms"}, "effort": {"usd": 1000}}] }
JSON
exits_with 0 "rank of an estate" rank estate.json --replications 2
out_like "pipelines weigh what they cost" '^  weight +25\.0 % +75\.0 %$'
out_like "the whole gains two to the power of a quarter" '^  faster-a +\+18\.9±0\.0 +\+100±0 +0$'
out_like "worth is money" 'faster-a +0 +\+[0-9]+±0 +pays +2\.[0-9] mo'
exits_with 0 "report of an estate" report estate.json --replications 2 -o estate.html
ok "shows every pipeline" grep -q "What it does to every pipeline" estate.html
sed 's/"spend"/{"lefd": 1}/' estate.json >bad.json
exits_with 78 "a pipeline that is not there" rank bad.json --replications 2
err_like "is named" 'no pipeline "lefd"; did you mean "left"'
finish
