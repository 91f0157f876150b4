#!/bin/sh
# foresight init --from: a scenario from a recording, and what it says about it.
. "$abs_srcdir/tests/golden/lib.sh"

# Five steps of 10 ms: 3 ms waiting for the loader, 5 ms of kernels.
{
    echo '{"traceEvents": ['
    for i in 0 1 2 3 4; do
        t=$((i * 10000))
        echo "{\"ph\": \"X\", \"cat\": \"user_annotation\", \"name\": \"ProfilerStep#$i\", \"pid\": 1, \"tid\": 1, \"ts\": $t, \"dur\": 10000},"
        echo "{\"ph\": \"X\", \"cat\": \"user_annotation\", \"name\": \"enumerate(DataLoader)#_SingleProcessDataLoaderIter.__next__\", \"pid\": 1, \"tid\": 1, \"ts\": $t, \"dur\": 3000},"
        echo "{\"ph\": \"X\", \"cat\": \"kernel\", \"name\": \"gemm\", \"pid\": 0, \"tid\": 7, \"ts\": $((t + 3000)), \"dur\": 5000},"
    done
    echo '{"ph": "M", "name": "process_name", "pid": 1, "tid": 0, "ts": 0, "args": {"name": "python"}}]}'
} >loop.trace

exits_with 0 "a profile becomes a scenario" init --from loop.trace
out_like "in a file named after it" '^loop.trace.json: a scenario of 2 stages from training steps'
exits_with 2 "a file that exists is not overwritten" init --from loop.trace -o loop.trace.json
err_like "with the way out" 'exists already; --force'
exits_with 0 "elsewhere" init --from loop.trace -o training.json
out_like "what was recorded" 'recorded +100/s'
out_like "what the scenario delivers" 'simulated +100/s'
out_like "that they agree" 'delivers what was recorded'
out_like "what is assumed" 'resources.host.count'
exits_with 0 "the scenario runs" run training.json
out_like "as fast as recorded" 'throughput +100/s'
exits_with 0 "and tells what a loader process would gain" rank training.json
out_like "until the device is the limit" 'loader-process'
exits_with 0 "as a document" init --from loop.trace -o again.json --json
out_like "with the recorded throughput" '"recorded_throughput_per_s"'
out_like "inside the interval" '"inside_interval": true'
ok "the same recording, the same scenario" cmp training.json again.json
exits_with 2 "from nothing" init
err_like "what to give" 'init: from what'
exits_with 2 "a trace that is not there" init --from nowhere -o x.json
err_like "is named" 'nowhere'

finish
