# Commands that look at one scenario without keeping anything, and what they say to a bad one.
. "$abs_srcdir/tests/golden/lib.sh"

ln -s "$abs_srcdir/scenarios" scenarios
cat >mmc.json <<'END'
{ "name": "mmc", "unit": "request", "horizon": "steady",
  "workload": {"open": {"arrivals": {"exponential": "1s"}}},
  "resources": {"pool": {"kind": "servers", "count": 4}},
  "stages": [ {"name": "desk", "model": "station", "on": {"servers": "pool"}, "params": {"service": {"exponential": "3.2s"}}} ] }
END

exits_with 0 "check accepts what is right" check mmc.json
is "check says what it read" "$(cat "$out")" "mmc.json: ok (1 stages, 1 resources, 0 optimizations)"
exits_with 0 "check --json" check mmc.json --json
out_like "check --json says ok" '"ok": true'
"$FORESIGHT" check - <mmc.json >"$out" 2>"$err"
result $? "check - reads standard input" "$err"
exits_with 0 "check warns of what nobody measured" check scenarios/quickstart.json
err_like "with the place and the remedy" 'warning: \$\.resources\.host.*the preset is used.*foresight fit'
exits_with 0 "check --quiet" check scenarios/quickstart.json --quiet
is "does not" "$(cat "$err")" ""

exits_with 0 "bound" bound mmc.json
cat >expected <<'END'
mmc: at best 1/s, limited by arrivals

  limit                         at best        per unit
  desk           stage          no limit       3.2 s
  pool           servers        1.25/s         800 ms
END
is "bound shows every limit" "$(cat "$out")" "$(cat expected)"
exits_with 0 "bound --set" bound mmc.json --set resources.pool.count=2 --set 'desk.service={"constant": "4s"}' --json
out_like "bound follows an edit" '"bottleneck": "pool"'
out_like "and says how much" '"throughput_per_s": 0.5,'

exits_with 0 "models" models
out_like "models lists station" '^  station '
exits_with 0 "models station" models station
out_like "models NAME shows its parameters" 'queue_limit.*default -1'
exits_with 2 "a misspelt model" models sttaion
err_like "gets the nearest" 'no model "sttaion"; did you mean "station"'
exits_with 0 "explain" explain dataset.repeat_prob
out_like "explain shows the range" 'from 0% to 100%'
exits_with 2 "a misspelt parameter" explain preprocess.dedpu
err_like "gets the nearest parameter" 'no parameter "dedpu"; did you mean "dedup"'
exits_with 2 "a path that begins with no model" explain prep.workers
err_like "is told how to begin" 'preprocess.workers'

# Every opening tag is closed, in order: enough to call it well formed.
well_formed='
    BEGIN { RS = "<" }
    NR > 1 {
        split($0, part, ">"); tag = part[1]
        if (substr(tag, 1, 1) ~ /[?!]/ || tag ~ /\/$/) next
        name = tag; sub(/[ \n].*/, "", name)
        if (substr(name, 1, 1) == "/") { if (stack[depth--] != substr(name, 2)) bad = 1 }
        else stack[++depth] = name
    }
    END { exit bad || depth != 0 || NR < 5 }'
exits_with 0 "graph" graph scenarios/quickstart.json
out_like "graph draws SVG" '^<svg xmlns='
out_like "graph names the stages" '>prep<'
ok "the SVG is well formed" awk "$well_formed" "$out"
ok "the check for it works" sh -c "! printf '<a><b></a><c/><d/></b>' | awk '$well_formed'"
cat >hostile.json <<'END'
{ "name": "<script>&", "workload": {"open": {"arrivals": "1s"}}, "resources": {"a<b": {"kind": "servers"}},
  "stages": [ {"name": "x\"><script>", "model": "station", "on": {"servers": "a<b"}} ] }
END
exits_with 0 "graph of hostile names" graph hostile.json
ok "is well formed too" awk "$well_formed" "$out"
out_unlike "and no script gets through" '<script'
exits_with 0 "graph -o" graph mmc.json -o mmc.svg
ok "writes a file" grep -q '</svg>' mmc.svg
exits_with 66 "graph into a folder that is not there" graph mmc.json -o nowhere/mmc.svg
err_like "names the file" 'nowhere/mmc.svg'

# What is wrong: exit status, file, place, finding, remedy.
for command in run bound check graph rank report exec fit validate; do
    exits_with 66 "$command of a missing file" "$command" missing.json
    err_like "$command names the missing file" 'missing.json: cannot open: no such file'
done
broken() { # description, sed expression, what is said
    sed "$2" mmc.json >broken.json
    exits_with 78 "$1" check broken.json
    err_like "$1: says so" "$3"
}
broken "a syntax error" '3s/"kind"/kind/' '^foresight: broken\.json:3:'
broken "a misspelt key" 's/"unit"/"uint"/' 'broken\.json: \$: unknown key "uint"; did you mean "unit"\?'
broken "a misspelt model" 's/"station"/"staton"/' '\$\.stages\[0\] \("desk"\): no model "staton"; did you mean "station"'
broken "a misspelt resource" 's/"pool"}/"pol"}/' 'on\.servers: no resource "pol"; did you mean "pool"'
broken "a bad unit" 's/3.2s/3.2 parsecs/' '\$\.stages\[0\]\.params\.service.*3\.2 parsecs'
broken "a negative count" 's/"count": 4/"count": -4/' '\$\.resources\.pool\.count: found -4; it must lie between 1'
broken "no stages" 's/"stages": .*/"stages": [] }/' '\$\.stages'
exits_with 78 "an edit that does not fit" bound mmc.json --set desk.service=fast
err_like "is answered like a file" '\$\.stages\[0\]\.params\.service.*fast'
exits_with 78 "an edit of a stage that is not there" bound mmc.json --set desk2.service=1s
err_like "suggests the nearest stage" 'no stage "desk2"; did you mean "desk"'
exits_with 2 "an edit that is none" bound mmc.json --set desk.service
err_like "shows how to write one" 'PATH=VALUE'
exits_with 2 "an optimization that is not declared" bound mmc.json --apply faster
err_like "is named" 'faster: no such optimization'
ok "nothing was kept" test ! -e foresight.db
finish
