# A small real execution, and the commands that look at what it left behind.
. "$abs_srcdir/tests/golden/lib.sh"

ln -s "$abs_srcdir/scenarios" scenarios
sed 's/"rows": [0-9]*/"rows": 8192/; s/"partition_rows": [0-9]*/"partition_rows": 4096/; s/"epochs": [0-9]*/"epochs": 1/;
     s/"items": [0-9]*/"items": 8192/; s/"stripe_rows": [0-9]*/"stripe_rows": 2048/' scenarios/quickstart.json >small.json

exits_with 2 "fit without a profile" fit small.json
err_like "says what comes first" 'no profile of "quickstart".*foresight exec --profile small.json'
exits_with 2 "validate without a calibration" validate small.json
err_like "says what comes first" 'foresight exec --profile'
exits_with 0 "exec" exec small.json --repeats 1 --json --quiet
out_like "exec measures a throughput" '"throughput_per_s"'
exits_with 0 "trace list" trace list
out_like "lists the execution" 'exec .* quickstart'
exits_with 0 "trace show" trace show latest:exec
out_like "shows the operators" 'prep +hash'
exits_with 0 "trace show --json" trace show latest:exec --json
out_like "as JSON" '"op": "hash"'
exits_with 0 "trace export as CSV" trace export latest:exec
out_like "with a header" '^stage,|^[a-z_]+,.*stage'
exits_with 0 "trace export for the browser" trace export latest:exec --format chrome -o trace.json
ok "is written" grep -q traceEvents trace.json
ok "nothing is left beside it" sh -c "! ls | grep -E 'trace\.json.+'"
exits_with 2 "an unknown format" trace export latest:exec --format xml
err_like "names the known ones" 'csv and chrome'
exits_with 66 "an export into a folder that is not there" trace export latest:exec -o nowhere/x.csv
if test -w /dev/full; then
    "$FORESIGHT" trace export latest:exec >/dev/full 2>"$err"
    is "an export onto a full disk" "$?" 74
fi
exits_with 0 "trace rm" trace rm latest:exec
exits_with 2 "what was removed is gone" trace show latest:exec
exits_with 2 "an unknown verb" trace shwo
finish
