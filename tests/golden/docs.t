#!/bin/sh
# Every command in the documentation works as written.
#
# Taken from README.md, docs/*.md, docs/questions/*.md: lines of indented blocks that begin with "foresight" or
# "$ foresight" (\ continues them, two spaces begin a remark), and the commands in the tables of README.md. They
# run in a folder that holds the sources' scenarios and models and what a reader would bring: recordings of a few
# records, made here under the names that the tutorial uses. A remark "exit status N" says how a command ends.
#
#   run      really, with few replications where replications only make the figures better
#   parsed   what takes long or needs an execution first: the command, its options, the scenario, the edits
#   left     has a placeholder (FILE, NAME, ...), or needs a recording that only the reader of that page has
. "$abs_srcdir/tests/golden/lib.sh"

for part in scenarios models; do
    ln -s "$abs_srcdir/$part" "$part"
done
FORESIGHT_STORE=$folder/docs.db
export FORESIGHT_STORE
unset FORESIGHT_TRACES

# ------------------------------------------------------------------------------------- what a reader brings
# An application of two jobs, a stage of eight tasks each, on two executors of two cores.
spark_log() {
    echo '{"Event":"SparkListenerApplicationStart","App Name":"nightly","Timestamp":0}'
    for e in 1 2; do
        echo '{"Event":"SparkListenerExecutorAdded","Timestamp":100,"Executor ID":"'$e'","Executor Info":{"Host":"h'$e'","Total Cores":2}}'
    done
    for s in 0 1; do
        at=$((1000 + s * 10000))
        echo '{"Event":"SparkListenerJobStart","Job ID":'$s',"Submission Time":'$at',"Stage Infos":[{"Stage ID":'$s',"Parent IDs":[]}]}'
        for t in 0 1 2 3 4 5 6 7; do
            from=$((at + t / 4 * 2100))
            echo '{"Event":"SparkListenerTaskEnd","Stage ID":'$s',"Stage Attempt ID":0,"Task Type":"ResultTask","Task End Reason":{"Reason":"Success"},"Task Info":{"Task ID":'$((s * 8 + t))',"Index":'$t',"Attempt":0,"Launch Time":'$from',"Executor ID":"'$((t % 2 + 1))'","Locality":"ANY","Speculative":false,"Finish Time":'$((from + 2000 + t))'},"Task Metrics":{"Executor Run Time":'$((1950 + t))',"Executor CPU Time":1900000000,"JVM GC Time":0,"Input Metrics":{"Bytes Read":1000000,"Records Read":1000}}}'
        done
        echo '{"Event":"SparkListenerStageCompleted","Stage Info":{"Stage ID":'$s',"Stage Attempt ID":0,"Stage Name":"count","Number of Tasks":8,"Submission Time":'$at',"Completion Time":'$((at + 4200))'}}'
        echo '{"Event":"SparkListenerJobEnd","Job ID":'$s',"Completion Time":'$((at + 4300))',"Job Result":{"Result":"JobSucceeded"}}'
    done
    echo '{"Event":"SparkListenerApplicationEnd","Timestamp":15400}'
}

# Five steps of 10 ms: 3 ms waiting for the loader, 5 ms of kernels.
profile() {
    echo '{"traceEvents": ['
    for i in 0 1 2 3 4; do
        t=$((i * 10000))
        echo "{\"ph\": \"X\", \"cat\": \"user_annotation\", \"name\": \"ProfilerStep#$i\", \"pid\": 1, \"tid\": 1, \"ts\": $t, \"dur\": 10000},"
        echo "{\"ph\": \"X\", \"cat\": \"user_annotation\", \"name\": \"enumerate(DataLoader)#_SingleProcessDataLoaderIter.__next__\", \"pid\": 1, \"tid\": 1, \"ts\": $t, \"dur\": 3000},"
        echo "{\"ph\": \"X\", \"cat\": \"kernel\", \"name\": \"gemm\", \"pid\": 0, \"tid\": 7, \"ts\": $((t + 3000)), \"dur\": 5000},"
    done
    echo '{"ph": "M", "name": "process_name", "pid": 1, "tid": 0, "ts": 0, "args": {"name": "python"}}]}'
}

# A minute of requests, two a second.
requests() {
    echo TIMESTAMP,ContextTokens,GeneratedTokens
    awk 'BEGIN { for (i = 0; i < 120; i++)
        printf "2023-11-16 18:15:%02d.%07d,%d,%d\n", int(i / 2), i % 2 * 5000000, 300 + i * 37 % 900, 20 + i * 13 % 200 }'
}
spark_log >eventlog
profile >worker0.pt.trace.json
requests >code.csv
awk 'BEGIN { print "ts,took"; for (i = 0; i < 100; i++) print i * 0.7 "," 1 + i % 3 }' >requests.csv

# ---------------------------------------------------------------------------------------- what is written
# FILE:LINE<tab>COMMAND<tab>REMARK
commands_of() {
    awk -v page="${1#"$abs_srcdir"/}" -v OFS='\t' '
        function emit(text) {
            remark = ""
            if (match(text, /   */)) {
                remark = substr(text, RSTART + RLENGTH)
                text = substr(text, 1, RSTART - 1)
            }
            print page ":" at, text, remark
        }
        more != "" || /^    (\$ )?foresight / {
            if (more == "")
                at = NR
            line = $0
            sub(/^ *(\$ )?/, "", line)
            more = more line
            if (sub(/ *\\$/, " ", more))
                next
            emit(more)
            more = ""
            next
        }
        page == "README.md" && /^\|/ {
            at = NR
            line = $0
            while (match(line, /`foresight [^`]*`/)) {
                command = substr(line, RSTART + 1, RLENGTH - 2)
                line = substr(line, RSTART + RLENGTH)
                emit(command)
            }
        }' "$1"
}
for page in "$abs_srcdir"/README.md "$abs_srcdir"/docs/*.md "$abs_srcdir"/docs/questions/*.md; do
    commands_of "$page"
done >commands
ok "the documentation holds commands" test "$(wc -l <commands)" -ge 60

# ------------------------------------------------------------------------------------------- how to try it
# Is a placeholder in it: a word of capitals that is no value (as in --format JSON there are none)?
has_placeholder() {
    echo "$1" | grep -Eq '(^|[ =])\[?[A-Z][A-Z_]+(\.\.\.|\.[A-Z]+)?(\]|\||$| )'
}

# The files it reads that are not here: recordings, and what was made of them.
missing_files() {
    for word in $1; do
        case $word in
        -* | *=* | *://*) ;;
        *.json | *.jsonl | *.csv | *.gz | *.log | *.db | *.png | *.txt) test -e "$word" || echo "$word" ;;
        esac
    done | grep -Fvx -e "$(echo "$1" | sed -n 's/.* \(-o\|--output\|--save-data\) \([^ ]*\).*/\2/p')" | head -1
}

# Replications make figures better, not the command more right.
with_few_replications() {
    case $1 in
    *--replications* | *--precision*) echo "$1" ;;
    foresight\ run\ * | foresight\ whatif\ * | foresight\ rank\ * | foresight\ diff\ * | foresight\ init\ --from*)
        echo "$1 --replications 2 --uncertainty none" ;;
    *) echo "$1" ;;
    esac
}

takes_long() {
    case $1 in
    "foresight exec "* | "foresight validate "* | "foresight replay"* | "foresight search "* | "foresight report "*) return 0 ;;
    "foresight fit "* | "foresight reconcile "* | "foresight trace "*) return 0 ;; # of what was executed or recorded
    "foresight plan scenarios/llm-serving.json "*) return 0 ;;
    "foresight rank scenarios/"*) ! echo "$1" | grep -Eq 'quickstart|loader-sizing' ;;
    *) return 1 ;;
    esac
}

# parsed COMMAND...: its words, as the shell splits them
parsed() {
    shift
    name=$1
    "$FORESIGHT" help "$name" >help 2>&1 || { cat help; return 1; }
    shift
    scenario= edits=
    while test $# -gt 0; do
        case $1 in
        -o) set -- --output "$@" ;;
        --*)
            option=${1%%=*}
            grep -Eq "^  $option( |\$)" help || { echo "foresight $name has no option $option"; return 1; }
            case $option in
            --set | --apply) edits="$edits $option $2" ;;
            --rules) edits="$edits $option" ;;
            esac
            ;;
        scenarios/*.json) scenario=$1 ;;
        esac
        case $1 in --output) shift ;; esac
        shift
    done
    test -z "$scenario" || "$FORESIGHT" check "$scenario" $edits >/dev/null
}

try() {
    where=$1 command=$2 remark=$3
    expected=$(echo "$remark" | sed -n 's/.*exit status \([0-9]*\).*/\1/p')
    if has_placeholder "$command"; then
        skip "$where: $command" "left: has a placeholder"
        return
    fi
    absent=$(missing_files "$command")
    case $absent in
    scenarios/*) result 1 "$where: $command: there is no $absent" && return ;;
    ?*)
        eval "parsed $command" >"$err" 2>&1
        result $? "$where: parsed, lacking $absent: $command" "$err"
        return
        ;;
    esac
    if takes_long "$command"; then
        eval "parsed $command" >"$err" 2>&1
        result $? "$where: parsed: $command" "$err"
        return
    fi
    (
        foresight() { "$FORESIGHT" "$@"; }
        eval "$(with_few_replications "$command")"
    ) >"$out" 2>"$err" </dev/null
    test $? -eq "${expected:-0}"
    result $? "$where: $command" "$err"
}

tab=$(printf '\t')
while IFS=$tab read -r where command remark; do
    try "$where" "$command" "$remark"
done <commands
finish
