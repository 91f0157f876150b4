#!/bin/sh
# Names are data: 40 of them that would like to be commands, markup, formulas, paths or escape sequences go through
# run, rank and report in all formats.  None of them is executed (a canary file tells), none becomes markup.
. "$abs_srcdir/tests/golden/lib.sh"
# fontconfig and Pango keep what they know of fonts until the program ends: no leak of ours (make asan)
printf 'leak:libfontconfig\nleak:libpango\n' >.lsan
LSAN_OPTIONS=suppressions=$folder/.lsan:print_suppressions=0${LSAN_OPTIONS:+:$LSAN_OPTIONS}
export LSAN_OPTIONS

# As they stand inside JSON strings.
sed "s|CANARY|$folder/canary|g" >payloads <<'LIST'
$(touch CANARY)
`touch CANARY`
; touch CANARY
| touch CANARY
&& touch CANARY
\";system(\"touch CANARY\");\"
'; system('touch CANARY'); '
\"\nsystem \"touch CANARY\"\nset output
!touch CANARY
{/Bold x}{/=99 y}
%n%n%s%s%1000000d
<script>fetch('file://CANARY')</script>
<img src=x onerror=alert(1)>
</title><svg onload=alert(2)>
</text></svg><script>alert(3)</script>
\" onmouseover=\"alert(4)
]]><!ENTITY x SYSTEM 'file:///etc/passwd'>
<!--#exec cmd='touch CANARY'-->
<?xml-stylesheet href='http://evil.example/'?>
javascript:alert(5)
&lt;b&gt;&#60;i&#62;
</style><style>*{display:none}
=cmd|'/c touch CANARY'!A0
+1+1
-2+3
@SUM(1+1)
\u0009=1+1
\u000d=1+1
../../../canary
/etc/passwd
..\\..\\canary
CON.html
\u001b]0;pwned\u0007
\u001b[2J\u001b[31m
\u009b31m
\u202egnp.exe
'); DROP TABLE result; --
%00.html
[link](javascript:alert(6)) ![i](http://evil.example/x)
| a | b |\n|---|\n# h
LIST
is "40 payloads" "$(wc -l <payloads)" 40

awk 'function str(s) { return "\"" s "\"" }
    { p[NR] = $0 }
    END {
        printf "{\"name\": %s, \"unit\": %s, \"horizon\": {\"items\": 200}, \"description\": %s,\n", str(p[1]), str(p[12]), str(p[13])
        printf " \"workload\": {\"closed\": {\"in_flight\": \"max\"}},\n \"resources\": {"
        for (i = 1; i <= NR; i++) printf "%s%s: {\"kind\": \"cores\", \"price\": \"1usd/h\"}", (i > 1 ? ",\n  " : ""), str(p[i])
        printf "},\n \"stages\": ["
        for (i = 1; i <= NR; i++)
            printf "%s{\"name\": %s, \"owner\": %s, \"model\": \"operators\", \"on\": {\"cpu\": %s}, \"params\": {\"ops\": [{\"name\": %s, \"cpu\": \"%dus\"}]}}",
                (i > 1 ? ",\n  " : ""), str(p[i]), str(p[NR + 1 - i]), str(p[i]), str(p[i]), 100 + 7 * i
        printf "],\n \"assumed\": {%s: %s, \"horizon\": %s},\n \"optimizations\": [", str(p[14]), str(p[15]), str(p[16])
        for (i = 0; i < 6; i++) {
            k = 1 + 7 * i
            printf "%s{\"name\": %s, \"about\": %s, \"touches\": [%s], \"set\": {\"resources.host%d.count\": 1}}",
                (i > 0 ? ",\n  " : ""), str(p[k]), str(p[k + 1]), str(p[k]), i
        }
        printf "]}\n"
    }' payloads >hostile.json
# the edits change what is there: a plain resource for each
awk '{ if ($0 ~ /"resources": \{/ && !done) { sub(/"resources": \{/, "\"resources\": {\"host0\": {\"kind\": \"cores\"}, \"host1\": {\"kind\": \"cores\"}, \"host2\": {\"kind\": \"cores\"}, \"host3\": {\"kind\": \"cores\"}, \"host4\": {\"kind\": \"cores\"}, \"host5\": {\"kind\": \"cores\"}, "); done = 1 } print }' \
    hostile.json >x && mv x hostile.json

quick="--replications 2"
exits_with 0 "run" run hostile.json $quick
exits_with 0 "rank" rank hostile.json $quick
exits_with 0 "graph" graph hostile.json -o graph.svg
exits_with 0 "run list" runs list
is "the store still has its results" "$(grep -c . "$out")" 2
if command -v gnuplot >/dev/null; then
    exits_with 0 "report" report hostile.json -o hostile.html $quick --save-data data
    exits_with 0 "with a chart" run hostile.json $quick --plot term
else
    exits_with 69 "report without gnuplot" report hostile.json -o hostile.html $quick
fi
exits_with 0 "as Markdown" report hostile.json -o hostile.md $quick
"$FORESIGHT" report hostile.json -o hostile.pdf $quick >/dev/null 2>&1
is "as PDF: written, or not compiled in" "$(case $? in 0 | 69) echo fine ;; esac)" fine
exits_with 0 "as JSON" rank hostile.json $quick --json

# ------------------------------------------------------------ nothing was run
ok "no canary sings here" test ! -e canary
ok "nor elsewhere" sh -c '! find .. -maxdepth 1 -name "canary*" | grep .'
ok "no file has a name of theirs" sh -c '! ls -A | grep -Ev "^(\.(out|err|status|is|ok|lsan)|payloads|hostile\.(json|html|md|pdf)|graph\.svg|foresight\.db.*|data)$"'

# --------------------------------------------------------------- no markup
for file in hostile.html graph.svg; do
    is "$file: no element of theirs" "$(grep -Eci '<(script|img|iframe|!entity|!--|\?xml-s)' $file)" 0
    is "$file: no handler of theirs" "$(grep -Eo '<[^>]*>' $file | grep -Eci ' on[a-z]+=')" 0
    is "$file: no control characters" "$(LC_ALL=C tr -d '\11\12\40-\377' <$file | wc -c)" 0
done
is "no link leaves the page" "$(grep -Eo "href=[\"'][^#\"'][^\"']*" hostile.html | wc -l)" 0
is "style ends once" "$(grep -c '</style>' hostile.html)" 1
is "no image or link in Markdown" "$(grep -Ec '(^|[^\\])\]\(' hostile.md)" 0
is "no raw HTML in Markdown" "$(grep -Eci '<(script|img|svg|style)' hostile.md)" 0
is "no control characters in Markdown" "$(LC_ALL=C tr -d '\12\40-\377' <hostile.md | wc -c)" 0
ok "the names are all the same there to be read" grep -q '&lt;img src=x onerror=alert(1)&gt;' hostile.html

# ------------------------------------------------------------- spreadsheets
if test -d data; then
    is "no cell begins with a formula" "$(cat data/*.csv | grep -Ec '(^|,)"[=+@-]|(^|,)[=+@]')" 0
    is "no control characters in CSV" "$(cat data/*.csv | LC_ALL=C tr -d '\12\40-\377' | wc -c)" 0
    ok "guarded ones are there" grep -q "\"'=cmd|" data/*.csv
fi

# ---------------------------------------------------------------- terminals
if command -v script >/dev/null; then
    script -qec "$FORESIGHT run hostile.json $quick" /dev/null >typescript </dev/null 2>&1
    ok "on a terminal the table is there" grep -q '2 replications' typescript
    is "and no escape sequence" "$(LC_ALL=C tr -d '\11\12\15\40-\377' <typescript | wc -c)" 0
    is "nor one of eight bits, nor a turn of direction" "$(LC_ALL=C grep -c "$(printf '\302\233\|\342\200\256')" typescript)" 0
else
    skip "on a terminal" "script is not installed"
fi
"$FORESIGHT" run "$(printf 'no\033[31mfile')" >/dev/null 2>"$err"
is "nor in messages" "$(LC_ALL=C tr -d '\12\40-\377' <"$err" | wc -c)" 0
finish
