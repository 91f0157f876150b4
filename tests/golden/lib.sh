# Sourced by tests/golden/*.t: a few words for testing the command line, in TAP.
#
#   exits_with 78 "a broken scenario is refused" run bad.json      runs $FORESIGHT, keeps $out and $err (files)
#   out_like "names the stage" '"prep"'                            an extended regular expression, on stdout
#   err_like "suggests a name" 'did you mean'                      the same on stderr
#   is "two runs agree" "$(cat a)" "$(cat b)"
#   ok "the report exists" test -s report.html                     any command
#   skip "gnuplot draws" "no gnuplot"
#   finish                                                         the last line of every test
#
# A test runs in an empty folder of its own, which is removed afterwards.

LC_ALL=C
export LC_ALL
unset FORESIGHT_STORE NO_COLOR
: "${abs_srcdir:?is set by make check}"
test -x "${FORESIGHT:?is set by make check}" || { echo "Bail out! $FORESIGHT is not built"; exit 1; }

folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT
out=$folder/.out
err=$folder/.err
cd "$folder" || exit 1
tests=0

# passed? description [file to show when it failed]...
result() {
    tests=$((tests + 1))
    if test "$1" -eq 0; then
        echo "ok $tests - $2"
        return
    fi
    echo "not ok $tests - $2"
    shift 2
    for shown; do
        sed "s/^/# /; 40q" "$shown"
    done
}

ok() {
    description=$1
    shift
    "$@" >"$folder/.ok" 2>&1
    result $? "$description" "$folder/.ok"
}

is() {
    printf 'got      %s\nexpected %s\n' "$2" "$3" >"$folder/.is"
    test "$2" = "$3"
    result $? "$1" "$folder/.is"
}

exits_with() {
    expected=$1 description=$2
    shift 2
    "$FORESIGHT" "$@" >"$out" 2>"$err" </dev/null
    status=$?
    printf 'exit status %s, expected %s\n' "$status" "$expected" >"$folder/.status"
    test "$status" -eq "$expected"
    result $? "$description" "$folder/.status" "$err"
}

out_like() {
    grep -Eq -e "$2" "$out"
    result $? "$1" "$out"
}

err_like() {
    grep -Eq -e "$2" "$err"
    result $? "$1" "$err"
}

out_unlike() {
    ! grep -Eq -e "$2" "$out"
    result $? "$1" "$out"
}

skip() {
    tests=$((tests + 1))
    echo "ok $tests - $1 # SKIP $2"
}

finish() {
    echo "1..$tests"
    exit 0 # the driver counts the failures by their lines
}
