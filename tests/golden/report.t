#!/bin/sh
# foresight report: one file that needs nothing from elsewhere, in three formats, the same bytes each time.
. "$abs_srcdir/tests/golden/lib.sh"
# fontconfig and Pango keep what they know of fonts until the program ends: no leak of ours (make asan)
printf 'leak:libfontconfig\nleak:libpango\n' >.lsan
LSAN_OPTIONS=suppressions=$folder/.lsan:print_suppressions=0${LSAN_OPTIONS:+:$LSAN_OPTIONS}
export LSAN_OPTIONS

cat >two.json <<'JSON'
{ "name": "two", "unit": "request", "horizon": {"items": 2000}, "workload": {"clients": {"count": 8, "think": "100ms"}},
  "assumed": {"stages.b.params.service": "a guess"},
  "resources": {"p": {"kind": "cores", "count": 2, "price": "1usd/h"}, "q": {"kind": "gpus", "price": "2usd/h"}},
  "stages": [
    {"name": "a", "owner": "left", "model": "station", "on": {"servers": "p"}, "params": {"service": {"exponential": "30ms"}}},
    {"name": "b", "owner": "right", "model": "station", "on": {"servers": "q"}, "params": {"service": {"exponential": "40ms"}}} ],
  "optimizations": [
    {"name": "faster-a", "set": {"a.service": "15ms"}},
    {"name": "wider-b", "set": {"resources.q.count": 2}},
    {"name": "cheaper", "set": {"resources.p.count": 1}} ] }
JSON
have_gnuplot=$(command -v gnuplot)
quick="--replications 2"

if test -z "$have_gnuplot"; then
    skip "reports with plots" "gnuplot is not installed"
    finish
fi

# ------------------------------------------------------------------ one file
exits_with 0 "HTML" report two.json -o two.html $quick --save-data data
for section in pipeline ranking owners build front load time sensitivity cost validation provenance; do
    ok "section: $section" grep -q "<section id=\"$section\">" two.html
done
is "twelve plots at least, each in a wide and a narrow form" \
    "$(test "$(grep -c '<svg class="plot wide-form"' two.html)" -ge 11 && grep -c '<svg class="plot narrow"' two.html)" \
    "$(grep -c '<svg class="plot wide-form"' two.html)"
is "each with a title for who cannot see it" "$(grep -o '<svg [^>]*>' two.html | grep -vc 'role="img" aria-labelledby=')" 0
is "nothing is loaded: no script, no source, no address" \
    "$(grep -Ec '<script|<img|<link|<iframe|src=|@import|url\(|https?:' two.html)" 0
is "links stay inside" "$(grep -o "href=[\"'][^#]" two.html | wc -l)" 0
is "no id stands twice" "$(grep -o " id=[\"'][^\"']*" two.html | sort | uniq -d | wc -l)" 0
ok "dark as well" grep -q 'prefers-color-scheme:dark' two.html
is "no colour of gnuplot's own is left" "$(grep -c 'rgb(' two.html)" 0
ok "the knee is named" grep -q 'knee of the load curve' two.html
ok "under 2 MB" test "$(wc -c <two.html)" -le 2000000
is "data of as many plots as there are" "$(ls data | wc -l)" "$(grep -c '<svg class="plot wide-form"' two.html)"
ok "with a head" grep -q '^series,row,x,value,lo,hi,pred_lo,pred_hi$' data/01-local-and-whole.csv
ok "and rows" grep -q '^"whole pipeline (end to end)","wider-b",,' data/01-local-and-whole.csv

# ------------------------------------------------------------ the same bytes
exits_with 0 "once more" report two.json -o again.html $quick
ok "HTML: the same bytes" cmp two.html again.html
exits_with 0 "from an empty store" report two.json -o fresh.html $quick --store other.db --threads 1
ok "simulated again, on one thread: the same bytes" cmp two.html fresh.html
exits_with 0 "Markdown" report two.json -o two.md $quick
"$FORESIGHT" report two.json -o again.md $quick >/dev/null
ok "Markdown: the same bytes" cmp two.md again.md
ok "Markdown has the sections too" grep -q '^## What the result hangs on' two.md
"$FORESIGHT" report two.json -o two.pdf $quick >"$out" 2>"$err"
case $? in
0)
    sleep 1 # a clock in the file would have moved
    "$FORESIGHT" report two.json -o again.pdf $quick >/dev/null
    ok "PDF: the same bytes" cmp two.pdf again.pdf
    ok "is a PDF" grep -aq '^%PDF-1' two.pdf
    ;;
69)
    err_like "without the libraries it names their packages" 'libpango1.0-dev and librsvg2-dev'
    ok "and writes nothing" test ! -e two.pdf
    ;;
*) is "PDF" "another exit status" "0 or 69" ;;
esac

# ------------------------------------------------------------ stored runs
exits_with 0 "a stored run" report latest:run -o run.html
ok "shows what is known of its scenario" grep -q 'wider-b' run.html
exits_with 0 "runs side by side" report latest:run two.json -o both.html --set a.service=10ms $quick
ok "both are there" grep -q '2: two' both.html
ok "as multiples of the first" grep -q 'as a multiple of run 1' both.html
exits_with 2 "a run that is not there" report 4711 -o none.html
exits_with 74 "data where no folder can be" report two.json -o two.html $quick --save-data two.json/data

# ------------------------------------------------------------ in characters
for command in "run two.json" "rank two.json"; do
    exits_with 0 "$command --plot term" $command $quick --plot term
    ok "draws" grep -q '^ *|\|+---' "$out"
    is "$command: charts fit 80 columns" "$(sed '1,/^Gain of each\|^How busy/d' "$out" | awk 'length > 80' | wc -l)" 0
done
out_like "the optimizations stand at their rows" '^ *wider-b \|'
exits_with 0 "no chart unless asked" run two.json $quick
out_unlike "none" 'How busy the resources are'
exits_with 2 "a plot of another kind" run two.json --plot sixel
err_like "names the kinds" 'none, term'

# ------------------------------------------------------------- in a browser
browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome)
if test -n "$browser"; then
    look() { # width, appearance: what the page logs, and how wide it really is
        sed 's|default-src .none.; ||; s|</body>|<script>document.title=document.documentElement.scrollWidth+" of "+innerWidth</script></body>|' \
            two.html >probe.html
        "$browser" --headless --no-sandbox --disable-gpu --hide-scrollbars --enable-logging=stderr --v=0 \
            --blink-settings=preferredColorScheme=$2 --window-size="$1",900 --dump-dom "file://$folder/probe.html" \
            >dom 2>log
        sed -n 's|.*<title>\([0-9]* of [0-9]*\)</title>.*|\1|p' dom | head -1
    }
    for view in "1280 1" "390 0"; do # on a desk in the light, on a phone in the dark
        set -- $view $(look $view)
        is "browser: no overflow, $1 wide, appearance $2" "$3" "$5"
        is "browser: nothing on the console" "$(grep -c 'CONSOLE' log)" 0
    done
else
    skip "in a browser: no overflow, nothing on the console" "chromium is not installed"
fi
finish
