/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GET /status/<case>/files/<name>: what clients have uploaded. Only names that the engine
 * knows are looked for on the disk, on a worker; the bytes then go from the file to the
 * client without being read into memory. They are downloads; with ?view=1 a picture or a
 * video is shown by the browser. Loop thread only.
 */
#ifndef TL_DOWNLOAD_H
#define TL_DOWNLOAD_H

#include "http.h"

/* The handler; its context is the struct daemon. */
http_handler status_file;

#endif
