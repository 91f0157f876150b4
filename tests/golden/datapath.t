# The scenarios of the data side answer their question on the first screen.
. "$abs_srcdir/tests/golden/lib.sh"

ln -s "$abs_srcdir/scenarios" scenarios

exits_with 0 "what a new label costs" run scenarios/etl-label-experiment.json --replications 2
out_like "in time" 'build_s +3\.[0-9]+ h'
out_like "in bytes" 'written_bytes_per_experiment +24\.0[0-9] TB'
out_like "in dollars" 'storage_usd_per_experiment +1657 usd'
out_like "most of the footprint is duplicates" 'footprint_duplicate_frac +99\.[0-9]%'
exits_with 0 "how to make it cheaper" rank scenarios/etl-label-experiment.json --replications 2
ok "a column beside the table comes first" sh -c "grep -m1 'helps$' '$out' | grep -q '^  column-delta '"

exits_with 0 "how many workers" run scenarios/loader-sizing.json --replications 2
err_like "as many as the bound needs, and why" 'load\.params\.workers: auto: 32; of threads with a core each 20 would do'
exits_with 0 "local or remote" rank scenarios/loader-sizing.json --replications 2
out_like "remote threads" 'remote-32 .*helps'

exits_with 0 "how many remote workers a trainer of eight GPUs needs" run scenarios/rec-training.json --replications 2
err_like "as many as the trainer's demand asks for" 'prep\.params\.workers: auto: 274; with 274 "train" limits'
exits_with 0 "what deduplication gains" rank scenarios/rec-training.json --replications 2
out_like "end to end" '^  recd +1\.6[0-9]+x .*helps'
# Lines end at 80 columns wherever that is.
tr -s ' \n' ' ' <"$out" >unwrapped
ok "in storage, preprocessing and training at once" grep -q \
    'etl -4[0-9] % work -[56][0-9] % bytes, table -50 % work, prep -54 % work, train -38 % work' unwrapped
out_like "three quarters of the workers starve the GPUs" 'workers-378 .*hurts'
ok "flattened features without coalescing wait for seeks" grep -q 'the limit moves from prep to drives' unwrapped

exits_with 0 "where the table lies" rank scenarios/lakehouse-storage.json --replications 2
out_like "more requests at a time hide the latency" '^  more-requests .*helps'
out_like "thirty drives are cheaper and as fast" '^  hard-disks-30 .*helps'

exits_with 0 "what feeds the trainer" rank scenarios/vision-training.json --replications 2
out_like "offload moves the limit" 'the limit moves from host to train'
out_like "more processes on the same threads do nothing" '16-workers .*no effect'

sed 's/"workers": 8, "batch": 16/"workers": 8, "cache_after": "blur", "batch": 16/' scenarios/vision-training.json >random.json
exits_with 78 "a cache behind a random operator is refused" check random.json
err_like "with the reason" 'is or follows the random operator "crop"'
finish
