# What run and rank print and keep: one JSON document, the same bytes for any number of threads, and a store that is
# whole or not there.
. "$abs_srcdir/tests/golden/lib.sh"

ln -s "$abs_srcdir/scenarios" scenarios
one=scenarios/01-one-stage.json
cat >two.json <<'END'
{ "name": "two", "unit": "sample", "workload": {"closed": {"in_flight": "max"}},
  "resources": {"p": {"kind": "cores", "price": "2usd/h"}, "q": {"kind": "cores", "count": 2}},
  "stages": [
    {"name": "a", "owner": "left", "model": "operators", "on": {"cpu": "p"}, "params": {"ops": [{"name": "x", "cpu": {"exponential": "30ms"}}]}},
    {"name": "b", "owner": "right", "model": "operators", "on": {"cpu": "q"}, "params": {"ops": [{"name": "x", "cpu": {"exponential": "40ms"}}]}} ],
  "optimizations": [ {"name": "a-fast", "set": {"a.ops[0].cpu": "15ms"}}, {"name": "b-wide", "set": {"b.workers": 2}} ] }
END

one_document() { # description, file
    if command -v jq >/dev/null; then
        ok "$1" sh -c "test \"\$(jq -s length '$2')\" = 1"
    else
        skip "$1" "no jq"
    fi
}

exits_with 0 "run" run $one --replications 4
out_like "run shows the throughput with its interval" 'throughput +0\.[89].*±.* %'
out_like "and the limit" 'the limit is arrivals'
is "run says nothing on stderr" "$(cat "$err")" ""
for command in run rank bound; do
    exits_with 0 "$command --json" $command two.json --json --replications 3 --seed 7 --threads 1
    one_document "$command --json is one document" "$out"
    out_like "$command --json says what it is" '"format": "foresight.result"'
    cp "$out" first
    exits_with 0 "$command --json with two threads" $command two.json --json --replications 3 --seed 7 --threads 2
    ok "$command: the same bytes with two threads" cmp first "$out"
    exits_with 0 "$command --json again" $command two.json --json --replications 3 --seed 7
    ok "$command: the same bytes again" cmp first "$out"
done
exits_with 0 "run with another seed" run two.json --json --replications 3 --seed 8
ok "has other bytes" sh -c "! cmp -s first '$out'"
exits_with 0 "run --timing" run two.json --json --timing --replications 2
out_like "adds the wall time" '"wall_s"'
exits_with 0 "rank" rank two.json --replications 3
out_like "rank shows both gains" 'b-wide +2\.000x +1\.[0-9]+x.*helps'
out_like "and says why" 'the limit moves from b to a'
exits_with 4 "a precision that is not reached" run $one --replications 4 --precision 0.000001
out_like "shows the results all the same" 'throughput'
err_like "and says so" 'precision'
exits_with 77 "a cap" run $one --replications 2 --max-events 1000
out_like "shows partial results" 'throughput'
err_like "names the cap" 'max-events'

# ------------------------------------------------------------------ a simulated run as a trace
exits_with 0 "run --trace" run two.json --store drawn.db --set horizon.items=20 --set a.workers=2 --replications 2 --trace drawn
out_like "says where the spans are" '40 spans of replication 0 are in trace 1$'
exits_with 0 "run --trace --json" run two.json --store drawn.db --set horizon.items=20 --replications 2 --json --trace drawn
out_like "names the trace" '"trace_id": 2'
exits_with 0 "trace list" trace list --store drawn.db
out_like "shows what kind it is" '2  simulated .* 40 .*drawn'
out_like "and of what" 'a simulation of the scenario two, replication 0'
exits_with 0 "trace export" trace export latest:simulated --store drawn.db --format chrome
out_like "draws a process per stage" '"process_name","pid":1,"tid":0,"args":\{"name":"a"\}'
out_like "and a slice per piece" '"ph":"X","name":"operators","pid":1,"tid":1,"ts":'
exits_with 0 "trace export again" trace export 2 --store drawn.db --format csv
cp "$out" drawn.csv
exits_with 0 "run --trace with two threads" run two.json --store drawn.db --set horizon.items=20 --replications 2 --threads 2 --trace drawn
exits_with 0 "trace export" trace export 3 --store drawn.db --format csv
ok "the same spans with two threads" cmp drawn.csv "$out"
exits_with 2 "no execution" trace show latest:exec --store drawn.db
err_like "was made by it" 'latest:simulated'
exits_with 2 "fit refuses it" fit station --trace drawn --store drawn.db
err_like "and says why" 'trace 3, which "drawn" means, was simulated'

# ------------------------------------------------------------------ what was kept
exits_with 0 "runs list" runs list
out_like "lists the ranking" ' rank +two '
exits_with 0 "runs list --json" runs list --json
one_document "runs list --json is one document" "$out"
exits_with 0 "runs show" runs show latest:rank
out_like "shows the document" '"command": "rank"'
exits_with 0 "runs rm" runs rm 1
exits_with 2 "a result that is gone" runs show 1
err_like "is said to be" '"1"'
exits_with 2 "runs without a number" runs show
exits_with 0 "doctor" doctor
out_like "finds the store sound" 'sound|ok'
exits_with 0 "trace list" trace list
is "has nothing to show yet" "$(cat "$out")" ""
exits_with 2 "trace show of nothing" trace show latest
for command in "runs list" "trace list" "runs show 1"; do
    exits_with 66 "$command without a store" $command --store none.db
    err_like "$command names it" 'none.db'
done
FORESIGHT_STORE=elsewhere.db "$FORESIGHT" run $one --replications 2 >/dev/null 2>&1
ok "FORESIGHT_STORE is used" test -s elsewhere.db

# ------------------------------------------------------------------ stores that cannot be written
exits_with 74 "a store in a folder that is not there" run $one --replications 2 --store nowhere/x.db
out_like "the results are printed all the same" 'throughput'
err_like "and the store is named" 'nowhere/x.db'
echo "this is a text" >text.db
exits_with 74 "a store that is something else" run $one --replications 2 --store text.db
is "is left as it is" "$(cat text.db)" "this is a text"

# A disk that is full: writes beyond a limit fail, the program goes on.
full() { # blocks of 512 bytes, command
    blocks=$1
    shift
    { (
        trap '' XFSZ
        ulimit -f "$blocks"
        "$FORESIGHT" "$@" 2>"$err"
        echo $? >status
    ) | cat >"$out"; }
    status=$(cat status)
}
full 8 run $one --replications 2 --store full.db
is "a new store on a full disk: exit status" "$status" 74
out_like "a new store on a full disk: results are printed" 'throughput'
exits_with 0 "afterwards there is room: run" run $one --replications 2 --store full.db
exits_with 0 "the store is sound" doctor --store full.db
exits_with 0 "the store holds one result" runs list --store full.db
is "exactly one" "$(grep -c one-stage "$out")" 1
full 8 rank two.json --replications 2 --store full.db --json
is "an old store on a full disk: exit status" "$status" 74
one_document "an old store on a full disk: the document is printed" "$out"
exits_with 0 "the store is still sound" doctor --store full.db
exits_with 0 "what was in it is in it" runs list --store full.db
is "and nothing else" "$(grep -c . "$out")" 1

if test -w /dev/full; then
    for command in "run $one --replications 2" "run $one --replications 2 --json" "bound $one" "models" "models --json" "help" \
        "--version" "graph $one" "rank two.json --replications 2 --json" "runs list"; do
        "$FORESIGHT" $command >/dev/full 2>"$err"
        is "onto a full disk: $command" "$?" 74
    done
else
    skip "onto a full disk" "no /dev/full"
fi

# ------------------------------------------------------------------ reports
exits_with 0 "report" report two.json -o two.html --replications 2
ok "is written" grep -q '</html>' two.html
ok "nothing is left beside it" sh -c "! ls | grep -E 'two\.html.+|\.part|\.tmp'"
mkdir empty
PATH=$folder/empty "$FORESIGHT" report two.json -o plain.html --replications 2 >"$out" 2>"$err"
is "report without gnuplot: exit status" "$?" 69
ok "is written all the same" grep -q '</html>' plain.html
err_like "says what is missing" 'gnuplot is not installed'
exits_with 0 "report as Markdown" report two.json -o two.md --replications 2
ok "has headings" grep -q '^#' two.md
exits_with 2 "a report of an unknown kind" report two.json -o two.docx
err_like "names the kinds" '\.html, \.md or \.pdf'
exits_with 66 "a report into a folder that is not there" report two.json -o nowhere/two.html
finish
