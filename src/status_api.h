/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The endpoints for people and tools: pages, JSON, JUnit, pictures. Handlers of
 * src/http.h; their context is the struct daemon. Loop thread only.
 */
#ifndef TL_STATUS_API_H
#define TL_STATUS_API_H

#include "http.h"

http_handler status_root;
http_handler status_page;
http_handler status_json;
http_handler status_junit;
http_handler status_suite_page;
http_handler status_case_page;
http_handler status_case_json;
http_handler status_run_page;
http_handler status_run_json;
http_handler status_run_junit;
http_handler status_machine_png;
http_handler status_machine_svg;
http_handler status_machine_dot;
http_handler status_context_png;
http_handler status_context_svg;
http_handler status_context_dot;
http_handler status_sequence;
http_handler status_actions_page;
http_handler status_actions_json;
http_handler status_health;
http_handler status_events;

#endif
