/*
 * fit_preset.h - a calibration as a preset file: what `foresight fit MODEL ... -o FILE` writes.
 *
 * Numbers are rounded to six digits, far below any error they have.  Recordings
 * stand in it by name and SHA-256, not by where they lay.
 */
#ifndef CLI_FIT_PRESET_H
#define CLI_FIT_PRESET_H

#include "calibrate/fitting.h"

/* `note` is the preset's "source".  `name`: that of the calibration just saved, whose sources are read back. */
int write_preset(const char *file, const char *note, struct store *store, const char *name,
                 const struct fitting *f, struct err *err);

#endif
