#!/bin/sh
# Help, manual pages, completion and schema say the same: all are made of the tables that the program reads, and
# this is what notices when one of them is not.
. "$abs_srcdir/tests/golden/lib.sh"

commands=$("$FORESIGHT" help | awk '/^  [a-z]/ { print $1 }')
sorted() { tr ' ' '\n' | sed '/^$/d' | sort; }

"$FORESIGHT" help --completion bash >foresight.bash
"$FORESIGHT" help --completion zsh >_foresight
"$FORESIGHT" help --man -o man >"$out" 2>"$err"
result $? "all manual pages are written" "$err"

# ------------------------------------------------------------------------------------------------ commands
is "completion completes the commands of help" \
    "$(sed -n 's/.*COMPREPLY=.*-W "\(run [^"]*\)".*/\1/p' foresight.bash | sorted)" "$(echo "$commands" | sorted)"
is "and so does that of zsh" \
    "$(sed -n "/^commands=(/,/^)/s/^    '\([a-z]*\):.*/\1/p" _foresight | sorted)" "$(echo "$commands" | sorted)"

for c in $commands; do
    "$FORESIGHT" help "$c" | sed -n 's/^  \(--[a-z-]*\).*/\1/p' | sort >by-help
    "$FORESIGHT" help --man "$c" >page
    sed -n 's/^\.B \(\\-\\-[a-z\\-]*\).*/\1/p' page | tr -d '\\' | sort >by-man
    sed -n "s/^ *$c) options=\"\([^\"]*\)\".*/\1/p" foresight.bash | sorted >by-completion
    ok "$c: its manual page has the options of its help" diff by-help by-man
    ok "$c: completion offers them" diff by-help by-completion
    is "$c: none twice" "$(uniq -d by-help)" ""
    is "$c: the page says what the overview says it does" \
        "$(sed -n '/^\.SH NAME/{n;s/.* \\- //p;}' page | tr -d '\\')" \
        "$("$FORESIGHT" help "$c" | sed -n '3p')"
    ok "$c: the page is among those that are installed" cmp page "man/foresight-$c.1"
    "$FORESIGHT" help "$c" | sed -n '/^Examples:/,$s/^  \(foresight .*\)/\1/p' >examples
    sed -n '/^\.SH EXAMPLES/,$s/^  //p' page | tr -d '\\' >shown
    is "$c: with the examples of its help" "$(grep -Fxvf shown examples)" ""
done

# ---------------------------------------------------------------------------------------------- the scenario
# The schema is printed with two spaces a level: a stack of keys gives every line its path.
cat >paths.awk <<'AWK'
match($0, /^ *"[^"]*": /) {
    depth = (match($0, /[^ ]/) - 1) / 2
    key = $0
    sub(/^ *"/, "", key)
    sub(/": .*/, "", key)
    stack[depth] = key
    path = stack[1]
    for (i = 2; i <= depth; i++)
        if (i in stack && stack[i] != "")
            path = path "/" stack[i]
    print path
}
match($0, /^ *\{/) { # an element of a list has no key
    stack[(match($0, /[^ ]/) - 1) / 2] = "*"
}
AWK
exits_with 0 "the schema" schema
cp "$out" schema.json
awk -f paths.awk schema.json >paths
"$FORESIGHT" help --man scenario | tr -d '\\' >scenario.5

# keys WHERE: what the schema lists there; described WHERE: those of them with a sentence
keys() { sed -n "s,^$1/properties/\([^/]*\)\$,\1,p" paths | sort -u; }
described() { sed -n "s,^$1/properties/\([^/]*\)/description\$,\1,p" paths | sort -u; }
# section TITLE: the keys that foresight-scenario(5) explains under it
section() {
    awk -v title=".SH $1" '/^\.SH/ { inside = $0 == title } inside && /^\.B / { print $2 }' scenario.5 | sort -u
}

sed -n 's,^properties/\([^/]*\)$,\1,p' paths | sort -u >keys
sed -n 's,^properties/\([^/]*\)/description$,\1,p' paths | sort -u >described
section "KEYS OF A SCENARIO" >explained
ok "the schema has keys of a scenario" test "$(wc -l <keys)" -ge 15
ok "scenario: every key is described" diff keys described
ok "scenario: and explained by foresight-scenario(5)" diff keys explained
for of in stage:A\ STAGE resource:A\ RESOURCE pipeline:A\ PIPELINE knob:A\ KNOB; do
    title=${of#*:} of=${of%%:*}
    keys "definitions/$of" >keys
    described "definitions/$of" >described
    section "KEYS OF $title" >explained
    ok "$of: the schema has keys" test -s keys
    ok "$of: every key is described" diff keys described
    ok "$of: and explained by foresight-scenario(5)" diff keys explained
done

# The parameters of every model, whose variants stand in a list in the order of `foresight models`.
models=$("$FORESIGHT" models | awk '/^  [a-z_]+ / { print $1 }')
params=definitions/stage/allOf/'\*'/then/properties/params
keys "$params" >keys
described "$params" >described
ok "models: every parameter is described" diff keys described
for m in $models; do section "PARAMETERS OF $m"; done | sort -u >explained
ok "models: and explained by foresight-scenario(5)" diff keys explained
for m in $models; do
    section "PARAMETERS OF $m" >explained
    "$FORESIGHT" models "$m" --json >model.json
    sed -n '/"params": /,/^  ]/s/^ *"name": "\([^"]*\)".*/\1/p' model.json | sort -u >keys
    ok "$m: foresight models lists what the page explains" diff keys explained
done

# ------------------------------------------------------------------------------------------------- the store
if command -v sqlite3 >/dev/null; then
    "$FORESIGHT" run "$abs_srcdir/scenarios/01-one-stage.json" --replications 2 --store made.db >/dev/null 2>&1
    sqlite3 made.db "SELECT name FROM sqlite_schema WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite_%'" |
        sort >keys
    "$FORESIGHT" help --man store | sed -n 's/^CREATE [A-Z]* "*\([a-z_]*\).*/\1/p' | sort >explained
    ok "the store has tables" test "$(wc -l <keys)" -ge 20
    ok "foresight-store(5) names every table and view" diff keys explained
else
    skip "foresight-store(5) names every table and view" "no sqlite3"
fi

# ---------------------------------------------------------------------------------------- what reads them
if command -v groff >/dev/null; then
    for page in man/*; do
        groff -man -Tascii -ww -z "$page" >warnings 2>&1
        is "groff has nothing to say about $page" "$(head -3 warnings)" ""
    done
else
    skip "manual pages are sound roff" "no groff"
fi
ok "bash takes the completion" bash -n foresight.bash
cat >complete.bash <<'BASH'
. ./foresight.bash
complete_line() { COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _foresight; printf '%s\n' "${COMPREPLY[@]}"; }
complete_line "$@"
BASH
is "bash completes a command" "$(bash complete.bash foresight ra)" rank
is "bash completes an option" "$(bash complete.bash foresight plan --mini)" --minimize
is "bash completes the words an option takes" "$(bash complete.bash foresight run --color al)" always
if command -v zsh >/dev/null; then
    ok "zsh takes its completion" zsh -n _foresight
else
    skip "zsh takes its completion" "no zsh"
fi
finish
