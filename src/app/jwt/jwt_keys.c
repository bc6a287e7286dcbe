/* SPDX-License-Identifier: Apache-2.0 */
#include "app/jwt/jwt_keys.h"

#include <jansson.h>
#include <stdatomic.h>

#include "base/encode.h"
#include "base/limits.h"
#include "oss/text/json_load.h"

struct named_key {
	bool has_name;
	struct slice name; /* the set's */
	struct signature_key *key;
};

struct jwt_keys {
	atomic_int references;
	size_t count;
	struct named_key keys[LIMIT_JWT_KEYS];
};

static void scoped_json(json_t **value)
{
	json_decref(*value);
}

static void scoped_keys(struct jwt_keys **keys)
{
	jwt_keys_release(*keys);
}

static struct jwt_keys *keys_new(void)
{
	struct jwt_keys *keys = calloc(1, sizeof(*keys));
	if (keys)
		atomic_init(&keys->references, 1);
	return keys;
}

struct jwt_keys *jwt_keys_share(struct jwt_keys *keys)
{
	if (keys)
		atomic_fetch_add(&keys->references, 1);
	return keys;
}

void jwt_keys_release(struct jwt_keys *keys)
{
	if (!keys || atomic_fetch_sub(&keys->references, 1) > 1)
		return;
	for (size_t i = 0; i < keys->count; i++) {
		free((void *)(uintptr_t)keys->keys[i].name.ptr);
		signature_key_free(keys->keys[i].key);
	}
	free(keys);
}

/* ---- JWK --------------------------------------------------------------------------------------
 */

/* Empty if it is no text. */
static struct slice text_of(const json_t *object, const char *name)
{
	const json_t *value = json_object_get(object, name);
	return json_is_string(value) ? slice_of(json_string_value(value), json_string_length(value))
				     : S("");
}

static bool bytes_of(const json_t *object, const char *name, struct strbuf *out)
{
	struct slice text = text_of(object, name);
	return text.len > 0 && base64url_decode(out, text);
}

static bool lists(const json_t *array, const char *word)
{
	size_t i;
	json_t *value;
	json_array_foreach(
		array, i, value) if (json_is_string(value) &&
				     strcmp(json_string_value(value), word) == 0) return true;
	return false;
}

/* RFC 7517 sections 4.2 and 4.3. */
static const char *usage_fault(const json_t *jwk)
{
	const json_t *use = json_object_get(jwk, "use");
	const json_t *operations = json_object_get(jwk, "key_ops");
	if (use && !slice_eq(text_of(jwk, "use"), S("sig")))
		return "the key is not for signatures";
	if (operations && !lists(operations, "verify"))
		return "the key is not for verifying";
	return NULL;
}

static const struct slice algorithm_names[] = {
	[SIGNATURE_HS256] = SLICE_LIT("HS256"),
	[SIGNATURE_RS256] = SLICE_LIT("RS256"),
	[SIGNATURE_ES256] = SLICE_LIT("ES256"),
	[SIGNATURE_EDDSA] = SLICE_LIT("EdDSA"),
};

static enum err invalid(const char **why, const char *text)
{
	*why = text;
	return ERR_INVALID_ARGUMENT;
}

static enum err parse_rsa(const json_t *jwk, struct signature_key **ret, const char **why)
{
	SCOPED_STRBUF(n, LIMIT_PUBLIC_KEY_BYTES);
	SCOPED_STRBUF(e, LIMIT_PUBLIC_KEY_BYTES);
	if (!bytes_of(jwk, "n", &n) || !bytes_of(jwk, "e", &e))
		return invalid(why, "the RSA key has no `n` and `e` in base64url");
	return signature_key_rsa(strbuf_slice(&n), strbuf_slice(&e), ret, why);
}

static enum err parse_ec(const json_t *jwk, struct signature_key **ret, const char **why)
{
	SCOPED_STRBUF(x, LIMIT_PUBLIC_KEY_BYTES);
	SCOPED_STRBUF(y, LIMIT_PUBLIC_KEY_BYTES);
	if (!slice_eq(text_of(jwk, "crv"), S("P-256")))
		return invalid(why, "the curve is not P-256");
	if (!bytes_of(jwk, "x", &x) || !bytes_of(jwk, "y", &y))
		return invalid(why, "the EC key has no `x` and `y` in base64url");
	return signature_key_p256(strbuf_slice(&x), strbuf_slice(&y), ret, why);
}

static enum err parse_okp(const json_t *jwk, struct signature_key **ret, const char **why)
{
	SCOPED_STRBUF(x, LIMIT_PUBLIC_KEY_BYTES);
	if (!slice_eq(text_of(jwk, "crv"), S("Ed25519")))
		return invalid(why, "the curve is not Ed25519");
	if (!bytes_of(jwk, "x", &x))
		return invalid(why, "the OKP key has no `x` in base64url");
	return signature_key_ed25519(strbuf_slice(&x), ret, why);
}

/* A secret is none when it stands where public keys do. */
static enum err parse_key(const json_t *jwk, struct signature_key **ret, const char **why)
{
	struct slice type = text_of(jwk, "kty");
	const char *fault = usage_fault(jwk);
	if (fault)
		return invalid(why, fault);
	if (slice_eq(type, S("RSA")))
		return parse_rsa(jwk, ret, why);
	if (slice_eq(type, S("EC")))
		return parse_ec(jwk, ret, why);
	if (slice_eq(type, S("OKP")))
		return parse_okp(jwk, ret, why);
	return invalid(why, "the key is neither RSA, nor EC, nor OKP");
}

static bool is_for_other_algorithm(const json_t *jwk, const struct signature_key *key)
{
	return json_object_get(jwk, "alg") &&
	       !slice_eq(text_of(jwk, "alg"), algorithm_names[signature_key_algorithm(key)]);
}

static bool is_taken(const struct jwt_keys *keys, const struct named_key *key)
{
	for (size_t i = 0; i < keys->count; i++)
		if (keys->keys[i].has_name && key->has_name &&
			slice_eq(keys->keys[i].name, key->name) &&
			signature_key_algorithm(keys->keys[i].key) ==
				signature_key_algorithm(key->key))
			return true;
	return false;
}

/* Takes `key`, whose name is copied. */
static enum err add(struct jwt_keys *keys, struct named_key key, const char **why)
{
	enum err e = ERR_OK;
	if (keys->count == LIMIT_JWT_KEYS)
		e = invalid(why, "there are too many keys");
	else if (key.name.len > LIMIT_JWT_KID_BYTES)
		e = invalid(why, "a key's `kid` is too long");
	else if (is_taken(keys, &key))
		e = invalid(why, "two keys have the same `kid`");
	else if (key.has_name &&
		 !(key.name.ptr = strndup(key.name.len > 0 ? key.name.ptr : "", key.name.len)))
		e = ERR_UNAVAILABLE;
	if (e)
		signature_key_free(key.key);
	else
		keys->keys[keys->count++] = key;
	return e;
}

/* ERR_OK also if the key is left out, with *why then. */
static enum err add_jwk(struct jwt_keys *keys, const json_t *jwk, const char **why)
{
	struct named_key key = {.has_name = json_object_get(jwk, "kid") != NULL};
	enum err e = parse_key(jwk, &key.key, why);
	if (e == ERR_INVALID_ARGUMENT)
		return ERR_OK;
	if (e)
		return e;
	if (is_for_other_algorithm(jwk, key.key)) {
		signature_key_free(key.key);
		*why = "the key is for an algorithm other than RS256, ES256 and EdDSA";
		return ERR_OK;
	}
	if (key.has_name)
		key.name = text_of(jwk, "kid");
	return add(keys, key, why);
}

static enum err add_json(struct jwt_keys *keys, struct slice text, const char **why)
{
	bool no_memory;
	CLEANUP(scoped_json)
	json_t *root = json_load_text(text, JSON_REJECT_DUPLICATES, NULL, &no_memory);
	if (no_memory)
		return ERR_UNAVAILABLE;
	const json_t *list = json_object_get(root, "keys");
	if (!json_is_object(root))
		return invalid(why, "it is neither a PEM nor the JSON of a JWK or JWK set");
	if (!list)
		return add_jwk(keys, root, why);
	size_t i;
	json_t *jwk;
	json_array_foreach(list, i, jwk)
	{
		enum err e = add_jwk(keys, jwk, why);
		if (e)
			return e;
	}
	return ERR_OK;
}

static enum err add_pem(struct jwt_keys *keys, struct slice text, const char **why)
{
	struct named_key key = {.has_name = false};
	enum err e = signature_key_pem(text, &key.key, why);
	return e ? e : add(keys, key, why);
}

static bool is_pem(struct slice text)
{
	struct slice mark = S("-----BEGIN ");
	return slice_find_slice(text, mark) < text.len;
}

enum err jwt_keys_parse(struct slice text, struct jwt_keys **ret, const char **why)
{
	CLEANUP(scoped_keys) struct jwt_keys *keys = keys_new();
	if (!keys)
		return ERR_UNAVAILABLE;
	if (text.len > LIMIT_JWT_KEYS_BYTES)
		return invalid(why, "it is longer than a set of keys is");
	*why = "there is no key in it";
	enum err e = is_pem(text) ? add_pem(keys, text, why) : add_json(keys, text, why);
	if (!e && keys->count == 0)
		e = ERR_INVALID_ARGUMENT;
	if (!e)
		*ret = TAKE(keys);
	return e;
}

enum err jwt_keys_secret(struct slice secret, struct jwt_keys **ret, const char **why)
{
	CLEANUP(scoped_keys) struct jwt_keys *keys = keys_new();
	struct named_key key = {.has_name = false};
	if (!keys)
		return ERR_UNAVAILABLE;
	if (is_pem(secret) || slice_starts(secret, S("ssh-")) || slice_starts(secret, S("{")))
		return invalid(why, "this is a key and no secret");
	enum err e = signature_key_secret(secret, &key.key, why);
	if (!e)
		e = add(keys, key, why);
	if (!e)
		*ret = TAKE(keys);
	return e;
}

/* ---- Finding ----------------------------------------------------------------------------------
 */

const struct signature_key *jwt_keys_find(const struct jwt_keys *keys,
	enum signature_algorithm algorithm, bool has_name, struct slice name)
{
	const struct signature_key *only = NULL;
	size_t candidates = 0;
	for (size_t i = 0; i < keys->count; i++) {
		const struct named_key *key = &keys->keys[i];
		if (signature_key_algorithm(key->key) != algorithm)
			continue;
		if (has_name && key->has_name && slice_eq(key->name, name))
			return key->key;
		if (has_name && key->has_name)
			continue;
		only = key->key;
		candidates++;
	}
	return candidates == 1 ? only : NULL;
}
