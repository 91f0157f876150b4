/* A few records of every trace format, written for the tests: small, with the formats' traps in them. */
#ifndef IMPORT_SAMPLES_H
#define IMPORT_SAMPLES_H

struct sample {
    const char *format, *file; /* file: its name tells some formats something */
    const char *text;
    int read, kept;
};

static const struct sample samples[] = {
    {"azure-llm", "azure.csv",
     "TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:15:46.6805900,374,44\n"
     "2023-11-16 18:15:50.9951690,396,109\n",
     2, 2},
    {"burstgpt", "burst.csv",
     "Timestamp,Session ID,Elapsed time,Model,Request tokens,Response tokens,Total tokens,Log Type\n"
     "5,s1,2.5,ChatGPT,472,18,490,Conversation log\n45,s2,,GPT-4,1087,0,1087,API log\n",
     2, 2},
    {"token-lengths", "lengths.csv",
     "num_prefill_tokens,num_decode_tokens,num_total_tokens,pd_ratio\n3772,54,3826,69.85\n", 1, 1},
    {"mooncake", "mooncake.jsonl",
     "{\"timestamp\": 1500, \"input_length\": 6758, \"output_length\": 500, \"hash_ids\": [0, 1, "
     "9007199254740993]}\n"
     "{\"timestamp\": 3000, \"input_length\": 12, \"output_length\": 1, \"hash_ids\": []}\n",
     2, 2},
    {"ragpulse", "rag.jsonl",
     "{\"timestamp\": \"93\", \"input_length\": 3112, \"output_length\": 192, \"hash_ids\": {\"sys_prompt\": "
     "[8302], "
     "\"passages_ids\": [7398, 7370], \"history\": [], \"web_search\": [], \"user_input\": [5]}, "
     "\"session_id\": "
     "\"abc\"}\n"
     "{\"timestamp\": \"82\", \"input_length\": 3, \"output_length\": 1, \"hash_ids\": {\"passages_ids\": "
     "[]}, "
     "\"session_id\": \"d\"}\n",
     2, 2},
    {"ragpulse", "passages.jsonl",
     "{\"passage_id\": 1, \"token_length\": 286}\n{\"passage_id\": 2, \"token_length\": 9}\n", 2, 2},
    {"servegen", "chunk-1-dataset.json",
     "{\"0\": {\"input_tokens\": \"{4: 0.25, 5: 0.75}\", \"output_tokens\": \"{7: 1.0}\"}, \"600\": "
     "{\"input_tokens\": "
     "\"{}\"}}",
     2, 1},
    {"servegen-windows", "chunk-1-trace.csv", "0,8.34,1.35,Gamma,0.54,0.21\n600,0,0,,0,0\n", 2, 2},
    {"vllm-bench", "sweep.jsonl",
     "{\"file\": \"m_conc4.json\", \"model_id\": \"m\", \"num_prompts\": 40, \"max_concurrency\": 4, "
     "\"request_throughput\": 2.0, \"median_ttft\": 7.25, \"total_input_tokens\": 400}\n"
     "{\"file\": \"m_conc8.json\", \"model_id\": \"m\", \"num_prompts\": 40, \"max_concurrency\": 8, "
     "\"request_throughput\": 1.0, \"median_ttft\": 3.6, \"total_input_tokens\": 400}\n",
     2, 2},
    {"vllm-bench", "bench.json",
     "{\n \"model_id\": \"m\", \"num_prompts\": 2,\n \"request_throughput\": 4.5, \"median_ttft_ms\": 20.0,\n"
     " \"p99_e2el_ms\": 900, \"input_lens\": [10, 20], \"output_lens\": [2, 3], \"ttfts\": [0.5, 0.25],\n"
     " \"itls\": [[0.1], [0.1, 0.2]], \"generated_texts\": [\"secret text\", \"x\"]\n}\n",
     1, 1},
    {"llmservingsim-requests", "requests.jsonl",
     "{\"request_id\": \"a\", \"input_toks\": 10, \"output_toks\": 5, \"arrival_time\": 1777142838.5, "
     "\"queued_ts\": 100.0, "
     "\"scheduled_ts\": 100.25, \"first_token_ts\": 100.5, \"last_token_ts\": 101.5}\n"
     "{\"request_id\": \"b\", \"input_toks\": 10, \"output_toks\": 5, \"arrival_time\": 1777142839.5, "
     "\"queued_ts\": "
     "101.0625, \"scheduled_ts\": 101.25, \"first_token_ts\": 101.5, \"last_token_ts\": 102.5}\n",
     2, 2},
    {"llm-ops", "ops.csv",
     "op,tokens,batch,chunk,context,time_s\nprefill,512,1,512,0,0.041\ndecode,8,8,,1024,0.0097\n", 2, 2},
    {"llmservingsim-ops", "dense.csv", "layer,tokens,time_us\nact_fn,1,2.5\nact_fn,2,3\n", 2, 2},
    {"llmservingsim-ops", "attention.csv",
     "prefill_chunk,kv_prefill,n_decode,kv_decode,time_us\n0,0,4,16,8\n256,128,0,0,20\n256,0,4,512,30\n", 3,
     3},
    {"vidur", "mlp.csv",
     "time_stats.emb.min,time_stats.emb.mean,time_stats.emb.std,n_embd,num_tokens,num_tensor_parallel_"
     "workers\n"
     "1,1.5,0.25,4096,8,2\n",
     1, 1},
    {"vidur", "all_reduce.csv",
     ",time_stats.all_reduce.mean,rank,num_workers,size,collective,devices_per_node,max_devices_per_node\n"
     "0,0.05,0,2,2048,all_reduce,1,8\n",
     1, 1},
    {"aiconfigurator", "gemm_perf.csv",
     "framework,version,device,op_name,kernel_source,gemm_dtype,m,n,k,latency,power,power_limit\n"
     "VLLM,0.22,NVIDIA H200,gemm,vllm,bfloat16,128,4096,512,0.25,500,700\n",
     1, 1},
    {"aiconfigurator", "nccl_perf.csv",
     "framework,version,device,op_name,kernel_source,nccl_dtype,num_gpus,message_size,latency\n"
     "TRTLLM,2.27,NVIDIA A100,all_reduce,NCCL,half,8,1024,0.00898\n",
     1, 1},
    {"splitwise", "perf.csv",
     "model,hardware,prompt_size,batch_size,token_size,peak_power,average_power,prompt_time,token_time,e2e_"
     "time,"
     "tensor_parallel\nllama2-70b,a100-80gb,512,2,128,1.0,0.7,196.0,54.5,7168.0,2\n",
     1, 1},
    {"spark", "spark.log",
     "{\"Event\":\"SparkListenerApplicationStart\",\"App Name\":\"secret\",\"Timestamp\":1622043420000}\n"
     "{\"Event\":\"SparkListenerExecutorAdded\",\"Timestamp\":1622043421000,\"Executor ID\":\"1\",\"Executor "
     "Info\":{\"Host\":\"10.0.0.1\",\"Total Cores\":12}}\n"
     "{\"Event\":\"SparkListenerJobStart\",\"Job ID\":0,\"Submission Time\":1622043422000,\"Stage "
     "Infos\":[{\"Stage "
     "ID\":1,\"Parent IDs\":[0]},{\"Stage ID\":0,\"Parent "
     "IDs\":[]}],\"Properties\":{\"password\":\"hunter2\"}}\n"
     "{\"Event\":\"SparkListenerTaskEnd\",\"Stage ID\":0,\"Stage Attempt ID\":0,\"Task "
     "Type\":\"ResultTask\",\"Task End "
     "Reason\":{\"Reason\":\"Success\"},\"Task Info\":{\"Task ID\":3,\"Index\":2,\"Attempt\":0,\"Launch "
     "Time\":1622043422500,\"Executor ID\":\"1\",\"Locality\":\"ANY\",\"Speculative\":false,\"Finish "
     "Time\":1622043423500},\"Task Metrics\":{\"Executor Run Time\":800,\"Executor CPU "
     "Time\":500000000,\"JVM GC "
     "Time\":20,\"Shuffle Read Metrics\":{\"Fetch Wait Time\":5,\"Remote Bytes Read\":10,\"Local Bytes "
     "Read\":20,\"Total Records Read\":2},\"Shuffle Write Metrics\":{\"Shuffle Bytes Written\":7,\"Shuffle "
     "Write "
     "Time\":2000000,\"Shuffle Records Written\":1},\"Input Metrics\":{\"Bytes Read\":100,\"Records "
     "Read\":4}}}\n"
     "{\"Event\":\"SparkListenerStageCompleted\",\"Stage Info\":{\"Stage ID\":0,\"Stage Attempt "
     "ID\":0,\"Stage "
     "Name\":\"count at x\",\"Number of Tasks\":1,\"Submission Time\":1622043422100,\"Completion "
     "Time\":1622043423600}}\n"
     "{\"Event\":\"SparkListenerJobEnd\",\"Job ID\":0,\"Completion Time\":1622043424000,\"Job "
     "Result\":{\"Result\":\"JobSucceeded\"}}\n",
     6, 5},
    {"chrome", "trace.json",
     "{\"schemaVersion\": 1, \"deviceProperties\": [{\"id\": 0}],\n\"traceEvents\": [\n"
     "{\"ph\": \"X\", \"cat\": \"Operator\", \"name\": \"aten::empty\", \"pid\": 1, \"tid\": \"1\", \"ts\": "
     "1623143093496523, \"dur\": 21, \"args\": {\"Call stack\": \"secret\"}},\n"
     "{\"ph\": \"X\", \"cat\": \"Kernel\", \"name\": \"ncclKernel_AllReduce\", \"pid\": 0, \"tid\": \"stream "
     "7\", \"ts\": "
     "1623143093496623.5, \"dur\": 1000.25},\n"
     "{\"ph\": \"X\", \"cat\": \"Operator\", \"name\": \"ProfilerStep#3\", \"pid\": 1, \"tid\": 1, \"ts\": "
     "1623143093496523, \"dur\": 150000},\n"
     "{\"name\": \"b\", \"ph\": \"B\", \"pid\": 1, \"tid\": 2, \"ts\": 1623143093496530},\n"
     "{\"ph\": \"E\", \"pid\": 1, \"tid\": 2, \"ts\": 1623143093496540},\n"
     "{\"ph\": \"s\", \"id\": 1, \"pid\": 1, \"tid\": 2, \"ts\": 1623143093496540, \"cat\": \"async\", "
     "\"name\": \"l\"},\n"
     "{\"ph\": \"M\", \"name\": \"process_name\", \"pid\": 1, \"tid\": 0, \"ts\": 0, \"args\": {\"name\": "
     "\"python\"}}\n]}\n",
     7, 5},
    {"otlp", "spans.json",
     "{\"resourceSpans\":[{\"resource\":{\"attributes\":[{\"key\":\"service.name\",\"value\":{"
     "\"stringValue\":\"rag\"}}]},"
     "\"scopeSpans\":[{\"spans\":[{\"traceId\":\"aa\",\"spanId\":\"b\",\"name\":\"retrieve\","
     "\"startTimeUnixNano\":"
     "\"1544712660000000000\",\"endTimeUnixNano\":\"1544712661000000000\"},{\"name\":\"chat\","
     "\"startTimeUnixNano\":"
     "1544712661000000001,\"endTimeUnixNano\":1544712663000000001,\"attributes\":[{\"key\":\"gen_ai.usage."
     "input_tokens\","
     "\"value\":{\"intValue\":\"120\"}},{\"key\":\"gen_ai.usage.completion_tokens\",\"value\":{\"intValue\":"
     "30}},{\"key\":"
     "\"gen_ai.request.model\",\"value\":{\"stringValue\":\"m\"}},{\"key\":\"gen_ai.prompt.0.content\","
     "\"value\":{"
     "\"stringValue\":\"my secret "
     "prompt\"}},{\"key\":\"gen_ai.new.thing\",\"value\":{\"intValue\":1}}]}]}]}]}\n",
     2, 2},
    {"prometheus", "metrics.txt",
     "# HELP vllm:ttft_seconds t\n# TYPE vllm:ttft_seconds histogram\n"
     "vllm:ttft_seconds_bucket{le=\"0.1\",model_name=\"m\",api_key=\"hunter2\"} 3\n"
     "vllm:ttft_seconds_bucket{le=\"+Inf\",model_name=\"m\"} 5\nvllm:ttft_seconds_sum{model_name=\"m\"} 1.5\n"
     "vllm:ttft_seconds_count{model_name=\"m\"} 5\n# TYPE vllm:running gauge\nvllm:running{model_name=\"m\"} "
     "2\n",
     5, 5},
    {"vectordbbench", "result.json",
     "{\n\"run_id\": \"r\", \"results\": [\n{\"metrics\": {\"load_duration\": 10.5, \"recall\": 0.95, "
     "\"conc_num_list\": "
     "[1, 10], \"conc_qps_list\": [100.0, 50.0], \"conc_latency_avg_list\": [0.01, 0.2]}, \"task_config\": "
     "{\"db\": "
     "\"Milvus\", \"db_config\": {\"db_label\": \"16c64g\", \"password\": \"hunter2\"}, \"db_case_config\": "
     "{\"M\": 16}, "
     "\"case_config\": {\"case_id\": 5, \"k\": 100}}}]}\n",
     1, 1},
    {"db-prices", "dbPrices.json",
     "{\"Milvus\": {}, \"ZillizCloud\": {\"1cu-perf\": 0.159, \"8cu-perf\": 1.272}}\n", 2, 2},
    {"fio", "fio.json",
     "{\n \"fio version\" : \"fio-3.33\", \"jobs\" : [ { \"jobname\" : \"r\", \"job options\" : { \"bs\" : "
     "\"4k\", "
     "\"filename\" : \"/home/me/secret\" },\n \"read\" : { \"io_bytes\" : 4096000, \"bw_bytes\" : 2048, "
     "\"bw\" : 2, \"iops\" : "
     "500.0, \"runtime\" : 2000, \"total_ios\" : 1000, \"clat_ns\" : { \"mean\" : 250000.0, \"percentile\" : "
     "{ \"99.000000\" : "
     "900000 } }, \"lat\" : { \"mean\" : 300.0 } },\n \"write\" : { \"io_bytes\" : 0, \"total_ios\" : 0 } } "
     "]\n}\n",
     1, 1},
    {"dlio-output", "0_output.json",
     "{\n \"host_memory_GB\": 125, \"host_cpu_count\": 64, \"potential_caching\": 0,\n \"1\": {\"load\": "
     "{\"block1\": [3.5, "
     "0.5]}, \"proc\": {\"block1\": [4.0, 0.25]}, \"throughput\": {\"block1\": 19.5}, \"au\": {\"block1\": "
     "92.5}}\n}\n",
     1, 1},
    {"cedar", "stats.yaml",
     "baseline:\n  input_sizes:\n    0: 100.5\n  latencies:\n    0: 26494331.0\n    1: 1000000.0\n  "
     "throughput: 4.25\n"
     "disk_info:\n  read_latency: 5.5e-10\noffloads:\n  SMP:\n    0:\n      latencies:\n        0: 5000.0\n",
     3, 3},
    {"dlio-workload", "unet3d_h100.yaml",
     "model:\n  name: unet3d\ndataset:\n  record_length_bytes: 146600628\nreader:\n  batch_size: 7\ntrain:\n"
     "  computation_time: 0.323\n",
     1, 1},
    {"hardware", "a100.yaml",
     "data_dir: x\ngpu:\n  mem_bw: 2039000000000\n  bfloat16_tc_flops: 312000000000000\nmisc:\n  nccl_mem:\n "
     "   2: 358612992\n",
     1, 1},
    {"pollux", "placements.csv", "placement,local_bsz,step_time,sync_time\n1,20,0.147,0.0012\n", 1, 1},
    {"gavel", "gavel.csv",
     "gpu,job,num_gpus,colocated_job,colocated_num_gpus,steps_per_s,colocated_steps_per_s\n"
     "k80,ResNet-18 (batch size 16),1,,,4.9,\n",
     1, 1},
    {"llm-foundry", "foundry.csv",
     "Section,Model,SeqLen (T),# GPUs,GPU,MFU,HFU,Model TFLOP\n\"A100, "
     "80GB\",70b,2048,64,a100_80gb,53.33,71.1,166\n",
     1, 1},
    {"pai-minibatch", "job.csv", ",worker,gpu,time,batch_time_norm\n0,3,25,1,309\n", 1, 1},
    {"mlperf-storage", "runs.csv",
     "division,submitter,system,run_path,model,au_mean_pct,io_MiB_per_s,epoch_s\nClosed,HPE,s,p,unet3d,91.5,"
     "3556.0,195.0;197.5\n",
     1, 1},
    {"vm-noise", "fio_MiBps.csv",
     "value,runtime,starttime,VM_id\n195.0,33.15,2024-06-06 12:18:46.110,0\n196.0,33,2024-06-06 "
     "12:18:47.110,0\n",
     2, 2},
    {"big-ann", "t1.csv",
     "algorithm,parameters,dataset,count,qps,distcomps,build,indexsize,queriessize,mean_ssd_ios,mean_latency,"
     "recall/ap\n"
     "puck,\"Puck(10,30)\",bigann-1B,10,13316.9,0.0,-1.0,100.0,4445.6,0,250,0.67\n",
     1, 1},
    {"retrieval-quality", "odqa.csv",
     "model,Top5,Top20,Top100,Top500,Top1000\nBM25,44.82,63.99,79.2,86.59,88.95\n", 1, 1},
    {"cedar-table", "ablation.csv", "Pipeline,Setup,Runtime\nCV-torch,Baseline,242.38\n", 1, 1},
    {"silicon-sample", "silicon.csv",
     "id,silicon_data_source,backend,batch_size,silicon_ttft_ms,silicon_tpot_ms\nx,src,vllm,128.0,972.5,33."
     "5\n",
     1, 1},
    {"engine-series", "timeseries.csv",
     "t,prompt_throughput,gen_throughput,running,waiting,kv_cache_pct\n1.0,9069.0,166.0,9,0,50.0\n", 1, 1},
    {"attention-skew", "skew.csv",
     "regime,n,nb,ratio,skew,pc,kp,kvs,kv_big,kv_mean,t_mean_us,t_max_us,t_skew_us,alpha\n"
     "pure,2,1,0.5,4.0,0,0,128,512,320,46.5,50.0,47.25,0.2194\n",
     1, 1},
    {"agent-rounds", "rounds.csv",
     "task_id,trial,reward,msg,role,llm_round,tool,content_chars,tool_arg_chars,context_chars_before\n"
     "0,0,0.0,0,system,0,,6155,0,0\n",
     1, 1},
};
enum { SAMPLES = sizeof samples / sizeof *samples };

#endif
