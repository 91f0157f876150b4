/* Scenarios written into the tests: a text with a few words replaced becomes a scenario, or a message that
 * says why not. */
#ifndef SCENARIO_TEXT_H
#define SCENARIO_TEXT_H

#include "base/arena.h"
#include "base/text.h"
#include "pipeline/edit.h"
#include "pipeline/scenario.h"

#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

/* The complete examples that the command line's reference promises to work as written. */
__attribute__((unused)) static const char MMC[] =
    "{ \"name\": \"mmc\", \"unit\": \"request\", \"horizon\": \"steady\",\n"
    "  \"workload\": {\"open\": {\"arrivals\": {\"exponential\": \"1s\"}}},\n"
    "  \"resources\": {\"pool\": {\"kind\": \"servers\", \"count\": 4}},\n"
    "  \"stages\": [ {\"name\": \"desk\", \"model\": \"station\", \"on\": {\"servers\": \"pool\"}, "
    "\"params\": {\"service\": {\"exponential\": \"3.2s\"}}} ] }\n";

__attribute__((unused)) static const char SHARED_CORES[] =
    "{ \"name\": \"shared-cores\", \"unit\": \"sample\", \"horizon\": \"steady\",\n"
    "  \"workload\": {\"closed\": {\"in_flight\": \"max\"}},\n"
    "  \"resources\": {\"host\": {\"kind\": \"cores\", \"count\": 2}, \"disk\": {\"kind\": \"disk\", "
    "\"read_bw\": "
    "\"500MB/s\", \"iops\": 20000}},\n"
    "  \"stages\": [ {\"name\": \"load\",  \"model\": \"operators\", \"on\": {\"cpu\": \"host\", \"disk\": "
    "\"disk\"},\n"
    "               \"params\": {\"workers\": 2, \"prefetch\": 2, \"batch\": 64, \"ops\": [ {\"name\": "
    "\"read\", "
    "\"disk_bytes\": \"120kB\"}, {\"name\": \"decode\", \"cpu\": {\"lognormal\": {\"mean\": \"0.6ms\", "
    "\"cv\": 0.7}}},\n"
    "                          {\"name\": \"crop\", \"cpu\": \"0.5ms\"}, {\"name\": \"collate\", "
    "\"per_batch\": true, "
    "\"cpu\": \"22ms\"} ]}},\n"
    "              {\"name\": \"train\", \"model\": \"operators\", \"on\": {\"cpu\": \"host\"}, \"params\": "
    "{\"workers\": "
    "1, \"ops\": [ {\"name\": \"step\", \"per_batch\": true, \"cpu\": \"80ms\"} ]}} ],\n"
    "  \"edges\": [ [\"load\", \"train\", {\"buffer\": 4}] ] }\n";

/* All the models that need a data set. */
__attribute__((unused)) static const char DATASET[] =
    "{ \"name\": \"d\", \"unit\": \"sample\", \"horizon\": {\"items\": 16384},\n"
    "  \"workload\": {\"closed\": {\"in_flight\": \"max\"}, \"dataset\": {\"rows\": 8192, "
    "\"partition_rows\": 4096, \"epochs\": 2}},\n"
    "  \"resources\": {\"host\": {\"kind\": \"cores\", \"count\": 2}, \"disk\": {\"kind\": \"disk\"}},\n"
    "  \"stages\": [\n"
    "    {\"name\": \"etl\", \"model\": \"etl\", \"on\": {\"cpu\": \"host\", \"disk\": \"disk\"}, "
    "\"params\": {\"codec\": \"lz4\", "
    "\"costs\": {\"parse\": {\"per_item\": \"1us\"}}}},\n"
    "    {\"name\": \"table\", \"model\": \"storage\", \"on\": {\"cpu\": \"host\", \"disk\": \"disk\"}},\n"
    "    {\"name\": \"prep\", \"model\": \"preprocess\", \"on\": {\"cpu\": \"host\"}},\n"
    "    {\"name\": \"train\", \"model\": \"training\", \"on\": {\"cpu\": \"host\"}} ],\n"
    "  \"optimizations\": [ {\"name\": \"dedup\", \"set\": {\"prep.dedup\": true}} ] }\n";

/* `text` with the first `find` replaced by `with` (NULL find: as it is); freed by the caller. */
static inline char *text_replaced(const char *text, const char *find, const char *with)
{
    const char *at = find != NULL ? strstr(text, find) : text;
    size_t cut = find != NULL ? strlen(find) : 0, put = find != NULL ? strlen(with) : 0;
    char *s;

    cr_assert_not_null(at, "\"%s\" does not stand in the text", find);
    s = xmalloc(strlen(text) - cut + put + 1);
    memcpy(s, text, (size_t)(at - text));
    memcpy(s + (at - text), with, put);
    strcpy(s + (at - text) + put, at + cut);
    return s;
}

static inline int text_build(const char *text, struct scenario **out, struct err *err)
{
    struct json *tree = NULL;
    int rc = json_parse(text, "broken.json", &tree, err);

    if (rc == 0)
        rc = scenario_build(tree, "broken.json", NULL, out, err);
    json_free(tree);
    return rc;
}

static inline struct scenario *text_scenario(const char *text)
{
    struct scenario *s = NULL;
    struct err err = {0};

    cr_assert_eq(text_build(text, &s, &err), 0, "%s", err.text);
    return s;
}

#endif
