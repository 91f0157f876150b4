# A small ETL path: a label as a copy and as deltas, executed, predicted, reported.
. "$abs_srcdir/tests/golden/lib.sh"

ln -s "$abs_srcdir/scenarios" scenarios
ln -s "$abs_srcdir/models" models
sed 's/"rows": [0-9]*/"rows": 8192/; s/"partition_rows": [0-9]*/"partition_rows": 4096/; s/"epochs": [0-9]*/"epochs": 2/;
     s/"items": [0-9]*/"items": 16384/; s/"stripe_rows": 4096/"stripe_rows": 1024/' scenarios/local-etl.json >small.json

digest() { # of what the jobs read, with these options
    "$FORESIGHT" exec small.json --set exec.digest=true --repeats 1 --json --quiet --store digest.db "$@" 2>/dev/null |
        sed -n 's/.*"digest": *\([0-9.e+]*\).*/\1/p'
}
copy=$(digest)
ok "what jobs read is hashed" test -n "$copy"
is "jobs read the rows of the copy from the delta" "$(digest --apply delta)" "$copy"
is "and from the delta by key" "$(digest --apply delta-by-key)" "$copy"
is "and whatever the codec" "$(digest --apply delta --apply lz4)" "$copy"

exits_with 0 "operators alone" exec --profile small.json --quiet
exits_with 0 "validate" validate small.json --variants 3 --repeats 2 --quiet
out_like "predicts variants" 'delta-by-key'
out_like "says where it is wrong" 'where the model is wrong'
out_like "and which part missed" 'us a unit, predicted'
out_like "says how the machine drifted" 'operators alone take'
exits_with 0 "validate --json" validate small.json --variants 2 --repeats 2 --no-drift --json --quiet
out_like "stages" '"starved"'
out_like "speed-ups" '"speedup_median_abs_error_frac"'
exits_with 0 "report" report small.json -o report.md
ok "the report says where the model is wrong" grep -q 'Where the model is wrong' report.md

exits_with 0 "threads each on a processor" exec small.json --pin each --repeats 1 --quiet
exits_with 2 "a way to pin that is none" exec small.json --pin tight
err_like "says what there is" 'none, cores, each'
sed 's/"edges": \[/"exec": {"digset": true}, "edges": [/' small.json >bad.json
exits_with 78 "an exec key that is none" check bad.json
err_like "names the nearest" 'bad.json.*digset.*digest'
finish
