/* This file is the table of schemas in the OpenAPI document, and whose they are. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/api/openapi_schema.h"

#include "base/json.h"
#include "base/span.h"
#include <stddef.h>

/* Single quotes stand for double ones. What is not required may be there; more may be there too. */
#define OBJECT(required, properties)                                                               \
	"{'type':'object','required':[" required "],'properties':{" properties "}}"
#define LIST(member, item, more)                                                                   \
	OBJECT("'" member "'", "'" member "':{'type':'array','items':" item "}" more)
#define REF(name) "{'$ref':'#/components/schemas/" name "'}"
#define TEXT      "{'type':'string'}"
#define INT       "{'type':'integer'}"
#define BOOL      "{'type':'boolean'}"
#define ANY       "{}"
#define TIME      "{'type':'string','format':'date-time'}"
#define CURSOR    ",'cursor':" TEXT
#define ENCODING  "{'type':'string','enum':['json','text','base64']}"

static const struct {
	const char *name;
	const char *json;
} schemas[] = {
        {"Problem", OBJECT("'type','title','status','detail','code','agent_instruction'",
                           "'type':" TEXT ",'title':" TEXT ",'status':" INT ",'detail':" TEXT
                           ",'code':" TEXT ",'agent_instruction':" TEXT)},
        {"Hello",
         OBJECT("'name','version','status'", "'name':" TEXT ",'version':" TEXT ",'status':" TEXT)},

        {"Written", OBJECT("'old_value','new_value','rev'",
                           "'old_value':" ANY ",'new_value':" ANY ",'rev':" TEXT
                           ",'expires_at':" TIME ",'errors':{'type':'array'}")},
        {"Value",
         OBJECT("'value','rev','encoding'",
                "'value':" ANY ",'rev':" TEXT ",'encoding':" ENCODING ",'expires_at':" TIME)},
        {"Read", "{'anyOf':[" REF("Value") ",{'description':'with ?raw: the value itself'}]}"},
        {"Envelope", "{'type':'object','required':['value'],'additionalProperties':false,"
                     "'properties':{'value':" ANY ",'encoding':" ENCODING "}}"},
        {"Item", OBJECT("'key','rev'", "'scope':" TEXT ",'key':" TEXT ",'value':" ANY ",'rev':" TEXT
                                       ",'encoding':" ENCODING ",'expires_at':" TIME)},
        {"Items", LIST("items", REF("Item"), CURSOR)},
        {"List", "{'anyOf':[" REF("Items") ",{'type':'array'}]}"},
        {"ManyItems", LIST("items", "{'anyOf':[" REF("Item") ",{'type':'null'}]}", "")},
        {"Cleared", OBJECT("'deleted','done'", "'deleted':" INT ",'done':" BOOL CURSOR)},
        {"Groups", LIST("groups", TEXT, CURSOR)},
        {"Objects", LIST("objects", OBJECT("'object_key'", "'object_key':" TEXT), CURSOR)},
        {"Namespaces", LIST("namespaces", OBJECT("'namespace'", "'namespace':" TEXT), CURSOR)},
        {"Ops", LIST("ops", "{'type':'object'}", ",'atomic':" BOOL ",'if_rev':" TEXT)},
        {"GetMany", OBJECT("", "'scope':" TEXT ",'keys':{'type':'array','items':" TEXT
                               "},'items':{'type':'array','items':{'type':'object'}}")},
        {"Results", LIST("results", "{'type':'object'}", "")},

        {"AlarmWish",
         OBJECT("", "'scope':" TEXT ",'key':" TEXT ",'name':" TEXT ",'delay':" TEXT
                    ",'delay_ms':" INT ",'delaySeconds':" INT ",'scheduledAtUnixMs':" INT
                    ",'at':{'type':['integer','string']},'every':" TEXT ",'cron':" TEXT
                    ",'zone':" TEXT ",'payload':" ANY ",'function_id':" TEXT ",'namespace':" TEXT)},
        {"Alarm", OBJECT("'scope','key','name','state'",
                         "'scope':" TEXT ",'key':" TEXT ",'name':" TEXT ",'state':" TEXT
                         ",'scheduled_at':" INT ",'payload':" ANY)},
        {"Alarms", LIST("alarms", REF("Alarm"), CURSOR)},

        {"Function", OBJECT("'function_id','namespace','kind'",
                            "'function_id':" TEXT ",'namespace':" TEXT ",'kind':" TEXT
                            ",'providers':" INT ",'running':" INT)},
        {"Functions", LIST("functions", REF("Function"), "")},
        {"Worker", OBJECT("'id','name','status'",
                          "'id':" TEXT ",'name':" TEXT ",'namespace':" TEXT
                          ",'status':{'enum':['away','draining','connected']},'functions':"
                          "{'type':'array','items':" TEXT "}")},
        {"Workers", LIST("workers", REF("Worker"), "")},
        {"Drain", OBJECT("'id','draining','in_flight'",
                         "'id':" TEXT ",'draining':" BOOL ",'in_flight':" INT)},

        {"TriggerWish", OBJECT("'function_id'",
                               "'id':" TEXT ",'trigger_type':" TEXT ",'function_id':" TEXT
                               ",'namespace':" TEXT ",'config':{'type':'object'},'metadata':" ANY)},
        {"Trigger",
         OBJECT("'id','version','trigger_type','function_id','status','config'",
                "'id':" TEXT ",'version':" INT ",'trigger_type':" TEXT ",'function_id':" TEXT
                ",'namespace':" TEXT ",'origin':" TEXT ",'status':" TEXT
                ",'config':{'type':'object'},'matched':" INT ",'delivered':" INT)},
        {"Triggers", LIST("registered_triggers", REF("Trigger"), "")},
        {"TriggerTypes", LIST("triggers", OBJECT("'id'", "'id':" TEXT), "")},
        {"Named", OBJECT("'id'", "'id':" TEXT)},
        {"Put",
         OBJECT("'id','version','replaced'", "'id':" TEXT ",'version':" INT ",'replaced':" BOOL)},
        {"Removed", OBJECT("'removed'", "'removed':" BOOL)},
        {"Paused", OBJECT("'id','paused'", "'id':" TEXT ",'paused':" BOOL)},

        {"Event",
         OBJECT("'id','seq','event_type','scope','key'",
                "'id':" TEXT ",'seq':" INT ",'type':" TEXT ",'event_type':" TEXT ",'scope':" TEXT
                ",'key':" TEXT ",'time':" TIME ",'old_value':" ANY ",'new_value':" ANY)},
        {"Events", LIST("events", REF("Event"), ",'next':" INT ",'last':" INT)},
        {"EventIds", LIST("ids", TEXT, "")},
        {"Job", OBJECT("'id','trigger','function_id','seq','state','failed_attempts'",
                       "'id':" TEXT ",'trigger':" TEXT ",'function_id':" TEXT ",'seq':" INT
                       ",'scope':" TEXT ",'key':" TEXT ",'state':" TEXT ",'failed_attempts':" INT
                       ",'due':" TIME)},
        {"Jobs", LIST("jobs", REF("Job"), ",'total':" INT ",'running':" INT ",'waiting':" INT)},
        {"DeadLetters", LIST("dead", OBJECT("'id'", "'id':" TEXT), "")},
        {"Queues", LIST("queues", OBJECT("'queue'", "'queue':" TEXT ",'waiting':" INT), "")},
        {"QueueWish",
         OBJECT("'function_id'",
                "'function_id':" TEXT ",'data':" ANY ",'payload':" ANY ",'namespace':" TEXT
                ",'metadata':" ANY ",'delay':" TEXT ",'delay_ms':" INT ",'delaySeconds':" INT
                ",'at':{'type':['integer','string']}")},
        {"Receipt", OBJECT("'messageReceiptId'",
                           "'messageReceiptId':" TEXT ",'id':" TEXT ",'scheduled_at':" INT)},
        {"ScheduledCall", OBJECT("'id','queue','function_id','scheduled_at','created_at'",
                                 "'id':" TEXT ",'queue':" TEXT ",'function_id':" TEXT
                                 ",'namespace':" TEXT ",'scheduled_at':" INT ",'created_at':" INT
                                 ",'waits_for':" TEXT ",'metadata':" ANY ",'data':" ANY)},
        {"Scheduled", LIST("scheduled", REF("ScheduledCall"), CURSOR)},
        {"Clock", OBJECT("'clock','now'", "'clock':{'enum':['manual','real']},'now':" TIME)},
        {"Rights", "{'type':'object','additionalProperties':{'type':'array','items':" TEXT "}}"},
        {"TokenWish", OBJECT("'name'", "'name':" TEXT ",'rights':" REF(
                                               "Rights") ",'ttl':" TEXT ",'expires_at':" TIME)},
        {"Token", OBJECT("'name','origin','rights','expired'",
                         "'name':" TEXT ",'token':" TEXT
                         ",'origin':{'enum':['config','record','runtime']},'rights':" REF(
                                 "Rights") ",'created_at':" TIME ",'expires_at':" TIME
                                           ",'expired':" BOOL ",'last_used_at':" TIME)},
        {"Tokens", LIST("tokens", REF("Token"), ",'required':" BOOL)},
        {"Revoked", OBJECT("'revoked'", "'revoked':" TEXT)},
        {"Status",
         OBJECT("'status'",
                "'status':{'enum':['ok','starting','degraded','stopping']},'version':" TEXT
                ",'service':" TEXT)},
};

/* What a function takes as a whole body, and what it answers. */
static const struct {
	const char *function;
	const char *body;
	const char *result;
} shapes[] = {
        {"state::set", NULL, "Written"},
        {"state::update", "Ops", "Written"},
        {"state::list", NULL, "List"},
        {"state::list_groups", NULL, "Groups"},
        {"state::list_objects", NULL, "Objects"},
        {"state::list_namespaces", NULL, "Namespaces"},
        {"state::clear", NULL, "Cleared"},
        {"state::get_many", "GetMany", "ManyItems"},
        {"state::transact", "Ops", "Results"},
        {"alarm::list", NULL, "Alarms"},
        {"alarm::set", "AlarmWish", "Alarm"},
        {"alarm::get", NULL, "Alarm"},
        {"alarm::delete", NULL, "Alarm"},
        {"alarm::fire", NULL, "Alarm"},
        {"engine::functions::list", NULL, "Functions"},
        {"engine::functions::info", NULL, "Function"},
        {"engine::workers::list", NULL, "Workers"},
        {"engine::workers::info", NULL, "Worker"},
        {"engine::workers::drain", NULL, "Drain"},
        {"engine::workers::resume", NULL, "Drain"},
        {"engine::triggers::list", NULL, "TriggerTypes"},
        {"engine::triggers::put", "TriggerWish", "Put"},
        {"engine::triggers::pause", NULL, "Paused"},
        {"engine::triggers::resume", NULL, "Paused"},
        {"engine::registered-triggers::list", NULL, "Triggers"},
        {"engine::registered-triggers::info", NULL, "Trigger"},
        {"engine::register_trigger", "TriggerWish", "Named"},
        {"engine::unregister_trigger", NULL, "Removed"},
        {"engine::events::list", NULL, "Events"},
        {"engine::events::get", NULL, "Event"},
        {"engine::events::publish", NULL, "EventIds"},
        {"engine::jobs::list", NULL, "Jobs"},
        {"engine::jobs::show", NULL, "Job"},
        {"engine::jobs::cancel", NULL, "Named"},
        {"engine::jobs::retry", NULL, "Named"},
        {"engine::dead::list", NULL, "DeadLetters"},
        {"engine::queue::list", NULL, "Queues"},
        {"engine::queue::enqueue", "QueueWish", "Receipt"},
        {"engine::scheduled::list", NULL, "Scheduled"},
        {"engine::scheduled::get", NULL, "ScheduledCall"},
        {"engine::scheduled::cancel", NULL, "ScheduledCall"},
        {"engine::clock::now", NULL, "Clock"},
        {"engine::clock::advance", NULL, "Clock"},
        {"engine::tokens::list", NULL, "Tokens"},
        {"engine::tokens::create", "TokenWish", "Token"},
        {"engine::tokens::revoke", NULL, "Revoked"},
        {"engine::status", NULL, "Status"},
};

static size_t find(const char *function)
{
	size_t i = 0;
	while (i < sizeof shapes / sizeof *shapes && function != NULL &&
	       strcmp(shapes[i].function, function) != 0) {
		i++;
	}
	return function != NULL ? i : sizeof shapes / sizeof *shapes;
}

const char *openapi_schema_of_body(const char *function)
{
	size_t i = find(function);
	return i < sizeof shapes / sizeof *shapes ? shapes[i].body : NULL;
}

const char *openapi_schema_of_result(const char *function)
{
	size_t i = find(function);
	return i < sizeof shapes / sizeof *shapes ? shapes[i].result : NULL;
}

void openapi_schemas_write(struct buf *out)
{
	for (size_t i = 0; i < sizeof schemas / sizeof *schemas; i++) {
		size_t at;
		json_write_name(out, schemas[i].name);
		at = out->len;
		buf_span(out, span_of(schemas[i].json));
		for (; at < out->len; at++) {
			out->ptr[at] = out->ptr[at] == '\'' ? '"' : out->ptr[at];
		}
	}
}
