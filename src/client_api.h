/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The endpoints for adapters: register, poll, report, error. Handlers of src/http.h; their context
 * is the struct daemon. Loop thread only.
 */
#ifndef TL_CLIENT_API_H
#define TL_CLIENT_API_H

#include "http.h"

http_handler client_register;
http_handler client_poll;
http_handler client_report;
http_handler client_error;

#endif
