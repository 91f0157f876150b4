# foresight replay: every case file runs, is scored, and what is missing is said.
. "$abs_srcdir/tests/golden/lib.sh"

recorded=$FORESIGHT_TRACES
unset FORESIGHT_TRACES
cases=$abs_srcdir/scenarios/replay

exits_with 0 "one case" replay pecan-cost --cases "$cases"
out_like "shows measured beside predicted" '414 s, 5 workers +0\.83 +0\.8119'
out_like "says why it is not counted" 'not counted: an identity'
exits_with 0 "the same as JSON" replay pecan-cost --cases "$cases" --json
out_like "is a result document" '"command": "replay"'
cp "$out" first
exits_with 0 "twice" replay pecan-cost --cases "$cases" --json
is "the same bytes" "$(cat "$out")" "$(cat first)"
exits_with 2 "an unknown case" replay pecan-cots --cases "$cases"
err_like "suggests the nearest" 'did you mean "pecan-cost"'
exits_with 66 "a folder that is not there" replay --cases nowhere
err_like "says which option names it" 'nowhere.*--cases'
exits_with 0 "all cases without recordings" replay --cases "$cases" --json
out_like "lists what was skipped" '"why": "traces not found'
exits_with 0 "runs list" runs list
out_like "the results were kept" 'replay'
mkdir broken
sed 's/"usd/"dollars/; s/"kind": "identities"/"kind": "identitys"/' "$cases/pecan-cost.json" >broken/x.json
exits_with 78 "a broken case file" replay --cases broken
err_like "names file and place" 'broken/x.json: \$\.kind.*did you mean "identities"'

if test -n "$recorded"; then
    exits_with 0 "all cases with recordings" replay --cases "$cases" --traces "$recorded" --json
    out_unlike "no recording was missed" '"why": "traces not found'
    out_unlike "nothing failed" '"why": "failed'
    ok "every counted case has figures" sh -c "! grep -q '\"figures_scored\": 0' $out"
else
    skip "all cases with recordings" "traces not found"
fi
finish
