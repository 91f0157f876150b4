#!/bin/sh
# foresight search: the best combination, how sure, resumed, over ranks.
. "$abs_srcdir/tests/golden/lib.sh"

cat >tandem.json <<'JSON'
{ "name": "tandem", "unit": "document", "horizon": "steady",
  "workload": {"closed": {"in_flight": 24}},
  "resources": {"a": {"kind": "servers", "count": 1, "price": "2usd/h"}, "b": {"kind": "servers", "count": 1, "price": "3usd/h"}},
  "stages": [ {"name": "parse", "model": "station", "on": {"servers": "a"}, "params": {"service": {"exponential": "2s"}}},
              {"name": "embed", "model": "station", "on": {"servers": "b"}, "params": {"service": {"exponential": "3s"}}} ],
  "knobs": [ {"name": "parsers", "path": "resources.a.count", "range": [1, 6]}, {"name": "embedders", "path": "resources.b.count", "range": [1, 6]} ],
  "constraints": ["cost_usd_per_h <= 14usd/h"],
  "optimizations": [ {"name": "small-model", "set": {"embed.service": {"exponential": "2s"}}} ] }
JSON

search() {
    exits_with "$1" "$2" search tandem.json --length 0.05 --indifference 3% --quiet --store "$3" $4
}

search 0 "the best under a budget" s.db
out_like "how it was found" '^tandem: branch-and-bound to maximize throughput_per_s$'
out_like "what to choose" '^Best: small-model parsers=[234] embedders=[23]$'
out_like "what it costs, and what it costs now" 'cost_usd_per_h +1[0-4] usd/h +now 5 usd/h'
out_like "how sure" 'With 95.0 % probability no candidate'
out_like "that nothing is left" 'Nothing is left that could be better'
out_like "the front" 'Not beaten in all of objective, cost and quality'
exits_with 0 "candidates are kept" runs list --store s.db
out_like "as a result" 'search'

search 0 "as a document" s.db "--json --threads 1"
cp "$out" one.json
out_like "with what is asked of it" '"evaluated": [0-9]+'
out_like "pruned" '"pruned_by_bound": [0-9]+'
out_like "guaranteed" '"probability": 0.95'
search 0 "with two threads, and from scratch" t.db "--json --threads 2"
ok "the same bytes" cmp one.json "$out"

for m in exhaustive coordinate beam nsga2 nelder-mead; do
    search 0 "$m" s.db "--method $m"
    out_like "$m ends up there as well" '^Best: small-model parsers='
done
search 0 "ocba" s.db "--select ocba"
search 2 "no such method" s.db "--method annealing"
err_like "what there is" 'branch-and-bound, exhaustive, coordinate, beam, nsga2, nelder-mead'
search 2 "no such budget" s.db "--budget 3parsecs"
search 3 "a goal that nothing meets" s.db "--slo cost_usd_per_h<=1usd/h"
err_like "is told" 'meets every constraint'
search 78 "a goal that is not known" s.db "--slo ttft_s.p95<=1s"
err_like "with the reason" 'knows no ttft_s.p95'

# Interrupted: what was simulated counts, and the same command ends with the same bytes.
sed 's/"2s"/"2.1s"/' tandem.json >cut.json
exits_with 0 "without an interruption" search cut.json --method exhaustive --json --quiet --store whole.db
cp "$out" whole.json
"$FORESIGHT" search cut.json --method exhaustive --json --quiet --store cut.db >/dev/null 2>&1 &
sleep 0.4
kill -INT $! 2>/dev/null
wait $!
exits_with 0 "the same command again" search cut.json --method exhaustive --json --quiet --store cut.db
ok "ends as if it had not been interrupted" cmp whole.json "$out"
"$FORESIGHT" search cut.json --method exhaustive --json --quiet --store dead.db >/dev/null 2>&1 &
sleep 0.4
kill -KILL $! 2>/dev/null
wait $! 2>/dev/null
exits_with 0 "after a kill" search cut.json --method exhaustive --json --quiet --store dead.db
ok "too" cmp whole.json "$out"

# Over ranks of MPI.
if grep -q 'define HAVE_MPI' "$(dirname "$FORESIGHT")/config.h" 2>/dev/null && command -v mpirun >/dev/null; then
    ranks="mpirun --allow-run-as-root --oversubscribe -n 4"
    $ranks "$FORESIGHT" search cut.json --method exhaustive --json --quiet --store mpi.db >mpi.json 2>mpi.err
    ok "four ranks, the same bytes" cmp whole.json mpi.json
    $ranks "$FORESIGHT" search cut.json --method exhaustive --json --quiet --store killed.db >killed.json 2>/dev/null &
    sleep 1
    victim=$(pgrep -f "search cut.json --method exhaustive --json --quiet --store killed.db" | tail -1)
    kill -KILL "$victim" 2>/dev/null
    wait $! 2>/dev/null
    $ranks "$FORESIGHT" search cut.json --method exhaustive --json --quiet --store killed.db >killed.json 2>/dev/null
    ok "a rank was killed: the same command goes on and ends with the same bytes" cmp whole.json killed.json
else
    skip "four ranks, the same bytes" "configured without MPI (--with-mpi)"
    skip "a killed rank" "configured without MPI (--with-mpi)"
fi
finish
