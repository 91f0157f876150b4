#include "executor/jpegs.h"

#include "base/arena.h"
#include "base/text.h"
#include "executor/kernels/jpeg.h"
#include "executor/kernels/photo.h"
#include "executor/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char magic[8] = "FSJPEG1\n";

/* ----------------------------------------------------------------------------------- making */

struct maker {
    const struct image_loader_cfg *c;
    uint64_t seed;
    struct photo_maker *photos;
    unsigned char *rgb;
    long *part; /* of the range of sides: which one an image gets */
    FILE *data;
};

static void maker_init(struct maker *m, const struct image_loader_cfg *c, uint64_t seed)
{
    int w = (int)c->side_max;
    struct rng r;

    *m = (struct maker){.c = c, .seed = seed};
    m->photos = photo_maker_new(w, w);
    m->rgb = xcalloc((size_t)w * (size_t)w, 3);
    m->part = xcalloc((size_t)c->images, sizeof *m->part);
    rng_stream(&r, seed, 0, "executor.jpegs");
    for (long i = 0; i < c->images; i++) { /* a shuffle, inside out */
        long k = (long)rng_below(&r, (uint64_t)i + 1);

        m->part[i] = m->part[k];
        m->part[k] = i;
    }
}

static void maker_fini(struct maker *m)
{
    photo_maker_free(m->photos);
    free(m->rgb);
    free(m->part);
}

/* Every second photograph, at random, is upright. */
static void choose_size(const struct maker *m, struct rng *r, long image, struct jpeg_entry *e)
{
    const struct image_loader_cfg *c = m->c;
    double at = ((double)m->part[image] + rng_uniform(r)) / (double)c->images;
    long side = c->side_min + (long)(at * (double)(c->side_max - c->side_min) + 0.5),
         other = image_short_side(side);
    bool upright = rng_uniform(r) < 0.5;

    e->width = (uint16_t)(upright ? other : side);
    e->height = (uint16_t)(upright ? side : other);
}

static int make_image(struct maker *m, long image, struct jpeg_entry *e, struct err *err)
{
    unsigned char *file;
    size_t n;
    struct rng r;

    rng_keyed(&r, m->seed, 0, rng_hash("executor.photo"), (uint64_t)image, 0);
    choose_size(m, &r, image, e);
    e->label = (int32_t)rng_below(&r, (uint64_t)m->c->classes);
    photo_draw(m->photos, &r, e->width, e->height, e->label, (int)m->c->classes, m->rgb);
    TRY(jpeg_encode(m->rgb, e->width, e->height, (int)m->c->quality, &file, &n, err));
    e->size = (uint32_t)n;
    fwrite(file, 1, n, m->data);
    free(file);
    return 0;
}

static int close_file(FILE *f, const char *path, struct err *err)
{
    bool bad = ferror(f) != 0;

    if (fclose(f) != 0 || bad)
        return err_io(err, "write", path);
    return 0;
}

static int make_data(struct maker *m, struct jpegs *j, struct err *err)
{
    uint64_t offset = 0;
    int rc = 0;

    m->data = fopen(j->path, "we");
    if (m->data == NULL)
        return err_io(err, "create", j->path);
    for (long i = 0; i < j->n && rc == 0; i++) {
        j->entry[i].offset = offset;
        rc = make_image(m, i, &j->entry[i], err);
        offset += j->entry[i].size;
    }
    if (rc != 0) {
        fclose(m->data);
        return rc;
    }
    return close_file(m->data, j->path, err);
}

/* ----------------------------------------------------------------------------------- finding again */

static int write_index(const struct jpegs *j, const char *path, struct err *err)
{
    char temporary[3700];
    FILE *f;

    snprintf(temporary, sizeof temporary, "%s.new", path);
    f = fopen(temporary, "we");
    if (f == NULL)
        return err_io(err, "create", temporary);
    fwrite(magic, 1, sizeof magic, f);
    fwrite(j->entry, sizeof *j->entry, (size_t)j->n, f);
    TRY(close_file(f, temporary, err));
    return rename(temporary, path) == 0 ? 0 : err_io(err, "rename", temporary);
}

/* Whether the entries are those of a file of that size, image by image without gaps. */
static bool is_sound(const struct jpegs *j, const struct image_loader_cfg *c, uint64_t data_bytes)
{
    uint64_t at = 0;

    for (long i = 0; i < j->n; i++) {
        const struct jpeg_entry *e = &j->entry[i];

        if (e->offset != at || e->size == 0 || e->width == 0 || e->height == 0 || e->width > c->side_max ||
            e->height > c->side_max || e->label < 0 || e->label >= c->classes)
            return false;
        at += e->size;
    }
    return at == data_bytes;
}

static bool read_index(struct jpegs *j, const struct image_loader_cfg *c, const char *path)
{
    char head[sizeof magic];
    FILE *f = fopen(path, "re");
    struct stat st;
    bool good;

    if (f == NULL)
        return false;
    good = fread(head, 1, sizeof head, f) == sizeof head && memcmp(head, magic, sizeof magic) == 0 &&
           fread(j->entry, sizeof *j->entry, (size_t)j->n, f) == (size_t)j->n && getc(f) == EOF;
    fclose(f);
    return good && stat(j->path, &st) == 0 && is_sound(j, c, (uint64_t)st.st_size);
}

static void add_up(struct jpegs *j)
{
    for (long i = 0; i < j->n; i++) {
        const struct jpeg_entry *e = &j->entry[i];

        j->bytes += e->size;
        j->largest_bytes = e->size > j->largest_bytes ? e->size : j->largest_bytes;
        j->largest_width = e->width > j->largest_width ? e->width : j->largest_width;
        j->largest_height = e->height > j->largest_height ? e->height : j->largest_height;
    }
}

static int make(const struct image_loader_cfg *c, uint64_t seed, struct jpegs *j, const char *index,
                struct err *err)
{
    struct maker m;
    int rc;

    if (jpeg_missing() != NULL)
        return err_set(err, ERR_PROGRAM, "%s", jpeg_missing());
    maker_init(&m, c, seed);
    rc = make_data(&m, j, err);
    maker_fini(&m);
    return rc == 0 ? write_index(j, index, err) : rc; /* last: data without an index is made again */
}

static int make_folder(const char *path, struct err *err)
{
    return mkdir(path, 0777) == 0 || errno == EEXIST ? 0 : err_io(err, "create the folder", path);
}

int jpegs_open(const struct image_loader_cfg *c, uint64_t seed, const char *folder, struct jpegs *out,
               struct err *err)
{
    char text[300], hash[65], base[3500], index[3600];
    int rc = 0;

    snprintf(text, sizeof text, "jpegs 2 images %ld sides %ld %ld quality %ld classes %ld seed %llu\n",
             c->images, c->side_min, c->side_max, c->quality, c->classes, (unsigned long long)seed);
    text_sha256(text, strlen(text), hash);
    if ((size_t)snprintf(base, sizeof base, "%s/photos-%.16s", folder, hash) >= sizeof base)
        return err_set(err, ERR_IO, "%s: the name of the folder is too long", folder);
    *out = (struct jpegs){.n = c->images, .entry = xcalloc((size_t)c->images, sizeof *out->entry)};
    snprintf(out->path, sizeof out->path, "%s/data", base);
    snprintf(index, sizeof index, "%s/index", base);
    if (!read_index(out, c, index)) {
        rc = make_folder(folder, err);
        if (rc == 0)
            rc = make_folder(base, err);
        if (rc == 0)
            rc = make(c, seed, out, index, err);
    }
    if (rc == 0)
        add_up(out);
    else
        jpegs_close(out);
    return rc;
}

void jpegs_close(struct jpegs *j)
{
    free(j->entry);
    j->entry = NULL;
}

/* ----------------------------------------------------------------------------------- reading */

int jpeg_reader_open(struct jpeg_reader *r, const struct jpegs *set, long most_images, bool *direct,
                     struct err *err)
{
    *r = (struct jpeg_reader){.set = set, .fd = -1};
    if (*direct) {
        r->fd = open(set->path, O_RDONLY | O_CLOEXEC | O_DIRECT);
        *direct = r->fd >= 0 || errno != EINVAL;
    }
    if (!*direct)
        r->fd = open(set->path, O_RDONLY | O_CLOEXEC);
    if (r->fd < 0)
        return err_io(err, "open the photographs", set->path);
    r->direct = *direct;
    r->capacity = memory_round_up((size_t)most_images * set->largest_bytes, DISK_BLOCK) + DISK_BLOCK;
    r->buffer = memory_new(r->capacity);
    return 0;
}

void jpeg_reader_close(struct jpeg_reader *r)
{
    if (r->fd >= 0)
        close(r->fd);
    free(r->buffer);
    *r = (struct jpeg_reader){.fd = -1};
}

int jpeg_reader_read(struct jpeg_reader *r, long first, long n, double *bytes, struct err *err)
{
    const struct jpeg_entry *last = &r->set->entry[first + n - 1];
    size_t from = r->set->entry[first].offset, upto = last->offset + last->size, got = 0;
    size_t start = r->direct ? from / DISK_BLOCK * DISK_BLOCK : from;
    size_t want = r->direct ? memory_round_up(upto, DISK_BLOCK) - start : upto - start;

    ASSERT(want <= r->capacity);
    r->first = first;
    r->skip = from - start;
    while (got < upto - start) { /* at the end of the file a whole block is not there */
        ssize_t k = pread(r->fd, r->buffer + got, want - got, (off_t)(start + got));

        if (k == 0)
            return err_set(err, ERR_IO, "%s ends before image %ld; remove its folder to have it made again",
                           r->set->path, first + n - 1);
        if (k < 0)
            return err_io(err, "read", r->set->path);
        got += (size_t)k;
    }
    *bytes = (double)want;
    return 0;
}

const unsigned char *jpeg_reader_file(const struct jpeg_reader *r, long image)
{
    return r->buffer + r->skip + (r->set->entry[image].offset - r->set->entry[r->first].offset);
}
