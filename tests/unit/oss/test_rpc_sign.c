/* SPDX-License-Identifier: Apache-2.0 */
#include "oss/sign/rpc_sign.h"
#include "tap.h"

/* The numbers are ali-oss's own, of its STS._getSignature() with these parameters. */
int main(void)
{
	struct rpc_param params[] = {
		{S("Signature"), S("is not signed")},
		{S("RoleArn"), S("acs:ram::1:role/a b")},
		{S("Action"), S("AssumeRole")},
		{S("Policy"), S("{\"*'()!~\":\"\xe4\xb8\xad+/\"}")},
		{S("SignatureType"), S("")},
	};
	SCOPED_STRBUF(text, 4096);
	SCOPED_STRBUF(signature, 64);
	rpc_string_to_sign(S("POST"), params, ARRAY_LEN(params), &text);
	IS(strbuf_slice(&text),
		S("POST&%2F&Action%3DAssumeRole%26Policy%3D%257B%2522%252A%2527%2528%2529"
		  "%2521~%2522%253A%2522%25E4%25B8%25AD%252B%252F%2522%257D%26RoleArn%3Da"
		  "cs%253Aram%253A%253A1%253Arole%252Fa%2520b%26SignatureType%3D"),
		"the text that is signed");
	rpc_sign(strbuf_slice(&text), S("secret"), &signature);
	IS(strbuf_slice(&signature), S("DZWedmlijVmw7vTOEOTVtVArmpk="), "its signature");
	return tap_done();
}
