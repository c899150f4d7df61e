/* This file writes the example configuration and the list of options from the tables. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/config_example.h"

#include "base/field_print.h"
#include "engine/config_items.h"
#include "engine/config_scopes.h"
#include "engine/config_table.h"

static const char HEAD[] =
        "# The configuration of pawl: every option with its default. Nothing here is needed; keep\n"
        "# what you change. `pawl check` judges a file without running it, `pawl reload` or "
        "SIGHUP\n"
        "# makes a daemon that runs take it as it is now; what needs a restart says so.\n"
        "# ${NAME} and ${NAME:default} stand for variables of the environment, $${ for ${ itself.\n"
        "# Sizes: 64k, 16m, 1g. Durations: 500ms, 30s, 15m, 24h, 7d.\n";

static const char ITEMS[] =
        "\n"
        "## What holds for whole scopes of the state; the first item that matches counts.\n"
        "#scopes:\n"
        "#  - match: sessions\n"
        "#    ttl: 30m\n"
        "#  - match: cache-*\n"
        "#    ttl: 5m\n"
        "##      Make an event also of a write that changes nothing.\n"
        "#    event_on_noop: true\n"
        "\n"
        "## Secrets by name: from the environment, or the content of a file.\n"
        "#secrets:\n"
        "#  audit: \"${AUDIT_SECRET:whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw}\"\n"
        "#  audit_old: \"${AUDIT_SECRET_OLD:whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD}\"\n"
        "#  audit_token: \"${AUDIT_TOKEN:t0ken}\"\n"
        "\n"
        "## Functions that pawl calls by itself; others come from workers on the socket. A "
        "program\n"
        "## gets the event as JSON on its standard input and answers with JSON on its output.\n"
        "#functions:\n"
        "#  - id: mail::welcome\n"
        "#    description: Greets a new user.\n"
        "#    exec:\n"
        "#      command: [python3, ./welcome.py]\n"
        "##      call: one process a call. lines: one process, a line in and a line out for each.\n"
        "#      mode: call\n"
        "#      cwd: .\n"
        "#      env:\n"
        "#        MAIL_FROM: \"${MAIL_FROM:hello@example.com}\"\n"
        "#      timeout: 30s\n"
        "#      concurrency: 10\n"
        "#  - id: crm::sync\n"
        "#    namespace: default\n"
        "#    http:\n"
        "#      url: https://example.com/hooks/user\n"
        "#      method: POST\n"
        "#      headers:\n"
        "#        X-Source: pawl\n"
        "#      timeout: 30s\n"
        "##      hmac: secret_key. bearer: token_key. api_key: header and value_key. What ends in\n"
        "##      _key is the name of an environment variable, never the secret itself.\n"
        "#      auth:\n"
        "#        type: hmac\n"
        "#        secret_key: CRM_SECRET\n"
        "#  - id: audit::push\n"
        "#    http:\n"
        "#      url: https://audit.example.com/events\n"
        "##      Signed with both keys while the old one is being replaced.\n"
        "#      sign: [audit, audit_old]\n"
        "##      json: the event itself. cloudevents: one JSON document. cloudevents_binary: "
        "headers.\n"
        "#      format: cloudevents\n"
        "##      An expression over the event, as in `when`; null leaves the header out.\n"
        "#      headers:\n"
        "#        X-Plan: \"${{ new_value.?plan }}\"\n"
        "#        X-Api-Key: \"${{ secrets.audit_token }}\"\n"
        "#      concurrency: 4\n"
        "#      follow_redirects: 2\n"
        "#      ca_file: /etc/ssl/audit.pem\n"
        "\n"
        "## Triggers that are always there. What is not id, type, function, namespace or metadata\n"
        "## is the trigger's own: which changes wake it, and how it is delivered.\n"
        "#triggers:\n"
        "#  - id: welcome\n"
        "#    type: state\n"
        "#    function: mail::welcome\n"
        "#    scope: users\n"
        "#    events: [created]\n"
        "#  - id: crm\n"
        "#    function: crm::sync\n"
        "#    scope: users\n"
        "#    changed: [email, plan]\n"
        "#    concurrency: 4\n"
        "#    timeout_ms: 10000\n"
        "#    retry:\n"
        "#      max_attempts: 20\n"
        "#    metadata:\n"
        "#      team: growth\n";

void config_print_example(struct buf *out)
{
	BUF_LITERAL(out, HEAD);
	field_print_yaml(config_fields, 0, out);
	BUF_LITERAL(out, ITEMS);
}

void config_print_options(struct buf *out)
{
	field_print_text(config_fields, "", out);
	config_print_scope_table(out);
	config_print_item_tables(out);
}
