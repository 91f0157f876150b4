# Help of every command, and what is said to a mistyped one.
. "$abs_srcdir/tests/golden/lib.sh"

commands=$("$FORESIGHT" help | awk '/^  [a-z]/ { print $1 }')
mkdir bin
ln -s "$FORESIGHT" bin/foresight
for part in scenarios models traces; do
    test -e "$abs_srcdir/$part" && ln -s "$abs_srcdir/$part" "$part"
done

exits_with 0 "help" help
out_like "help says how to begin" 'foresight run scenarios/01-one-stage.json'
exits_with 0 "--help" --help
exits_with 0 "--version" --version
out_like "the version is a number" '^foresight [0-9]+\.[0-9]'
exits_with 2 "no command at all shows the overview"
out_like "and names the commands" '^  rank '
for word in run bound check graph exec fit validate replay rank report trace runs doctor models explain help; do
    ok "there is a command $word" sh -c "echo '$commands' | tr ' ' '\n' | grep -qx $word"
done
for c in $commands; do
    exits_with 0 "help $c" help "$c"
    out_like "help $c shows its usage" "^usage: foresight $c "
    out_like "help $c shows the common options" '--store FILE'
    ok "help $c shows two examples" sh -c "test \$(sed -n '/^Examples:/,\$p' $out | grep -c '^  foresight ') -ge 2"
    cp "$out" by-help
    exits_with 0 "$c --help" "$c" --help
    is "$c --help is help $c" "$(cat "$out")" "$(cat by-help)"
done

exits_with 2 "an unknown command" rnak
err_like "suggests the nearest" 'no command "rnak"; did you mean "rank"'
exits_with 2 "help of an unknown command" help rnak
err_like "suggests the nearest too" 'did you mean "rank"'
exits_with 2 "a command far from all" xyzzyplugh
err_like "says where they are listed" 'foresight help'
exits_with 2 "an unknown option" run --sed 3 scenarios/01-one-stage.json
err_like "suggests the nearest option" 'no option --sed; did you mean --set'
exits_with 2 "an option of another command" check --repeats 3 scenarios/01-one-stage.json
err_like "is unknown here" 'no option --repeats'
exits_with 2 "a missing value" run scenarios/01-one-stage.json --seed
err_like "says what is needed" '--seed N'
exits_with 2 "a value that is none" run scenarios/01-one-stage.json --threads many
err_like "names option and value" '--threads many'
exits_with 2 "a value out of range" run scenarios/01-one-stage.json --confidence 2
err_like "names the range" '--confidence 2.*from 0.5'
exits_with 2 "a switch with a value" run scenarios/01-one-stage.json --json=yes
exits_with 2 "a missing argument" run
err_like "shows what is missing" 'foresight run SCENARIO'
exits_with 2 "an argument too many" run scenarios/01-one-stage.json other.json
err_like "names it" 'unexpected argument "other.json"'
ok "usage errors write nothing" test ! -e foresight.db

# Every example of every command that does not execute the pipeline (or need what an execution leaves behind).
for c in $commands; do
    case $c in exec | fit | validate | reconcile | trace | import | init) continue ;; esac
    "$FORESIGHT" help "$c" | sed -n '/^Examples:/,$p' | sed -n 's/^  \(foresight .*\)/\1/p' >examples
    while read -r example; do
        PATH="$folder/bin:$PATH" sh -c "$example" >"$out" 2>"$err" </dev/null
        result $? "example: $example" "$err"
    done <examples
done
ok "the drawing was written" test -s pipeline.svg
ok "the report was written" test -s report.html
finish
