/* This file makes HTTP requests without blocking: libcurl, loaded when first used, on our loop. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/work/webhook_fetch.h"
#include "base/list.h"
#include "base/mem.h"
#include "engine/work/webhook_address.h"
#include <curl/curl.h>
#include <dlfcn.h>
#include <signal.h>
#include <sys/socket.h>
#include <uv.h>

/* What we use of libcurl, found by name. */
struct curl_library {
	CURLcode (*global_init)(long flags);
	CURL *(*easy_new)(void);
	CURLcode (*easy_set)(CURL *easy, CURLoption option, ...);
	CURLcode (*easy_info)(CURL *easy, CURLINFO info, ...);
	void (*easy_free)(CURL *easy);
	const char *(*easy_text)(CURLcode code);
	CURLM *(*multi_new)(void);
	CURLMcode (*multi_set)(CURLM *multi, CURLMoption option, ...);
	CURLMcode (*multi_add)(CURLM *multi, CURL *easy);
	CURLMcode (*multi_remove)(CURLM *multi, CURL *easy);
	CURLMcode (*multi_assign)(CURLM *multi, curl_socket_t socket, void *ptr);
	CURLMcode (*multi_act)(CURLM *multi, curl_socket_t socket, int events, int *running);
	CURLMsg *(*multi_read)(CURLM *multi, int *left);
	CURLMcode (*multi_free)(CURLM *multi);
	struct curl_slist *(*list_add)(struct curl_slist *list, const char *text);
	void (*list_free)(struct curl_slist *list);
};

struct webhook_fetcher {
	struct curl_library curl;
	struct webhook_fetch_options options;
	uv_loop_t *loop;
	CURLM *multi;
	uv_timer_t timer; /* libcurl's own; real time, as its timeouts are */
	struct list fetches;
	unsigned handles; /* ours that are not closed yet */
	bool closing;
	void (*freed)(void *ctx);
	void *freed_ctx;
};

struct webhook_fetch {
	struct list link;
	struct webhook_fetcher *fetcher;
	CURL *easy;
	struct curl_slist *headers;
	struct buf request_body;
	struct buf body;
	char *url; /* the first */
	bool is_private;
	int64_t hops_left;
	int64_t left_ms; /* before this hop began */
	bool is_refused; /* its address */
	bool is_too_large;
	char error[CURL_ERROR_SIZE];
	webhook_fetch_done_fn *done;
	void *ctx;
};

/* One of libcurl's sockets on our loop. */
struct watch {
	uv_poll_t poll;
	struct webhook_fetcher *fetcher;
	curl_socket_t socket;
};

static int load(struct curl_library *curl, struct err *err)
{
	const struct {
		const char *name;
		void *function; /* where its address goes */
	} wanted[] = {
	        {"curl_global_init", &curl->global_init},
	        {"curl_easy_init", &curl->easy_new},
	        {"curl_easy_setopt", &curl->easy_set},
	        {"curl_easy_getinfo", &curl->easy_info},
	        {"curl_easy_cleanup", &curl->easy_free},
	        {"curl_easy_strerror", &curl->easy_text},
	        {"curl_multi_init", &curl->multi_new},
	        {"curl_multi_setopt", &curl->multi_set},
	        {"curl_multi_add_handle", &curl->multi_add},
	        {"curl_multi_remove_handle", &curl->multi_remove},
	        {"curl_multi_assign", &curl->multi_assign},
	        {"curl_multi_socket_action", &curl->multi_act},
	        {"curl_multi_info_read", &curl->multi_read},
	        {"curl_multi_cleanup", &curl->multi_free},
	        {"curl_slist_append", &curl->list_add},
	        {"curl_slist_free_all", &curl->list_free},
	};
	void *library = dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL); /* stays until we exit */
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		void *found = library ? dlsym(library, wanted[i].name) : NULL;
		if (found == NULL) {
			const char *why = dlerror();
			return err_set(
			        err, E_UNSUPPORTED, "curl_missing",
			        "functions over HTTP need libcurl.so.4 (Debian: libcurl4): %s",
			        why ? why : wanted[i].name);
		}
		memcpy(wanted[i].function, &found, sizeof(found));
	}
	return 0;
}

/* ---- the end of a fetch ---- */

/* libcurl no longer works on it. */
static void fetch_detach(struct webhook_fetch *fetch)
{
	list_remove(&fetch->link);
	(void)fetch->fetcher->curl.multi_remove(fetch->fetcher->multi, fetch->easy);
}

static void fetch_free(struct webhook_fetch *fetch)
{
	fetch->fetcher->curl.easy_free(fetch->easy);
	fetch->fetcher->curl.list_free(fetch->headers);
	buf_free(&fetch->request_body);
	buf_free(&fetch->body);
	mem_free(fetch->url);
	mem_free(fetch);
}

void webhook_fetch_cancel(struct webhook_fetch *fetch)
{
	fetch_detach(fetch);
	fetch_free(fetch);
}

static void read_reply(struct webhook_fetch *fetch, struct webhook_reply *out)
{
	struct curl_library *curl = &fetch->fetcher->curl;
	long status = 0;
	curl_off_t retry_after_s = 0;
	const char *type = NULL;
	(void)curl->easy_info(fetch->easy, CURLINFO_RESPONSE_CODE, &status);
	(void)curl->easy_info(fetch->easy, CURLINFO_RETRY_AFTER, &retry_after_s);
	(void)curl->easy_info(fetch->easy, CURLINFO_CONTENT_TYPE, &type);
	*out = (struct webhook_reply){
	        .status = (int)status,
	        .body = buf_view(&fetch->body),
	        .is_json = type == NULL || strcasestr(type, "json") != NULL,
	        .retry_after_ms = (int64_t)retry_after_s * 1000,
	};
}

static void explain(const struct webhook_fetch *fetch, CURLcode code, struct err *err)
{
	const char *text = fetch->error[0] ? fetch->error : fetch->fetcher->curl.easy_text(code);
	if (fetch->is_refused) {
		(void)err_set(
		        err, E_DENIED, "address_refused",
		        "the URL leads to a private or loopback address; these are called only "
		        "with webhooks.allow_private: true");
	} else if (fetch->is_too_large || code == CURLE_FILESIZE_EXCEEDED) {
		(void)err_set(err, E_LIMIT, "output_too_large", "the reply is over %zu bytes",
		              fetch->fetcher->options.max_reply_bytes);
	} else if (code == CURLE_OPERATION_TIMEDOUT) {
		(void)err_set(err, E_TIMEOUT, "TIMEOUT", "%s", text);
	} else {
		(void)err_set(err, E_IO, "http_failed", "%s", text);
	}
}

/* ---- redirects ---- */

/* "https://host:port": up to where the path begins. */
static struct span origin_of(const char *url)
{
	const char *host = strstr(url, "://");
	host = host != NULL ? host + 3 : url;
	return span_make(url, (size_t)(host - url) + strcspn(host, "/?#"));
}

static int judge_hop(const struct webhook_fetch *fetch, const char *to, struct err *err)
{
	struct span from = origin_of(fetch->url);
	struct span there = origin_of(to);
	if (strncasecmp(fetch->url, "https:", 6) == 0 && strncasecmp(to, "https:", 6) != 0) {
		return err_set(err, E_DENIED, "redirect_refused",
		               "the redirect leads away from https");
	}
	bool is_same = from.len == there.len && strncasecmp(from.ptr, there.ptr, from.len) == 0;
	if (fetch->is_private && !is_same) {
		return err_set(err, E_DENIED, "redirect_refused",
		               "the redirect leads to %.*s, and the request carries a secret that "
		               "is for %.*s only",
		               SPAN_ARG(there), SPAN_ARG(from));
	}
	return 0;
}

/* Does the reply send us on? Then the same request goes there (1), or it is refused (E_*). */
static int follow(struct webhook_fetch *fetch, struct err *err)
{
	struct webhook_fetcher *fetcher = fetch->fetcher;
	struct curl_library *curl = &fetcher->curl;
	const char *to = NULL;
	curl_off_t took_us = 0;
	(void)curl->easy_info(fetch->easy, CURLINFO_REDIRECT_URL, &to);
	(void)curl->easy_info(fetch->easy, CURLINFO_TOTAL_TIME_T, &took_us);
	if (to == NULL || fetch->hops_left == 0) {
		return 0;
	}
	int status = judge_hop(fetch, to, err);
	fetch->left_ms -= (int64_t)took_us / 1000;
	if (status == 0 && fetch->left_ms <= 0) {
		status = err_set(err, E_TIMEOUT, "TIMEOUT", "the redirects took all the time");
	}
	if (status != 0) {
		return status;
	}
	char *copy = mem_text(to); /* it is the handle's own */
	fetch->hops_left--;
	buf_clear(&fetch->body);
	(void)curl->multi_remove(fetcher->multi, fetch->easy);
	(void)curl->easy_set(fetch->easy, CURLOPT_URL, copy);
	(void)curl->easy_set(fetch->easy, CURLOPT_TIMEOUT_MS, (long)fetch->left_ms);
	(void)curl->multi_add(fetcher->multi, fetch->easy);
	mem_free(copy);
	return 1;
}

static void fetch_finish(struct webhook_fetch *fetch, CURLcode code)
{
	struct webhook_reply reply = {0};
	struct err err = {0};
	int followed = code == CURLE_OK ? follow(fetch, &err) : 0;
	if (followed > 0) {
		return;
	}
	fetch_detach(fetch); /* done may free the fetcher, whose memory goes on a later turn */
	if (followed < 0) {
		fetch->done(fetch->ctx, NULL, &err);
	} else if (code == CURLE_OK) {
		read_reply(fetch, &reply);
		fetch->done(fetch->ctx, &reply, NULL);
	} else {
		explain(fetch, code, &err);
		fetch->done(fetch->ctx, NULL, &err);
	}
	fetch_free(fetch);
}

static void finish_ended(struct webhook_fetcher *fetcher)
{
	int left;
	CURLMsg *message;
	while (!fetcher->closing && (message = fetcher->curl.multi_read(fetcher->multi, &left))) {
		if (message->msg == CURLMSG_DONE) {
			char *fetch = NULL;
			CURLcode code = message->data.result;
			(void)fetcher->curl.easy_info(message->easy_handle, CURLINFO_PRIVATE,
			                              &fetch);
			fetch_finish((struct webhook_fetch *)(void *)fetch, code);
		}
	}
}

/* ---- libcurl on the loop ---- */

static void fetcher_end(struct webhook_fetcher *fetcher)
{
	if (--fetcher->handles > 0) {
		return;
	}
	void (*freed)(void *ctx) = fetcher->freed;
	void *ctx = fetcher->freed_ctx;
	mem_free(fetcher);
	freed(ctx);
}

static void on_watch_closed(uv_handle_t *handle)
{
	struct watch *watch = handle->data;
	struct webhook_fetcher *fetcher = watch->fetcher;
	mem_free(watch);
	fetcher_end(fetcher);
}

static void on_timer_closed(uv_handle_t *handle)
{
	fetcher_end(handle->data);
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
	struct watch *watch = poll->data;
	struct webhook_fetcher *fetcher = watch->fetcher;
	int flags = (events & UV_READABLE ? CURL_CSELECT_IN : 0) |
	            (events & UV_WRITABLE ? CURL_CSELECT_OUT : 0) |
	            (status < 0 ? CURL_CSELECT_ERR : 0);
	int running;
	(void)fetcher->curl.multi_act(fetcher->multi, watch->socket, flags, &running);
	finish_ended(fetcher);
}

static int on_socket(CURL *easy, curl_socket_t socket, int what, void *ctx, void *known)
{
	(void)easy;
	struct webhook_fetcher *fetcher = ctx;
	struct watch *watch = known;
	if (what == CURL_POLL_REMOVE) {
		if (watch) {
			(void)uv_poll_stop(&watch->poll);
			uv_close((uv_handle_t *)&watch->poll, on_watch_closed);
			(void)fetcher->curl.multi_assign(fetcher->multi, socket, NULL);
		}
		return 0;
	}
	if (watch == NULL) {
		watch = MEM_NEW(struct watch);
		watch->fetcher = fetcher;
		watch->socket = socket;
		if (uv_poll_init_socket(fetcher->loop, &watch->poll, socket) != 0) {
			mem_free(watch);
			return -1;
		}
		watch->poll.data = watch;
		fetcher->handles++;
		(void)fetcher->curl.multi_assign(fetcher->multi, socket, watch);
	}
	int events =
	        (what & CURL_POLL_IN ? UV_READABLE : 0) | (what & CURL_POLL_OUT ? UV_WRITABLE : 0);
	return uv_poll_start(&watch->poll, events, on_ready) == 0 ? 0 : -1;
}

static void on_timer(uv_timer_t *timer)
{
	struct webhook_fetcher *fetcher = timer->data;
	int running;
	(void)fetcher->curl.multi_act(fetcher->multi, CURL_SOCKET_TIMEOUT, 0, &running);
	finish_ended(fetcher);
}

static int on_timeout_wanted(CURLM *multi, long timeout_ms, void *ctx)
{
	(void)multi;
	struct webhook_fetcher *fetcher = ctx;
	if (timeout_ms < 0 || fetcher->closing) {
		return uv_timer_stop(&fetcher->timer);
	}
	uv_update_time(fetcher->loop);
	return uv_timer_start(&fetcher->timer, on_timer, (uint64_t)timeout_ms, 0);
}

/* ---- one fetch ---- */

static curl_socket_t on_open(void *ctx, curlsocktype purpose, struct curl_sockaddr *address)
{
	(void)purpose;
	struct webhook_fetch *fetch = ctx;
	if (!fetch->fetcher->options.allow_private && webhook_address_is_private(&address->addr)) {
		fetch->is_refused = true;
		return CURL_SOCKET_BAD;
	}
	fetch->is_refused = false; /* another address of the name was not */
	return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

static size_t on_body(char *bytes, size_t size, size_t count, void *ctx)
{
	struct webhook_fetch *fetch = ctx;
	if (fetch->body.len + size * count > fetch->fetcher->options.max_reply_bytes) {
		fetch->is_too_large = true;
		return 0;
	}
	buf_add(&fetch->body, bytes, size * count);
	return size * count;
}

static void set_body(struct webhook_fetch *fetch, const struct webhook_request *request)
{
	struct curl_library *curl = &fetch->fetcher->curl;
	if (strcmp(request->method, "HEAD") == 0) {
		(void)curl->easy_set(fetch->easy, CURLOPT_NOBODY, 1L);
		return;
	}
	if (strcmp(request->method, "GET") != 0) {
		buf_span(&fetch->request_body, request->body);
		(void)curl->easy_set(fetch->easy, CURLOPT_POST, 1L);
		(void)curl->easy_set(fetch->easy, CURLOPT_POSTFIELDSIZE_LARGE,
		                     (curl_off_t)request->body.len);
		(void)curl->easy_set(fetch->easy, CURLOPT_POSTFIELDS,
		                     buf_view(&fetch->request_body).ptr);
	}
	(void)curl->easy_set(fetch->easy, CURLOPT_CUSTOMREQUEST, request->method);
}

static void set_headers(struct webhook_fetch *fetch, const struct webhook_request *request)
{
	struct curl_library *curl = &fetch->fetcher->curl;
	struct curl_slist *list = curl->list_add(NULL, "Expect:"); /* never wait for 100 */
	const char *at = request->headers.ptr;
	for (const char *end = at + request->headers.len; at < end; at += strlen(at) + 1) {
		list = curl->list_add(list, at);
	}
	fetch->headers = list;
	(void)curl->easy_set(fetch->easy, CURLOPT_HTTPHEADER, list);
}

/* Options that exist in every libcurl that we load cannot fail. */
static void set_options(struct webhook_fetch *fetch, const struct webhook_request *request)
{
	CURLcode (*set)(CURL *, CURLoption, ...) = fetch->fetcher->curl.easy_set;
	CURL *easy = fetch->easy;
	(void)set(easy, CURLOPT_URL, request->url);
	(void)set(easy, CURLOPT_PRIVATE, fetch);
	(void)set(easy, CURLOPT_ERRORBUFFER, fetch->error);
	(void)set(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	(void)set(easy, CURLOPT_FOLLOWLOCATION, 0L); /* we do, hop by hop */
	/* One connection for all where HTTP/2 is. TLS tells that at once; without it nobody knows
	 * before the first answer, and a slow one would hold up all the others. */
	(void)set(easy, CURLOPT_PIPEWAIT, (long)(strncmp(request->url, "https:", 6) == 0));
	(void)set(easy, CURLOPT_PROXY, "");
	(void)set(easy, CURLOPT_NOSIGNAL, 1L);
	(void)set(easy, CURLOPT_TIMEOUT_MS, (long)request->timeout_ms);
	(void)set(easy, CURLOPT_USERAGENT, "pawl/" PAWL_VERSION);
	(void)set(easy, CURLOPT_OPENSOCKETFUNCTION, on_open);
	(void)set(easy, CURLOPT_OPENSOCKETDATA, fetch);
	(void)set(easy, CURLOPT_WRITEFUNCTION, on_body);
	(void)set(easy, CURLOPT_WRITEDATA, fetch);
	if (request->ca_file) {
		(void)set(easy, CURLOPT_CAINFO, request->ca_file);
	}
	if (request->insecure) {
		(void)set(easy, CURLOPT_SSL_VERIFYPEER, 0L);
		(void)set(easy, CURLOPT_SSL_VERIFYHOST, 0L);
	}
	set_body(fetch, request);
	set_headers(fetch, request);
}

struct webhook_fetch *webhook_fetch_start(struct webhook_fetcher *fetcher,
                                          const struct webhook_request *request,
                                          webhook_fetch_done_fn *done, void *ctx)
{
	struct webhook_fetch *fetch = MEM_NEW(struct webhook_fetch);
	fetch->fetcher = fetcher;
	fetch->done = done;
	fetch->ctx = ctx;
	fetch->url = mem_text(request->url);
	fetch->is_private = request->is_private;
	fetch->hops_left = request->redirects;
	fetch->left_ms = request->timeout_ms;
	fetch->easy = fetcher->curl.easy_new();
	PRE(fetch->easy != NULL); /* only without memory */
	list_init(&fetch->link);
	list_push(&fetcher->fetches, &fetch->link);
	set_options(fetch, request);
	(void)fetcher->curl.multi_add(fetcher->multi, fetch->easy); /* begins by its timer */
	return fetch;
}

int webhook_fetcher_new(uv_loop_t *loop, const struct webhook_fetch_options *options,
                        struct webhook_fetcher **out, struct err *err)
{
	struct curl_library curl;
	int status = load(&curl, err);
	if (status != 0) {
		return status;
	}
	(void)signal(SIGPIPE, SIG_IGN); /* as NOSIGNAL asks of us */
	(void)curl.global_init(CURL_GLOBAL_DEFAULT);
	struct webhook_fetcher *fetcher = MEM_NEW(struct webhook_fetcher);
	fetcher->curl = curl;
	fetcher->options = *options;
	fetcher->loop = loop;
	fetcher->multi = curl.multi_new();
	PRE(fetcher->multi != NULL);
	list_init(&fetcher->fetches);
	(void)uv_timer_init(loop, &fetcher->timer); /* cannot fail */
	fetcher->timer.data = fetcher;
	fetcher->handles = 1;
	(void)curl.multi_set(fetcher->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
	(void)curl.multi_set(fetcher->multi, CURLMOPT_SOCKETDATA, fetcher);
	(void)curl.multi_set(fetcher->multi, CURLMOPT_TIMERFUNCTION, on_timeout_wanted);
	(void)curl.multi_set(fetcher->multi, CURLMOPT_TIMERDATA, fetcher);
	*out = fetcher;
	return 0;
}

void webhook_fetcher_allow_private(struct webhook_fetcher *fetcher, bool allow)
{
	fetcher->options.allow_private = allow;
}

void webhook_fetcher_free(struct webhook_fetcher *fetcher, void (*freed)(void *ctx), void *ctx)
{
	fetcher->closing = true;
	fetcher->freed = freed;
	fetcher->freed_ctx = ctx;
	while (!list_is_empty(&fetcher->fetches)) {
		webhook_fetch_cancel(LIST_FIRST(&fetcher->fetches, struct webhook_fetch, link));
	}
	(void)fetcher->curl.multi_free(fetcher->multi);
	uv_close((uv_handle_t *)&fetcher->timer, on_timer_closed);
}
