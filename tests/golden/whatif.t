#!/bin/sh
# foresight whatif and diff: before, after and the difference.
. "$abs_srcdir/tests/golden/lib.sh"

cat >queue.json <<'JSON'
{ "name": "a|b `c` <d>", "unit": "request",
  "workload": {"open": {"arrivals": {"exponential": "1s"}}},
  "resources": {"pool": {"kind": "servers", "count": 1, "price": "3usd/h"}},
  "stages": [ {"name": "desk", "model": "station", "on": {"servers": "pool"}, "params": {"service": {"exponential": "0.8s"}}} ] }
JSON
sed 's/"count": 1/"count": 2/' queue.json >two.json

exits_with 0 "a change is shown" whatif queue.json --set resources.pool.count=2
out_like "with the setting" '~ resources.pool.count: 1 -> 2'
out_like "what got better" '\+ latency_s.p95 .*better'
out_like "what got worse" '- cost_usd_per_h +3 usd/h +6 usd/h +\+100.0 %.*worse'
out_like "what did not change" '^    throughput_per_s'
exits_with 0 "the same bytes with any number of threads" whatif queue.json --set resources.pool.count=2 --threads 1 --json
cp "$out" one.json
exits_with 0 "two" whatif queue.json --set resources.pool.count=2 --threads 2 --json
ok "threads do not show" cmp one.json "$out"
exits_with 0 "for a review" whatif queue.json --set resources.pool.count=2 --format markdown
out_like "names are data" 'a\\\|b \\`c\\` \\<d\\>'
out_like "with a table" '^\| latency\\_s.mean \|'
exits_with 2 "an unknown format" whatif queue.json --set resources.pool.count=2 --format yaml
err_like "with what is allowed" 'text and markdown'
exits_with 2 "what if what" whatif queue.json
err_like "how to say it" '--set PATH=VALUE'
exits_with 5 "differences end in 5 when asked" whatif queue.json --set resources.pool.count=2 --detailed-exitcode
exits_with 0 "none end in 0" whatif queue.json --set resources.pool.count=1 --detailed-exitcode

exits_with 4 "an overload is compared all the same" whatif queue.json --set workload.open.arrivals.exponential=0.7s --replications 2
out_like "with its figures" 'latency_s.mean'
err_like "and the doubt" 'no steady state'

exits_with 0 "two files" diff queue.json two.json
out_like "are compared the same way" '~ resources.pool.count: 1 -> 2'
exits_with 0 "the same file twice" diff queue.json queue.json --detailed-exitcode
out_like "is the same scenario" 'the same scenario'
exits_with 0 "a run is kept" run queue.json --store two.db
exits_with 0 "and another" run two.json --store two.db
exits_with 5 "two stored runs" diff 1 2 --store two.db --detailed-exitcode
exits_with 66 "a file and a run" diff queue.json latest
err_like "do not go together" 'two scenarios or two stored runs'
finish
