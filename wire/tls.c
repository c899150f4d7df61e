/* This file turns plain bytes into those of TLS and back, at either end, without sockets. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/tls.h"

#include "base/mem.h"
#include "wire/openssl.h"
#include <arpa/inet.h>
#include <limits.h>
#include <string.h>
#include <time.h>

enum {
	PIECE = 16 * 1024,    /* what one record holds at most */
	TARGET_MAX = 8 * 1024 /* a larger target is not kept while nothing is sent */
};

static const unsigned char protocols[] = "\x08http/1.1";
enum { PROTOCOLS_LEN = sizeof protocols - 1 };

struct tls_context {
	struct openssl lib;
	SSL_CTX *ssl;
	unsigned references;
};

struct tls {
	struct tls_context *context;
	SSL *ssl;
	BIO *target; /* OpenSSL's; empty between calls */
	enum tls_state state;
	bool said_goodbye;
};

/* ---- contexts ---- */

static const char *reason_of(const struct openssl *lib, unsigned long error)
{
	if (ERR_SYSTEM_ERROR(error)) {
		return strerror(ERR_GET_REASON(error));
	}
	const char *text = lib->error_text(error);
	return text ? text : "the reason is not known";
}

static int refuse_file(const struct openssl *lib, const char *what, const char *file,
                       struct err *err)
{
	return err_set(err, E_INVALID, "invalid_certificate", "%s %s: %s", what, file,
	               reason_of(lib, lib->error_first()));
}

/* A key that is encrypted is refused: there is nobody to ask. */
static int no_password(char *room, int size, int is_writing, void *ctx)
{
	(void)room;
	(void)size;
	(void)is_writing;
	(void)ctx;
	return -1;
}

/* Whoever names protocols must name ours. */
static int choose_protocol(SSL *ssl, const unsigned char **out, unsigned char *out_len,
                           const unsigned char *offered, unsigned len, void *ctx)
{
	(void)ssl;
	(void)ctx;
	for (unsigned at = 0; at < len; at += 1u + offered[at]) {
		if (len - at >= PROTOCOLS_LEN &&
		    memcmp(offered + at, protocols, PROTOCOLS_LEN) == 0) {
			*out = protocols + 1;
			*out_len = PROTOCOLS_LEN - 1;
			return SSL_TLSEXT_ERR_OK;
		}
	}
	return SSL_TLSEXT_ERR_ALERT_FATAL;
}

static int context_new(bool is_server, struct tls_context **out, struct err *err)
{
	struct openssl lib;
	int status = openssl_load(&lib, err);
	if (status != 0) {
		return status;
	}
	struct tls_context *context = MEM_NEW(struct tls_context);
	context->lib = lib;
	context->references = 1;
	context->ssl = lib.context_new(is_server ? lib.server_method() : lib.client_method());
	PRE(context->ssl != NULL); /* only without memory */
	SSL_CTX *ssl = context->ssl;
	(void)lib.context_options(ssl, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
	(void)lib.context_control(ssl, SSL_CTRL_SET_MIN_PROTO_VERSION, TLS1_2_VERSION, NULL);
	(void)lib.context_control(ssl, SSL_CTRL_MODE, SSL_MODE_RELEASE_BUFFERS, NULL);
	(void)lib.context_control(ssl, SSL_CTRL_SET_SESS_CACHE_MODE, SSL_SESS_CACHE_OFF, NULL);
	lib.context_password(ssl, no_password);
	*out = context;
	return 0;
}

static int want_clients(const struct tls_context *context, const char *file, struct err *err)
{
	const struct openssl *lib = &context->lib;
	STACK_OF(X509_NAME) *names = lib->names_load(file);
	if (names == NULL || lib->context_trust(context->ssl, file) != 1) {
		return refuse_file(lib, "the certificates of those who sign clients'", file, err);
	}
	lib->context_names(context->ssl, names);
	lib->context_verify(context->ssl, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	return 0;
}

int tls_context_serve(const struct tls_files *files, struct tls_context **out, struct err *err)
{
	static const unsigned char session_name[] = "pawl";
	struct tls_context *context;
	int status = context_new(true, &context, err);
	if (status != 0) {
		return status;
	}
	const struct openssl *lib = &context->lib;
	lib->error_clear();
	lib->context_alpn(context->ssl, choose_protocol, NULL);
	(void)lib->context_session_name(context->ssl, session_name, sizeof session_name - 1);
	if (lib->context_cert(context->ssl, files->cert) != 1) {
		status = refuse_file(lib, "the certificate", files->cert, err);
	} else if (lib->context_key(context->ssl, files->key, SSL_FILETYPE_PEM) != 1 ||
	           lib->context_matches(context->ssl) != 1) {
		status = refuse_file(lib, "the key", files->key, err);
	} else if (files->client_ca != NULL) {
		status = want_clients(context, files->client_ca, err);
	}
	if (status != 0) {
		tls_context_drop(context);
		return status;
	}
	*out = context;
	return 0;
}

int tls_context_ask(const struct tls_trust *trust, struct tls_context **out, struct err *err)
{
	struct tls_context *context;
	int status = context_new(false, &context, err);
	if (status != 0) {
		return status;
	}
	const struct openssl *lib = &context->lib;
	lib->error_clear();
	if (trust->anyone) {
		lib->context_verify(context->ssl, SSL_VERIFY_NONE, NULL);
	} else if (trust->ca_file == NULL) {
		lib->context_verify(context->ssl, SSL_VERIFY_PEER, NULL);
		(void)lib->context_trust_system(context->ssl); /* without one, nobody is trusted */
	} else {
		lib->context_verify(context->ssl, SSL_VERIFY_PEER, NULL);
		if (lib->context_trust(context->ssl, trust->ca_file) != 1) {
			status = refuse_file(lib, "the certificates to trust", trust->ca_file, err);
			tls_context_drop(context);
			return status;
		}
	}
	*out = context;
	return 0;
}

struct tls_context *tls_context_take(struct tls_context *context)
{
	context->references++;
	return context;
}

void tls_context_drop(struct tls_context *context)
{
	if (context != NULL && --context->references == 0) {
		context->lib.context_free(context->ssl);
		mem_free(context);
	}
}

int64_t tls_context_until_ms(const struct tls_context *context)
{
	const X509 *cert = context->lib.context_shown(context->ssl);
	struct tm until;
	if (cert == NULL || context->lib.time_read(context->lib.cert_until(cert), &until) != 1) {
		return 0;
	}
	return (int64_t)timegm(&until) * 1000;
}

/* ---- one end ---- */

static BIO *new_target(const struct openssl *lib)
{
	BIO *target = lib->bio_new(lib->memory());
	PRE(target != NULL); /* only without memory */
	return target;
}

static struct tls *tls_new(struct tls_context *context)
{
	struct tls *tls = MEM_NEW(struct tls);
	tls->context = tls_context_take(context);
	tls->ssl = context->lib.ssl_new(context->ssl);
	PRE(tls->ssl != NULL); /* only without memory */
	tls->target = new_target(&context->lib);
	context->lib.ssl_target(tls->ssl, tls->target);
	return tls;
}

struct tls *tls_new_server(struct tls_context *context)
{
	struct tls *tls = tls_new(context);
	context->lib.ssl_accept(tls->ssl);
	return tls;
}

struct tls *tls_new_client(struct tls_context *context, const char *host)
{
	struct tls *tls = tls_new(context);
	const struct openssl *lib = &context->lib;
	unsigned char address[sizeof(struct in6_addr)];
	bool is_address =
	        inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1;
	lib->ssl_connect(tls->ssl);
	(void)lib->ssl_alpn(tls->ssl, protocols, PROTOCOLS_LEN);
	/* Fails only for what is no name: the handshake then says that the certificate is
	 * another's. */
	(void)lib->ssl_host(tls->ssl, host);
	if (!is_address) {
		(void)lib->ssl_control(tls->ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME,
		                       TLSEXT_NAMETYPE_host_name, (void *)(uintptr_t)host);
	}
	return tls;
}

void tls_free(struct tls *tls)
{
	if (tls != NULL) {
		tls->context->lib.ssl_free(tls->ssl);
		tls_context_drop(tls->context);
		mem_free(tls);
	}
}

enum tls_state tls_state(const struct tls *tls)
{
	return tls->state;
}

static BUF_MEM *written_by(const struct tls *tls)
{
	BUF_MEM *written = NULL;
	(void)tls->context->lib.bio_control(tls->target, BIO_C_GET_BUF_MEM_PTR, 0, &written);
	return written;
}

/* What was written goes to the caller. */
static void drain(struct tls *tls, struct buf *out_wire)
{
	const BUF_MEM *written = written_by(tls);
	if (written->length != 0) {
		buf_add(out_wire, written->data, written->length);
		(void)tls->context->lib.bio_control(tls->target, BIO_CTRL_RESET, 0, NULL);
	}
}

/* The memory of what was drained goes when it was much. */
static void shrink(struct tls *tls)
{
	const struct openssl *lib = &tls->context->lib;
	if (tls->state == TLS_OPEN && written_by(tls)->max > TARGET_MAX) {
		tls->target = new_target(lib);
		lib->ssl_target(tls->ssl, tls->target);
	}
}

static int fail(struct tls *tls, struct err *err)
{
	const struct openssl *lib = &tls->context->lib;
	unsigned long error = lib->error_last();
	long verdict = lib->ssl_verdict(tls->ssl);
	tls->state = TLS_FAILED;
	if (ERR_GET_LIB(error) == ERR_LIB_SSL && ERR_GET_REASON(error) == SSL_R_HTTP_REQUEST) {
		return err_set(err, E_DENIED, "plain_http", "an HTTP request without TLS");
	}
	if (verdict != X509_V_OK && ERR_GET_REASON(error) == SSL_R_CERTIFICATE_VERIFY_FAILED) {
		return err_set(err, E_DENIED, "untrusted", "the certificate is not trusted: %s",
		               lib->verdict_text(verdict));
	}
	return err_set(err, E_INVALID, "tls_failed", "%s", reason_of(lib, error));
}

/* What a call that did not go through means: 0 when it only wants more bytes. */
static int judge(struct tls *tls, int result, struct err *err)
{
	switch (tls->context->lib.ssl_error(tls->ssl, result)) {
	case SSL_ERROR_WANT_READ:
		return 0;
	case SSL_ERROR_ZERO_RETURN:
		tls->state = TLS_ENDED;
		return 0;
	default:
		return fail(tls, err);
	}
}

/* Reads all that is there. */
static int read_on(struct tls *tls, struct buf *out_plain, struct err *err)
{
	const struct openssl *lib = &tls->context->lib;
	if (tls->state == TLS_SHAKING) {
		int result = lib->ssl_shake(tls->ssl);
		if (result != 1) {
			return judge(tls, result, err);
		}
		tls->state = TLS_OPEN;
	}
	for (;;) {
		size_t got = 0;
		int result = lib->ssl_read(tls->ssl, buf_reserve(out_plain, PIECE), PIECE, &got);
		if (result != 1) {
			return judge(tls, result, err);
		}
		out_plain->len += got;
	}
}

int tls_receive(struct tls *tls, struct span wire, struct buf *out_plain, struct buf *out_wire,
                struct err *err)
{
	const struct openssl *lib = &tls->context->lib;
	PRE(wire.len <= INT_MAX);
	if (tls->state == TLS_FAILED || tls->state == TLS_ENDED) {
		return 0; /* nothing that comes now counts */
	}
	BIO *source = lib->bio_borrow(wire.len ? wire.ptr : "", (int)wire.len);
	PRE(source != NULL); /* only without memory */
	(void)lib->bio_control(source, BIO_C_SET_BUF_MEM_EOF_RETURN, -1, NULL);
	lib->ssl_source(tls->ssl, source);
	lib->error_clear();
	int status = read_on(tls, out_plain, err);
	lib->ssl_source(tls->ssl, NULL); /* the bytes are the caller's */
	drain(tls, out_wire);
	return status;
}

int tls_send(struct tls *tls, struct span plain, struct buf *out_wire, struct err *err)
{
	const struct openssl *lib = &tls->context->lib;
	PRE(tls->state == TLS_OPEN || tls->state == TLS_ENDED);
	lib->error_clear();
	while (plain.len != 0) {
		size_t sent = 0;
		size_t piece = plain.len < PIECE ? plain.len : PIECE;
		if (lib->ssl_write(tls->ssl, plain.ptr, piece, &sent) != 1) {
			return fail(tls, err);
		}
		plain = span_make(plain.ptr + sent, plain.len - sent);
		drain(tls, out_wire);
	}
	shrink(tls);
	return 0;
}

void tls_end(struct tls *tls, struct buf *out_wire)
{
	bool was_open = tls->state == TLS_OPEN || tls->state == TLS_ENDED;
	if (was_open && !tls->said_goodbye) {
		tls->said_goodbye = true;
		tls->context->lib.error_clear();
		(void)tls->context->lib.ssl_shutdown(tls->ssl); /* 0: the peer's is still to come */
		drain(tls, out_wire);
	}
}
