# The serving side from the command line: scenarios that are shipped, calls that are refused, presets that resolve.
. "$abs_srcdir/tests/golden/lib.sh"

mkdir scenarios
cp "$abs_srcdir"/scenarios/*.json scenarios/
for name in rag-serving rag-rounds agent-tools rag-full; do
    exits_with 0 "$name is a scenario" check "scenarios/$name.json"
done

cat >two-step.json <<'END'
{ "name": "two-step-rag", "unit": "request", "horizon": "steady",
  "workload": {"clients": {"count": 8, "think": "0s"}},
  "resources": {"cpu0": {"kind": "cores", "count": 1}, "cpu1": {"kind": "cores", "count": 1}},
  "stages": [ {"name": "ask", "model": "prompt", "params": {"graph": "retrieve_each_round", "rounds": 2, "prompt_tokens": 288, "output_tokens": {"uniform": [16, 48]}}, "calls": {"retriever": "search", "llm": "gen"}},
              {"name": "search", "model": "station", "on": {"servers": "cpu0"}, "params": {"service": "1.7ms"}},
              {"name": "gen", "model": "llm_serving", "on": {"gpu": "cpu1"}, "params": {"policy": "vllm", "max_batch": 8,
               "ops": {"prefill": [[96, "20ms"], [288, "63ms"], [544, "122ms"]], "decode": [[1, "4.7ms"], [4, "6.5ms"], [8, "9.7ms"]]}}} ] }
END
exits_with 0 "the example of the manual" run two-step.json --replications 4 --precision 0.05 --json
out_like "goes round twice" '"rounds_mean": \{'
out_like "says what limits it" '"bottleneck": "cpu1"'
cp "$out" first
exits_with 0 "on three threads" run two-step.json --replications 4 --precision 0.05 --json --threads 3
is "the same bytes" "$(cat "$out")" "$(cat first)"

sed 's/"retriever": "search", //' two-step.json >no-retriever.json
exits_with 78 "a graph that retrieves needs a retriever" check no-retriever.json
err_like "names the stage and the call" '"ask".*"calls": \{"retriever"'
sed 's/"retriever":/"retreiver":/' two-step.json >misspelt.json
exits_with 78 "a call the model does not make" check misspelt.json
err_like "suggests the nearest" 'did you mean "retriever"'
sed 's/"rounds": 2/"rounds": 2, "evidence": [[5, 0.5], [2, 0.7]]/' two-step.json >unsorted.json
exits_with 78 "knots out of order" check unsorted.json
err_like "names the knot" 'evidence\[1\].*rising x'
sed 's/"rounds": 2/"rounds": 2, "evidence": "evidence-nq-dpr", "hops": 1, "p_all": 0.8/' two-step.json >preset.json
exits_with 0 "a curve from a preset" run preset.json --replications 2 --precision 0.2 --json
out_like "says how good answers are" '"quality_unit": "answer_accuracy"'
finish
