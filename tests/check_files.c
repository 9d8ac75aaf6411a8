/* SPDX-License-Identifier: Apache-2.0 */
/* Uploaded files: their names, where they lie, and the colour in the middle of
 * pictures. */
#include "files.h"
#include "pixel.h"
#include "xalloc.h"

#include <check.h>
#include <errno.h>
#include <png.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- names --- */

#define X50  "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define X200 X50 X50 X50 X50

static const struct {
    const char *given;
    const char *wanted;
} names[] = {
    {"out.txt", "red_out.txt"},
    {"Tile-1_a.PNG", "red_Tile-1_a.PNG"},
    {"", "red_file"},
    {".", "red_file"},
    {"..", "red_file"},
    {"/", "red_file"},
    {"folder/", "red_file"},
    {"..\\..\\", "red_file"},
    {"/etc/passwd", "red_passwd"},
    {"../../.profile", "red_profile"},
    {"C:\\Users\\me\\a.txt", "red_a.txt"},
    {"a\\b/c\\d", "red_d"},
    {"...a", "red_a"},
    {"a..b", "red_a..b"},
    {"a b\tc\nd", "red_a_b_c_d"},
    {"\x1b[31m", "red___31m"},
    {"<&\"'>%$`|;*?~#", "red_______________"},
    {"\xc3\xa4.png", "red___.png"},
    {"\xff", "red__"},
    {X200, "red_" X50 X50 X50 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"},
    {X200 X200 ".webm",
     "red_" X50 X50 X50 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx.webm"},
    {X200 ".a/b." X200,
     "red_b." X50 X50 X50 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"},
};

START_TEST(names_become_safe)
{
    char *name = file_name("red", names[_i].given);

    ck_assert_str_eq(name, names[_i].wanted);
    ck_assert_uint_le(strlen(name), 200);
    free(name);
}
END_TEST

START_TEST(roles_become_safe)
{
    char *name = file_name("../r d", "a.txt");
    ck_assert_str_eq(name, ".._r_d_a.txt");
    free(name);
    name = file_name(X200, X200 ".png");
    ck_assert_uint_eq(strlen(name), 200);
    ck_assert_str_eq(name + 196, ".png");
    free(name);
}
END_TEST

START_TEST(types_go_by_the_ending)
{
    ck_assert_str_eq(file_type("a.png"), "image/png");
    ck_assert_str_eq(file_type("a.b.WebM"), "video/webm");
    ck_assert_str_eq(file_type("a.mp4"), "video/mp4");
    ck_assert_str_eq(file_type("a.txt"), "text/plain; charset=utf-8");
    ck_assert_str_eq(file_type("a.log"), "text/plain; charset=utf-8");
    ck_assert_str_eq(file_type("a.html"), "application/octet-stream");
    ck_assert_str_eq(file_type("a.png.html"), "application/octet-stream");
    ck_assert_str_eq(file_type("a"), "application/octet-stream");
    ck_assert_str_eq(file_type(""), "application/octet-stream");
}
END_TEST

/* --- on the disk --- */

static char folder[64];

static void setup(void)
{
    strcpy(folder, "/tmp/check_files.XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
}

static void teardown(void)
{
    char *command = xasprintf("rm -rf '%s'", folder);

    ck_assert_int_eq(system(command), 0);
    free(command);
}

/* Read the stored file; owned, NUL-terminated; NULL if there is none. */
static char *stored(const char *testcase, const char *name)
{
    size_t size;
    int error;
    char *cause = NULL;
    int fd = file_open(folder, testcase, name, &size, &error, &cause);

    ck_assert_int_eq(fd < 0, cause != NULL);
    free(cause);
    if (fd < 0)
        return NULL;
    char *text = xcalloc(1, size + 1);
    ck_assert_int_eq(read(fd, text, size + 1), (ssize_t)size);
    close(fd);
    return text;
}

static enum file_result put(const char *name, const char *text, size_t room, char **cause)
{
    struct file_content content = {name, text, strlen(text)};
    int error;

    return files_store(folder, "case", &content, 1, room, &error, cause);
}

static void check_stored(const char *name, const char *wanted)
{
    char *text = stored("case", name);

    ck_assert_str_eq(text, wanted);
    free(text);
}

START_TEST(files_are_stored_and_replaced)
{
    char *place = xasprintf("%s/case", folder);
    struct stat about;

    ck_assert_int_eq(put("red_a.txt", "one", 10, NULL), FILES_STORED);
    check_stored("red_a.txt", "one");
    ck_assert_int_eq(put("red_a.txt", "", 10, NULL), FILES_STORED);
    check_stored("red_a.txt", "");
    ck_assert_int_eq(stat(place, &about), 0);
    ck_assert_int_eq(about.st_mode & 0777, 0750);
    ck_assert_uint_eq(about.st_nlink, 2);
    free(place);
}
END_TEST

START_TEST(new_names_have_a_limit)
{
    char *cause = NULL;

    ck_assert_int_eq(put("a", "one", 1, NULL), FILES_STORED);
    ck_assert_int_eq(put("a", "two", 0, NULL), FILES_STORED);
    ck_assert_int_eq(put("b", "three", 0, &cause), FILES_TOO_MANY);
    ck_assert_ptr_nonnull(cause);
    ck_assert_ptr_null(stored("case", "b"));
    check_stored("a", "two");
    free(cause);
}
END_TEST

START_TEST(all_or_none)
{
    struct file_content contents[] = {{"a", "new", 3}, {"b/c", "new", 3}};
    char *cause = NULL;
    int error;

    ck_assert_int_eq(put("a", "old", 1, NULL), FILES_STORED);
    char *place = xasprintf("%s/case/.new-1", folder);
    ck_assert_int_eq(mkdir(place, 0700), 0);
    ck_assert_int_eq(files_store(folder, "case", contents, 2, 9, &error, &cause),
                     FILES_FAILED);
    ck_assert_int_eq(error, EISDIR);
    ck_assert_ptr_nonnull(strstr(cause, "b/c can't be written: Is a directory"));
    check_stored("a", "old");
    ck_assert_int_eq(rmdir(place), 0);
    free(place);
    place = xasprintf("%s/case/.new-0", folder);
    ck_assert_int_ne(access(place, F_OK), 0);
    free(place);
    free(cause);
}
END_TEST

START_TEST(a_folder_that_is_none)
{
    struct file_content content = {"a", "x", 1};
    char *cause = NULL, *place = xasprintf("%s/case/deep", folder);
    int error;

    ck_assert_int_eq(files_store(place, "case", &content, 1, 1, &error, &cause),
                     FILES_STORED);
    free(place);
    place = xasprintf("%s/case/deep/case/a", folder);
    ck_assert_int_eq(files_store(place, "case", &content, 1, 1, &error, &cause),
                     FILES_FAILED);
    ck_assert_int_eq(error, ENOTDIR);
    ck_assert_ptr_nonnull(strstr(cause, place));
    free(place);
    free(cause);
}
END_TEST

START_TEST(only_files_are_read)
{
    char *path = xasprintf("%s/case/link", folder);
    char *inner = xasprintf("%s/case/inner", folder);

    ck_assert_int_eq(put("a", "x", 1, NULL), FILES_STORED);
    ck_assert_int_eq(symlink("a", path), 0);
    ck_assert_int_eq(mkdir(inner, 0700), 0);
    ck_assert_ptr_null(stored("case", "link"));
    ck_assert_ptr_null(stored("case", "inner"));
    ck_assert_ptr_null(stored("case", "none"));
    ck_assert_ptr_null(stored("none", "a"));
    free(inner);
    free(path);
}
END_TEST

/* --- colours --- */

struct form {
    int type;      /* of libpng */
    int depth;     /* bits of a sample */
    int interlace; /* of libpng */
};

struct picture {
    char *data;
    size_t size;
};

static void write_cb(png_structp png, png_bytep data, size_t size)
{
    struct picture *picture = png_get_io_ptr(png);

    picture->data = xreallocarray(picture->data, picture->size + size, 1);
    memcpy(picture->data + picture->size, data, size);
    picture->size += size;
}

/* A picture of which only the centre pixel has this colour; the others are its
 * opposite. */
static struct picture paint(png_uint_32 width, png_uint_32 height, struct form form,
                            const unsigned char rgba[4])
{
    static const int channels[] = {[PNG_COLOR_TYPE_GRAY] = 1,
                                   [PNG_COLOR_TYPE_GRAY_ALPHA] = 2,
                                   [PNG_COLOR_TYPE_RGB] = 3,
                                   [PNG_COLOR_TYPE_RGB_ALPHA] = 4};
    struct picture picture = {0};
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_infop info = png_create_info_struct(png);
    size_t samples = (size_t)channels[form.type], bytes = (size_t)form.depth / 8;
    png_bytep row = xcalloc(width, samples * bytes);

    png_set_write_fn(png, &picture, write_cb, NULL);
    png_set_IHDR(png, info, width, height, form.depth, form.type, form.interlace,
                 PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    png_write_info(png, info);
    int passes = png_set_interlace_handling(png);
    for (int pass = 0; pass < passes; pass++) {
        for (png_uint_32 y = 0; y < height; y++) {
            for (size_t i = 0; i < width * samples * bytes; i++) {
                size_t sample = i / bytes % samples;
                /* A gray one is followed by its opacity. */
                size_t channel = samples == 2 && sample == 1 ? 3 : sample;
                bool centre = y == height / 2 && i / bytes / samples == width / 2;
                row[i] = centre ? rgba[channel] : (png_byte)~rgba[channel];
            }
            png_write_row(png, row);
        }
    }
    png_write_end(png, NULL);
    png_destroy_write_struct(&png, &info);
    free(row);
    return picture;
}

static const struct form RGBA = {PNG_COLOR_TYPE_RGB_ALPHA, 8, PNG_INTERLACE_NONE};

static void check_colour(struct picture picture, const char *wanted)
{
    char *colour = pixel_colour(picture.data, picture.size);

    ck_assert_pstr_eq(colour, wanted);
    free(colour);
    free(picture.data);
}

static const struct {
    unsigned char rgba[4];
    const char *wanted;
} colours[] = {
    {{255, 0, 0, 255}, "red"},
    {{214, 24, 24, 255}, "red"},
    {{213, 0, 0, 255}, "(213,0,0,255)"},
    {{255, 25, 0, 255}, "(255,25,0,255)"},
    {{255, 0, 0, 254}, "(255,0,0,254)"},
    {{0, 255, 0, 255}, "green"},
    {{24, 214, 24, 255}, "green"},
    {{0, 255, 25, 255}, "(0,255,25,255)"},
    {{0, 0, 255, 255}, "blue"},
    {{0, 220, 220, 255}, "(0,220,220,255)"},
    {{121, 135, 128, 255}, "initial"},
    {{120, 128, 128, 255}, "(120,128,128,255)"},
    {{128, 128, 136, 255}, "(128,128,136,255)"},
    {{128, 128, 128, 0}, "(128,128,128,0)"},
    {{68, 68, 68, 255}, "connecting"},
    {{68, 68, 69, 255}, "(68,68,69,255)"},
    {{12, 34, 56, 255}, "(12,34,56,255)"},
    {{0, 0, 0, 0}, "(0,0,0,0)"},
};

START_TEST(colours_have_names)
{
    check_colour(paint(9, 7, RGBA, colours[_i].rgba), colours[_i].wanted);
}
END_TEST

START_TEST(the_centre_is_found)
{
    static const png_uint_32 sizes[][2] = {{1, 1},  {1, 9},   {9, 1},     {2, 2},
                                           {8, 8},  {9, 9},   {100, 63},  {63, 100},
                                           {3, 16}, {640, 3}, {3, 16384}, {16384, 1}};
    static const unsigned char red[] = {255, 0, 0, 255};

    for (int interlace = PNG_INTERLACE_NONE; interlace <= PNG_INTERLACE_ADAM7;
         interlace++)
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
            check_colour(paint(sizes[i][0], sizes[i][1],
                               (struct form){PNG_COLOR_TYPE_RGB_ALPHA, 8, interlace},
                               red),
                         "red");
}
END_TEST

START_TEST(every_form_is_read)
{
    static const unsigned char green[] = {0, 255, 0, 255}, grey[] = {128, 128, 128, 255};

    check_colour(paint(5, 5, (struct form){PNG_COLOR_TYPE_RGB, 8, 0}, green), "green");
    check_colour(paint(5, 5, (struct form){PNG_COLOR_TYPE_RGB, 16, 0}, green), "green");
    check_colour(paint(5, 5, (struct form){PNG_COLOR_TYPE_RGB_ALPHA, 16, 1}, green),
                 "green");
    check_colour(paint(5, 5, (struct form){PNG_COLOR_TYPE_GRAY, 8, 0}, grey), "initial");
    check_colour(paint(5, 5, (struct form){PNG_COLOR_TYPE_GRAY_ALPHA, 16, 1}, grey),
                 "initial");
}
END_TEST

START_TEST(large_ones_are_left_alone)
{
    static const unsigned char red[] = {255, 0, 0, 255};

    check_colour(paint(16385, 1, RGBA, red), NULL);
    check_colour(paint(1, 16385, RGBA, red), NULL);
    check_colour(paint(16000, 4001, (struct form){PNG_COLOR_TYPE_GRAY, 8, 0}, red), NULL);
}
END_TEST

START_TEST(what_is_no_picture)
{
    ck_assert_ptr_null(pixel_colour("", 0));
    ck_assert_ptr_null(pixel_colour("\x89PNG", 4));
    ck_assert_ptr_null(pixel_colour("\x89PNG\r\n\x1a\n", 8));
    ck_assert_ptr_null(
        pixel_colour("\x89PNG\r\n\x1a\nxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", 37));
    ck_assert_ptr_null(pixel_colour("GIF89a, or so it seems", 22));
}
END_TEST

/* Whatever is cut off or changed: a colour or none, and nothing breaks. */
START_TEST(broken_ones)
{
    static const unsigned char red[] = {255, 0, 0, 255};
    struct picture picture = paint(20, 20, RGBA, red);

    for (size_t size = 0; size < picture.size; size++) {
        char *copy = xmalloc(size > 0 ? size : 1);
        memcpy(copy, picture.data, size);
        char *colour = pixel_colour(copy, size);
        ck_assert(colour == NULL || strcmp(colour, "red") == 0);
        ck_assert(size > 40 || colour == NULL);
        free(colour);
        free(copy);
    }
    for (size_t at = 0; at < picture.size; at++) {
        for (int bit = 0; bit < 8; bit++) {
            picture.data[at] ^= (char)(1 << bit);
            free(pixel_colour(picture.data, picture.size));
            picture.data[at] ^= (char)(1 << bit);
        }
    }
    free(picture.data);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("files");
    TCase *tcase = tcase_create("names");

    tcase_add_loop_test(tcase, names_become_safe, 0, sizeof names / sizeof *names);
    tcase_add_test(tcase, roles_become_safe);
    tcase_add_test(tcase, types_go_by_the_ending);
    suite_add_tcase(suite, tcase);
    tcase = tcase_create("disk");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, files_are_stored_and_replaced);
    tcase_add_test(tcase, new_names_have_a_limit);
    tcase_add_test(tcase, all_or_none);
    tcase_add_test(tcase, a_folder_that_is_none);
    tcase_add_test(tcase, only_files_are_read);
    suite_add_tcase(suite, tcase);
    tcase = tcase_create("colours");
    tcase_set_timeout(tcase, 60);
    tcase_add_loop_test(tcase, colours_have_names, 0, sizeof colours / sizeof *colours);
    tcase_add_test(tcase, the_centre_is_found);
    tcase_add_test(tcase, every_form_is_read);
    tcase_add_test(tcase, large_ones_are_left_alone);
    tcase_add_test(tcase, what_is_no_picture);
    tcase_add_test(tcase, broken_ones);
    suite_add_tcase(suite, tcase);
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
