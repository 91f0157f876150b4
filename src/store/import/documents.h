/*
 * documents.h - files of JSON that are one document, or one document a line.
 *
 * When the first line is a whole document, the file is read line by line, and
 * a malformed line is counted; otherwise it is read as a stream of documents,
 * and the first syntax error refuses it.
 */
#ifndef STORE_IMPORT_DOCUMENTS_H
#define STORE_IMPORT_DOCUMENTS_H

#include "store/import/jread.h"
#include "store/import/sink.h"

/* Called for every document, which is there to be read with `j`. */
typedef int document_fn(struct import *im, struct jread *j, void *ctx, struct err *err);

int import_documents(struct import *im, document_fn *fn, void *ctx, struct err *err);

#endif
