# Structural rewrites: what a scenario admits, why, and that they are optimizations like any other.
. "$abs_srcdir/tests/golden/lib.sh"

ln -s "$abs_srcdir/scenarios" scenarios

exits_with 0 "what an input pipeline admits" check scenarios/vision-training.json --rules
out_like "a new order, with its cost" 'Run read, gray, crop, float, flip, jitter, blur, normalize, batch: 18\.9'
out_like "what it touches" '^  load\.reorder +touches load$'
out_like "why a cache may not lie there" 'not behind "crop": it is random, and epochs would repeat'
out_like "what no rule touches" "the trainer's batch is its author's"
ok "in 80 columns" sh -c "! grep -q '.\{81\}' '$out'"

exits_with 0 "the same as JSON" check scenarios/vision-training.json --rules --json
out_like "what it sets" '"load.order": "best"'
out_like "whether it is legal" '"legal": false'

exits_with 0 "end to end, from the log to the trainer" check scenarios/quickstart.json --rules
out_like "deduplication touches all of it" '^  etl\.dedup +touches etl, table, prep, train'
out_like "projection in figures" 'Read 24 of 40 features'

exits_with 0 "what only a measurement could tell" check scenarios/rec-training.json --rules
out_like "is not proposed" 'nobody measured what lz4 costs and saves here'

exits_with 0 "the serving side" check scenarios/llm-serving.json --rules --json
out_like "what changes answers says so" '"lossy": true'

# A scenario whose author declared nothing is ranked by what it admits.
cat >plain.json <<'EOF'
{"name": "plain", "unit": "sample", "horizon": "steady", "workload": {"closed": {"in_flight": "max"}},
 "resources": {"host": {"kind": "cores", "count": 2}, "disk": {"kind": "disk"}, "gpu": {"kind": "gpus"}},
 "stages": [
  {"name": "load", "model": "loader", "on": {"cpu": "host", "disk": "disk"},
   "params": {"workers": 2, "batch": 16, "items": 4096, "ops": [
     {"name": "decode", "fixed": "1ms", "pinned": true}, {"name": "cast", "per_byte": "20ns", "bytes_ratio": 4},
     {"name": "gray", "per_byte": "10ns", "bytes_ratio": 0.3}]}},
  {"name": "train", "model": "operators", "on": {"gpu": "gpu"}, "params": {"ops": [{"name": "step", "gpu": "1ms"}]}}],
 "edges": [["load", "train", {"buffer": 4}]]}
EOF
exits_with 0 "nothing declared" rank plain.json --replications 2
err_like "says what is ranked" 'ranked are the rewrites it admits'
out_like "the new order helps" 'load\.reorder .*helps'
exits_with 2 "without --rules there is no such optimization" whatif plain.json --apply load.reorder
exits_with 0 "with it there is" whatif plain.json --rules --apply load.reorder --replications 2
exits_with 0 "as if set by hand" whatif plain.json --set load.order=best --replications 2 --json
tr -d ' \n' <"$out" | grep -o '"throughput_per_s".*' >by-hand
exits_with 0 "as if declared" whatif plain.json --rules --apply load.reorder --replications 2 --json
tr -d ' \n' <"$out" | grep -o '"throughput_per_s".*' >by-rule
ok "the same figures" cmp -s by-hand by-rule
exits_with 2 "a misspelt rewrite" whatif plain.json --rules --apply load.reoder
finish
