/*
 * keys.h - one sentence for every key of a scenario file that no parameter table describes.
 *
 * From here come the descriptions in the JSON Schema, `foresight explain` of a key, and
 * foresight-scenario(5).
 */
#ifndef CLI_KEYS_H
#define CLI_KEYS_H

struct key_help {
    const char *of; /* "scenario", "pipeline", "stage", "resource", "knob", "objective" */
    const char *key, *help;
};

extern const struct key_help key_helps[];              /* key == NULL at the end */
const char *key_help(const char *of, const char *key); /* NULL: there is none */

/* The keys that are read, of each kind of object: what must be helped. */
struct key_group {
    const char *of;
    const char *const *keys;
};
extern const struct key_group key_groups[]; /* of == NULL at the end */

/* What a resource may have beside its parameter table. */
extern const char *const resource_references[]; /* NULL at the end */

#endif
