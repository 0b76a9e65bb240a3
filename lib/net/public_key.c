/* net/public_key.c - keys and certificates in PEM (RFC 7468), by GnuTLS. */
#include "net/public_key.h"
#include "base/check.h"

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <string.h>

static const struct str_view head = SV("-----BEGIN "), dashes = SV("-----");

static const char *seek(struct str_view in, struct str_view what)
{
	return in.n ? memmem(in.p, in.n, what.p, what.n) : NULL;
}

/* A whole block, "-----BEGIN" to the end of its "-----END" line, off the front; false: there is none. */
static bool cut_block(struct str_view *pem, struct str_view *label_r, struct str_view *block_r)
{
	const char *begin = seek(*pem, head), *label, *end;
	struct str_view rest;

	if (!begin)
		return false;
	label = begin + head.n;
	rest = str_view(label, pem->n - (size_t)(label - pem->p));
	if (!(end = seek(rest, dashes)))
		return false;
	*label_r = str_view(label, (size_t)(end - label));
	rest = str_view(end, rest.n - label_r->n);
	if (!(end = seek(rest, SV("-----END "))))
		return false;
	rest = str_view(end, rest.n - (size_t)(end - rest.p));
	end = memchr(rest.p, '\n', rest.n);
	end = end ? end + 1 : rest.p + rest.n;
	*block_r = str_view(begin, (size_t)(end - begin));
	*pem = str_view(end, pem->n - (size_t)(end - pem->p));
	return true;
}

static int import(gnutls_pubkey_t key, bool is_certificate, const gnutls_datum_t *pem)
{
	gnutls_x509_crt_t certificate;
	int r;

	if (!is_certificate)
		return gnutls_pubkey_import(key, pem, GNUTLS_X509_FMT_PEM);
	CHECK(gnutls_x509_crt_init(&certificate) == 0);
	r = gnutls_x509_crt_import(certificate, pem, GNUTLS_X509_FMT_PEM);
	if (r == 0)
		r = gnutls_pubkey_import_x509(key, certificate, 0);
	gnutls_x509_crt_deinit(certificate);
	return r;
}

/* Numbers come with a zero octet in front where their first bit is set, and frees what GnuTLS made. */
static bool take(gnutls_datum_t *number, unsigned char out[NET_PUBLIC_KEY_OCTETS], size_t *n_r)
{
	size_t zeros = 0, n;

	while (zeros < number->size && number->data[zeros] == 0)
		zeros++;
	n = number->size - zeros;
	if (n <= NET_PUBLIC_KEY_OCTETS)
		memcpy(out, number->data + zeros, *n_r = n);
	gnutls_free(number->data);
	return n <= NET_PUBLIC_KEY_OCTETS;
}

static int numbers_of(gnutls_pubkey_t key, struct net_public_key *key_r)
{
	gnutls_datum_t first = {0}, second = {0};
	gnutls_ecc_curve_t curve;
	bool fit;
	int r;

	key_r->kind = NET_PUBLIC_KEY_OTHER;
	if (gnutls_pubkey_get_pk_algorithm(key, NULL) == GNUTLS_PK_RSA) {
		key_r->kind = NET_PUBLIC_KEY_RSA;
		r = gnutls_pubkey_export_rsa_raw(key, &first, &second);
	} else if (gnutls_pubkey_get_pk_algorithm(key, NULL) == GNUTLS_PK_ECDSA) {
		r = gnutls_pubkey_export_ecc_raw(key, &curve, &first, &second);
		if (r == 0 && curve == GNUTLS_ECC_CURVE_SECP256R1)
			key_r->kind = NET_PUBLIC_KEY_P256;
	} else {
		return 0;
	}
	if (r < 0)
		return r;
	fit = take(&first, key_r->first, &key_r->first_n);
	return take(&second, key_r->second, &key_r->second_n) && fit ? 0 : GNUTLS_E_SHORT_MEMORY_BUFFER;
}

int net_public_key_next(struct str_view *pem, struct net_public_key *key_r, struct err *e)
{
	struct str_view label, block;
	gnutls_pubkey_t key;
	gnutls_datum_t datum;
	bool is_certificate;
	int r;

	do {
		if (!cut_block(pem, &label, &block))
			return 0;
		if (seek(label, SV("PRIVATE KEY")))
			return err_set(e, ERR_INVALID, "there is a private key in it");
		is_certificate = str_equal(label, SV("CERTIFICATE"));
	} while (!is_certificate && !str_equal(label, SV("PUBLIC KEY")));
	datum = (gnutls_datum_t){(unsigned char *)block.p, (unsigned)block.n};
	CHECK(gnutls_pubkey_init(&key) == 0);
	r = import(key, is_certificate, &datum);
	if (r == 0)
		r = numbers_of(key, key_r);
	gnutls_pubkey_deinit(key);
	return r < 0 ? err_set(e, ERR_INVALID, "a key or certificate can't be read: %s", gnutls_strerror(r)) : 1;
}
