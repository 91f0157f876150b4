/*
 * schema.h - tables and views of the store, and how an older file becomes a newer one.
 */
#ifndef STORE_SCHEMA_H
#define STORE_SCHEMA_H

/* "FSgt": tells `file` and us that an SQLite file is a foresight store. */
#define SCHEMA_APPLICATION_ID 0x46536774

/* Entry v turns a file of version v into one of version v + 1; entry 0 starts from an empty file. */
extern const char *const schema_steps[];

/* The version this program reads and writes, which is the number of steps. */
int schema_version(void);

#endif
