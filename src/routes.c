/* SPDX-License-Identifier: Apache-2.0 */
/* The table of all endpoints. */
#include "routes.h"

#include "assets.h"
#include "client_api.h"
#include "download.h"
#include "history_api.h"
#include "manual.h"
#include "runs.h"
#include "status_api.h"
#include "upload.h"

static const struct http_route routes[] = {
    {"POST", "/client/:id/register", client_register, HTTP_NO_PAGE,
     "a client is there, and waits"},
    {"GET", "/client/:id/poll", client_poll, HTTP_NO_HEAD | HTTP_NO_PAGE,
     "what the client is to do now"},
    {"POST", "/client/:id/report", client_report, HTTP_NO_PAGE, "what came of an action"},
    {"POST", "/client/:id/respond", client_report, HTTP_NO_PAGE,
     "the same, as adapters of today call it"},
    {"POST", "/client/:id/error", client_error, HTTP_NO_PAGE,
     "the client's adapter is broken"},
    {"POST", "/client/:id/upload", client_upload, HTTP_LARGE_BODY | HTTP_NO_PAGE,
     "files of its case"},
    {"GET", "/", status_root, 0, "leads to /status"},
    {"GET", "/status", status_page, 0, "tests, cases, clients"},
    {"GET", "/status/", status_page, 0, "the same"},
    {"GET", "/status.json", status_json, 0, "the same for programs"},
    {"GET", "/status/events", status_events, 0, "what changes, as it does"},
    {"GET", "/status/junit.xml", status_junit, 0, "the same for Jenkins"},
    {"GET", "/status/:id/suitestatus", status_suite_page, 0, "one test and its cases"},
    {"GET", "/status/:id/status", status_case_page, 0, "one case"},
    {"GET", "/status/:id/status.json", status_case_json, 0, "one case for programs"},
    {"GET", "/status/:id/statemachine.png", status_machine_png, 0, "a case's machine"},
    {"GET", "/status/:id/statemachine.svg", status_machine_svg, 0, "a case's machine"},
    {"GET", "/status/:id/statemachine.dot", status_machine_dot, 0, "a case's machine"},
    {"GET", "/status/:id/context.png", status_context_png, 0, "the state it is in"},
    {"GET", "/status/:id/context.svg", status_context_svg, 0, "the state it is in"},
    {"GET", "/status/:id/context.dot", status_context_dot, 0, "the state it is in"},
    {"GET", "/status/:id/sequence.svg", status_sequence, 0, "what happened in a case"},
    {"GET", "/status/:id/files/:name", status_file, 0, "a file that a client uploaded"},
    {"POST", "/status/:id/cancel", runs_cancel_case, 0, "ends a case as an error"},
    {"POST", "/runs", runs_create, 0, "asks for another run"},
    {"GET", "/runs", history_runs, 0, "all runs, the newest first"},
    {"GET", "/runs/:id/status", status_run_page, 0, "one run, as /status"},
    {"GET", "/runs/:id/status.json", status_run_json, 0, "the same for programs"},
    {"GET", "/runs/:id/junit.xml", status_run_junit, 0, "the same for Jenkins"},
    {"POST", "/runs/:id/cancel", runs_cancel, 0, "ends what has not ended of a run"},
    {"GET", "/history", history_page, 0, "outcomes of all runs, test by test"},
    {"GET", "/history.json", history_json, 0, "the same for programs"},
    {"GET", "/actions", status_actions_page, 0, "the dictionary of actions"},
    {"GET", "/actions.json", status_actions_json, 0, "the same for adapters"},
    {"GET", "/manual", manual_join_page, 0, "a person can be a client here"},
    {"POST", "/manual", manual_join, 0, "a person is there, and waits"},
    {"GET", "/manual/:id", manual_page, 0, "what the person is to do now"},
    {"POST", "/manual/:id/report", manual_report, 0, "what came of it"},
    {"POST", "/manual/:id/upload", manual_upload, HTTP_LARGE_BODY, "files of the case"},
    {"POST", "/manual/:id/leave", manual_leave, 0, "the person goes"},
    {"GET", "/static/:name", assets_get, 0, "how the pages look, and their scripts"},
    {"GET", "/healthz", status_health, 0, "whether the loop turns"},
};

const struct http_route *routes_all(size_t *count)
{
    *count = sizeof routes / sizeof *routes;
    return routes;
}
