/* This file loads OpenSSL 3 when it is first needed: the functions that we use, found by name. */
/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/openssl.h"

#include <dlfcn.h>
#include <string.h>

int openssl_load(struct openssl *out, struct err *err)
{
	struct openssl found;
	const struct {
		const char *name;
		void *function; /* where its address goes */
	} wanted[] = {
	        {"TLS_server_method", &found.server_method},
	        {"TLS_client_method", &found.client_method},
	        {"SSL_CTX_new", &found.context_new},
	        {"SSL_CTX_free", &found.context_free},
	        {"SSL_CTX_ctrl", &found.context_control},
	        {"SSL_CTX_set_options", &found.context_options},
	        {"SSL_CTX_use_certificate_chain_file", &found.context_cert},
	        {"SSL_CTX_use_PrivateKey_file", &found.context_key},
	        {"SSL_CTX_check_private_key", &found.context_matches},
	        {"SSL_CTX_load_verify_file", &found.context_trust},
	        {"SSL_CTX_set_default_verify_paths", &found.context_trust_system},
	        {"SSL_CTX_set_verify", &found.context_verify},
	        {"SSL_load_client_CA_file", &found.names_load},
	        {"SSL_CTX_set_client_CA_list", &found.context_names},
	        {"SSL_CTX_set_alpn_select_cb", &found.context_alpn},
	        {"SSL_CTX_set_default_passwd_cb", &found.context_password},
	        {"SSL_CTX_set_session_id_context", &found.context_session_name},
	        {"SSL_CTX_get0_certificate", &found.context_shown},
	        {"SSL_new", &found.ssl_new},
	        {"SSL_free", &found.ssl_free},
	        {"SSL_set0_rbio", &found.ssl_source},
	        {"SSL_set0_wbio", &found.ssl_target},
	        {"SSL_set_accept_state", &found.ssl_accept},
	        {"SSL_set_connect_state", &found.ssl_connect},
	        {"SSL_do_handshake", &found.ssl_shake},
	        {"SSL_read_ex", &found.ssl_read},
	        {"SSL_write_ex", &found.ssl_write},
	        {"SSL_shutdown", &found.ssl_shutdown},
	        {"SSL_get_error", &found.ssl_error},
	        {"SSL_is_init_finished", &found.ssl_is_open},
	        {"SSL_ctrl", &found.ssl_control},
	        {"SSL_set1_host", &found.ssl_host},
	        {"SSL_set_alpn_protos", &found.ssl_alpn},
	        {"SSL_get_verify_result", &found.ssl_verdict},
	        {"BIO_s_mem", &found.memory},
	        {"BIO_new", &found.bio_new},
	        {"BIO_new_mem_buf", &found.bio_borrow},
	        {"BIO_ctrl", &found.bio_control},
	        {"ERR_peek_error", &found.error_first},
	        {"ERR_peek_last_error", &found.error_last},
	        {"ERR_clear_error", &found.error_clear},
	        {"ERR_reason_error_string", &found.error_text},
	        {"X509_verify_cert_error_string", &found.verdict_text},
	        {"X509_get0_notAfter", &found.cert_until},
	        {"ASN1_TIME_to_tm", &found.time_read},
	};
	void *library = dlopen("libssl.so.3", RTLD_NOW | RTLD_LOCAL); /* libcrypto comes with it */
	for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++) {
		void *function = library ? dlsym(library, wanted[i].name) : NULL;
		if (function == NULL) {
			const char *why = dlerror();
			return err_set(err, E_UNSUPPORTED, "openssl_missing",
			               "TLS needs libssl.so.3 (Debian: libssl3): %s",
			               why ? why : wanted[i].name);
		}
		memcpy(wanted[i].function, &function, sizeof function);
	}
	*out = found;
	return 0;
}
