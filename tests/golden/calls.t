# Stages that ask others, and several pipelines, through the front door.
. "$abs_srcdir/tests/golden/lib.sh"

cat >rag.json <<'END'
{ "name": "two-step-rag", "unit": "request", "horizon": "steady",
  "workload": {"clients": {"count": 8, "think": "0s"}},
  "resources": {"cpu0": {"kind": "cores", "count": 1}, "cpu1": {"kind": "cores", "count": 1}},
  "stages": [ {"name": "ask", "model": "prompt", "params": {"graph": "retrieve_each_round", "rounds": 2, "prompt_tokens": 288, "output_tokens": {"uniform": [16, 48]}}, "calls": {"retriever": "search", "llm": "gen"}},
              {"name": "search", "model": "station", "on": {"servers": "cpu0"}, "params": {"service": "1.7ms"}},
              {"name": "gen", "model": "llm_serving", "on": {"gpu": "cpu1"}, "params": {"policy": "vllm", "max_batch": 8,
               "ops": {"prefill": [[96, "20ms"], [288, "63ms"], [544, "122ms"]], "decode": [[1, "4.7ms"], [4, "6.5ms"], [8, "9.7ms"]]}}} ] }
END
exits_with 0 "the reference's third example runs as written" run rag.json --replications 2 --threads 1 --json
out_like "with the time to the first token" '"ttft_s"'
out_like "and per token" '"tpot_s"'
out_like "the called stages are there" '"name": "search"'
cp "$out" one.json
exits_with 0 "on three threads" run rag.json --replications 2 --threads 3 --json
ok "the bytes are the same" cmp "$out" one.json
exits_with 0 "run as text" run rag.json --replications 2
out_like "says what users see" '^  first token '
exits_with 0 "bound" bound rag.json
out_like "bound knows visits" 'limited by cpu1'
exits_with 0 "graph" graph rag.json
out_like "draws who is called in a colour of its own" '#e6f4ea'

broken() { # description, sed expression, what is said
    sed "$2" rag.json >broken.json
    exits_with 78 "$1" check broken.json
    err_like "$1: says so" "$3"
}
broken "a call of nobody" 's/"retriever": "search"/"retriever": "serch"/' 'calls\.retriever: no stage "serch"; did you mean "search"'
broken "a misspelt role" 's/"retriever": "search"/"retreiver": "search"/' 'unknown role "retreiver"; did you mean "retriever"'
broken "a call that is missing" 's/, "llm": "gen"//' 'model "prompt" needs "calls": \{"llm": a stage\}'
broken "a circle" 's/"llm": "gen"}/"llm": "ask"}/' 'calls in a circle: "ask" calls "ask"; each would wait for the other'
broken "a station that calls" 's/"service": "1.7ms"}}/"service": "1.7ms"}, "calls": {"a": "gen"}}/' 'model "station" calls no other stage'

cat >two.json <<'END'
{ "name": "estate", "resources": {"host": {"kind": "cores", "count": 2, "price": "1usd/h", "billing": "elastic"}},
  "pipelines": [
    {"name": "queries", "objective": true, "workload": {"open": {"arrivals": {"exponential": "20ms"}}},
     "stages": [ {"name": "look", "owner": "search", "model": "station", "on": {"servers": "host"}, "params": {"service": "5ms"}} ]},
    {"name": "night", "unit": "row", "horizon": {"items": 500}, "workload": {"closed": {"in_flight": "max"}},
     "stages": [ {"name": "etl", "owner": "data", "model": "operators", "on": {"cpu": "host"}, "params": {"ops": [ {"name": "w", "cpu": "40ms"} ]}} ]} ],
  "optimizations": [ {"name": "faster-etl", "set": {"etl.ops[0].cpu": "20ms"}}, {"name": "faster-look", "set": {"look.service": "4ms"}} ] }
END
exits_with 0 "two pipelines" run two.json --replications 2 --json
out_like "each has its metrics" '"name": "night"'
out_like "and who pays is told" '"owner": "data"'
exits_with 0 "two pipelines as text" run two.json --replications 2
out_like "the other one is beside" 'beside it "night"'
exits_with 0 "bound of two pipelines" bound two.json --json
out_like "bounds each" '"pipelines"'
exits_with 0 "an edit reaches a stage of a pipeline" bound two.json --set etl.workers=2
exits_with 0 "and a pipeline" check two.json --set 'pipelines.night.horizon={"items": 7}'
exits_with 78 "an edit of a pipeline that is not there" check two.json --set pipelines.nigth.unit=row
err_like "suggests the nearest" 'no pipeline "nigth"; did you mean "night"'
exits_with 0 "rank over two pipelines" rank two.json --replications 2 --json
out_like "ranks what helps the other" '"faster-etl"'
exits_with 0 "graph of two pipelines" graph two.json
out_like "draws both" '>etl<'
finish
