# Retrieval is really executed, and what has no twin is refused with the reason.
. "$abs_srcdir/tests/golden/lib.sh"

ln -s "$abs_srcdir/scenarios" scenarios
small="--repeats 1 --set search.vectors=3000 --set horizon.items=12 --set gen.model.layers=1"

refused() {
    exits_with 78 "$1: refused" exec scenarios/local-rag.json --repeats 1 --set "$2"
    err_like "$1: with the reason" "$3"
}
refused "an engine without memory" gen.kv_blocks=4 'kv_blocks: 4; the longest prompt with its answer takes [0-9]+ tokens'
refused "hosted models' indexes" search.index=hosted 'the executor has flat, ivf and hnsw'
refused "fewer neighbours than passages" search.k=2 'k: 2 neighbours; a prompt takes 3'
refused "blocks of two sizes" ask.block_tokens=8 'the engine.s blocks hold 16 tokens'
refused "static batches" gen.policy=static 'the executor runs vllm, orca and chunked'

"$FORESIGHT" exec scenarios/local-rag.json $small >/dev/null 2>"$err" </dev/null
if grep -q 'without FAISS' "$err"; then
    ok "without FAISS the package is named" grep -q libfaiss-dev "$err"
    skip "retrieval is executed" "built without FAISS"
    finish
fi
exits_with 0 "retrieval is executed" exec scenarios/local-rag.json $small
out_like "with its quality" '^  quality +(0|1)'
out_like "brute force misses nothing" '^  recall +1$'
out_like "a stage without a thread has no shares" '^  ask +prompt +- +- +-$'
exits_with 0 "another index" exec scenarios/local-rag.json $small --apply ivf --json
ok "the same questions, each once" grep -Eq '"name": *"search"' "$out"
exits_with 0 "the prompt of a round begins with the one before" exec scenarios/local-rag.json $small --apply prefix-cache
out_like "and is found again" '^  prefix_hit_frac +0\.[1-9]'
finish
