/* This file loads OpenSSL 3 when it is first needed: the functions that we use, found by name. */
/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WIRE_OPENSSL_H
#define WIRE_OPENSSL_H

#include "base/err.h"
#include <openssl/buffer.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

/* As openssl/ssl.h and openssl/err.h declare them. A program that never asks for TLS loads none of
 * it. */
struct openssl {
	const SSL_METHOD *(*server_method)(void);
	const SSL_METHOD *(*client_method)(void);
	SSL_CTX *(*context_new)(const SSL_METHOD *method);
	void (*context_free)(SSL_CTX *context);
	long (*context_control)(SSL_CTX *context, int what, long number, void *ptr);
	uint64_t (*context_options)(SSL_CTX *context, uint64_t options);
	int (*context_cert)(SSL_CTX *context, const char *file);
	int (*context_key)(SSL_CTX *context, const char *file, int type);
	int (*context_matches)(const SSL_CTX *context);
	int (*context_trust)(SSL_CTX *context, const char *file);
	int (*context_trust_system)(SSL_CTX *context);
	void (*context_verify)(SSL_CTX *context, int mode, SSL_verify_cb callback);
	STACK_OF(X509_NAME) * (*names_load)(const char *file);
	void (*context_names)(SSL_CTX *context, STACK_OF(X509_NAME) * names);
	void (*context_alpn)(SSL_CTX *context, SSL_CTX_alpn_select_cb_func choose, void *ctx);
	void (*context_password)(SSL_CTX *context, pem_password_cb *ask);
	int (*context_session_name)(SSL_CTX *context, const unsigned char *name, unsigned len);
	X509 *(*context_shown)(const SSL_CTX *context);

	SSL *(*ssl_new)(SSL_CTX *context);
	void (*ssl_free)(SSL *ssl);
	void (*ssl_source)(SSL *ssl, BIO *source); /* gives it away, as the next does */
	void (*ssl_target)(SSL *ssl, BIO *target);
	void (*ssl_accept)(SSL *ssl);
	void (*ssl_connect)(SSL *ssl);
	int (*ssl_shake)(SSL *ssl);
	int (*ssl_read)(SSL *ssl, void *bytes, size_t room, size_t *out_len);
	int (*ssl_write)(SSL *ssl, const void *bytes, size_t len, size_t *out_len);
	int (*ssl_shutdown)(SSL *ssl);
	int (*ssl_error)(const SSL *ssl, int result);
	int (*ssl_is_open)(const SSL *ssl);
	long (*ssl_control)(SSL *ssl, int what, long number, void *ptr);
	int (*ssl_host)(SSL *ssl, const char *host);
	int (*ssl_alpn)(SSL *ssl, const unsigned char *names, unsigned len);
	long (*ssl_verdict)(const SSL *ssl);

	const BIO_METHOD *(*memory)(void);
	BIO *(*bio_new)(const BIO_METHOD *method);
	BIO *(*bio_borrow)(const void *bytes, int len);
	long (*bio_control)(BIO *bio, int what, long number, void *ptr);

	unsigned long (*error_first)(void);
	unsigned long (*error_last)(void);
	void (*error_clear)(void);
	const char *(*error_text)(unsigned long error);
	const char *(*verdict_text)(long verdict);
	const ASN1_TIME *(*cert_until)(const X509 *cert);
	int (*time_read)(const ASN1_TIME *time, struct tm *out);
};

/* E_UNSUPPORTED "openssl_missing". What is loaded stays until we exit. */
int openssl_load(struct openssl *out, struct err *err);

#endif
