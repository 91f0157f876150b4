#!/bin/sh
# foresight import: what it prints, what it refuses, what another run finds.
. "$abs_srcdir/tests/golden/lib.sh"

cat >arrivals.csv <<'CSV'
TIMESTAMP,ContextTokens,GeneratedTokens
2023-11-16 18:15:46.6805900,374,44
2023-11-16 18:15:50.9951690,396,109
yesterday,1,1
CSV
cat >ops.csv <<'CSV'
op,tokens,batch,chunk,context,time_s
prefill,512,1,512,0,0.041
decode,8,8,,1024,0.0097
CSV

exits_with 0 "two formats in one command" import arrivals.csv ops.csv --json
sed 's/"version": ".*"/"version": "V"/' "$out" >got.json
cat >expected.json <<'JSON'
{
  "format": "foresight.result",
  "format_version": "1.0",
  "command": "import",
  "version": "V",
  "files": [
    {
      "file": "arrivals.csv",
      "format": "azure-llm",
      "read": 3,
      "kept": 2,
      "skipped": [
        {
          "why": "no point in time such as 2023-11-16 18:15:46.6805900",
          "count": 1,
          "first_line": 4
        }
      ],
      "trace_id": 1,
      "suspect": [],
      "trace": "arrivals",
      "rows": 2,
      "already_stored": false,
      "unknown_keys": []
    },
    {
      "file": "ops.csv",
      "format": "llm-ops",
      "read": 2,
      "kept": 2,
      "skipped": [],
      "trace_id": 2,
      "suspect": [],
      "trace": "ops",
      "rows": 2,
      "already_stored": false,
      "unknown_keys": []
    }
  ]
}
JSON
ok "the document is byte for byte the one expected" diff expected.json got.json

exits_with 0 "the same file again is not taken in twice" import arrivals.csv
out_like "and says so" 'arrivals.csv: azure-llm, 2 of 3 records kept, trace 1 "arrivals" \(already in the store\)'
exits_with 0 "the traces are in the list" trace list
out_like "with what each is" '2 requests over 4.315 s'

exits_with 65 "strict refuses a malformed record" import arrivals.csv --strict --anonymize
err_like "with file, line and column" 'arrivals.csv:4:1: no point in time'
exits_with 66 "no such file" import missing.csv
err_like "by name" 'missing.csv: no such file'
echo hello >unknown.txt
exits_with 65 "a file of no known format does not keep the others out" import unknown.txt ops.csv
err_like "and is named" 'unknown.txt:1: no known trace format'
out_like "the other one was taken in" 'ops.csv: llm-ops'
exits_with 2 "an unknown format" import ops.csv --format llmops
err_like "with the nearest name" 'did you mean "llm-ops"'
exits_with 2 "one name for two files" import ops.csv arrivals.csv --name x

gzip -c ops.csv >packed.bin
exits_with 0 "gzip is known by its first bytes" import packed.bin --name mine
out_like "under the name given" '2 of 2 records kept, trace [0-9]+ "mine"'

printf 'when,size\n1500,7\n' >own.csv
exits_with 0 "any CSV by a map" import own.csv --map 'requests: arrival_s = when ms, input_tokens = size'
out_like "as format csv" 'own.csv: csv, 1 of 1'
exits_with 0 "the store is sound" doctor
out_like "says the doctor" 'soundness +ok'

finish
