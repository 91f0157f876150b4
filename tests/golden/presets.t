# Presets fitted from public recordings are fitted again, where the recordings are, and come out the same.
. "$abs_srcdir/tests/golden/lib.sh"

# Words must agree, numbers to a thousandth: other compilers and machines round otherwise.
same() {
    awk 'function split_words(line, w) { gsub(/[][{}:,"]/, " ", line); return split(line, w, " ") }
         NR == FNR { kept[FNR] = $0; next }
         /^ *"date"/ { next }
         { n = split_words($0, a); m = split_words(kept[FNR], b)
           if (n != m) { print "line " FNR ": " n " words, were " m; bad = 1; exit }
           for (i = 1; i <= n; i++) {
               number = a[i] ~ /^-?[0-9.]+([eE][-+]?[0-9]+)?$/ && b[i] ~ /^-?[0-9.]+([eE][-+]?[0-9]+)?$/
               d = a[i] - b[i]; most = a[i] < 0 ? -a[i] : a[i]
               if (number ? (d < 0 ? -d : d) > 1e-3 * most + 1e-9 : a[i] != b[i]) { print "line " FNR ": " a[i] " was " b[i]; bad = 1 }
           } }
         END { exit bad }' "$1" "$2"
}

mkdir made
for name in collectives-h100-dgx sweep-turbopuffer spark-tasks-small-shuffles disk-azure-premium-v2-random-8k \
    ops-rtxpro6000-llama-3.1-8b-tp1; do
    kept=$abs_srcdir/models/presets/$name.json
    ok "$name is small" test "$(wc -c <"$kept")" -lt 40960
    ok "$name names its source" grep -q '"source": "..' "$kept"
    ok "$name names its recordings" grep -Eq '"sha256": "[0-9a-f]{64}"' "$kept"
    if test -n "${FORESIGHT_TRACES:-}"; then
        "$abs_srcdir/scripts/make_trace_presets" "$FORESIGHT" "$FORESIGHT_TRACES" made "$name" >/dev/null
        ok "$name is fitted again" same "$kept" "made/$name.json"
    else
        skip "$name is fitted again" "traces not found"
    fi
done
finish
