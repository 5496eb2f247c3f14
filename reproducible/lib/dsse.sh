# SPDX-License-Identifier: ISC
# DSSE envelopes (secure-systems-lab/dsse, protocol.md 1.0.0) and verifier keys
# (C2SP signed-note) by openssl: Ed25519 alone, and no key but a file.
# shellcheck shell=bash

STATEMENT_TYPE=application/vnd.in-toto+json
# An Ed25519 public key in DER is these bytes and the key's 32 (RFC 8410).
ED25519_DER=302a300506032b6570032100

# pae TYPE FILE: what is signed, on standard output.
pae() {
	printf 'DSSEv1 %d %s %d ' "$(printf %s "$1" | wc -c)" "$1" "$(wc -c <"$2")"
	cat -- "$2"
}

# unbase64 TEXT: its bytes; both alphabets, padded or not.  False: it is neither.
unbase64() {
	local text=${1//-/+}
	text=${text//_//}
	[[ $text =~ ^[A-Za-z0-9+/]*={0,2}$ ]] || return 1
	text=${text%=}
	text=${text%=}
	while [ $((${#text} % 4)) -ne 0 ]; do text+='='; done
	printf %s "$text" | base64 -d 2>/dev/null
}

unhex() { # DIGITS: their bytes
	# shellcheck disable=SC2059 # escapes of our own making
	printf "$(printf %s "$1" | sed 's/../\\x&/g')"
}
to_hex() { od -An -v -tx1 | tr -d ' \n'; }

# pem HEX: the public key of these 32 bytes as PEM.  The DER before a key is 12
# bytes, so 16 digits of base64.
pem() {
	printf -- '-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA%s\n-----END PUBLIC KEY-----\n' "$(unhex "$1" | base64 -w 0)"
}

# key_id NAME HEX: first four bytes of SHA-256(name, newline, type and key).
key_id() {
	local sum
	sum=$({ printf '%s\n' "$1"; unhex "$2"; } | sha256sum)
	printf %s "${sum:0:8}"
}

# vkey_of NAME PEM: the verifier key NAME+ID+BASE64 of a public or private key.
# False: no Ed25519 key that openssl can read.
vkey_of() {
	local der typed
	der=$(openssl pkey -in "$2" -pubout -outform DER 2>/dev/null | to_hex) ||
		der=$(openssl pkey -pubin -in "$2" -outform DER 2>/dev/null | to_hex) || return 1
	[[ $der =~ ^${ED25519_DER}[0-9a-f]{64}$ ]] || return 1
	typed=01${der#"$ED25519_DER"}
	printf '%s+%s+%s\n' "$1" "$(key_id "$1" "$typed")" "$(unhex "$typed" | base64 -w 0)"
}

# vkey_read VKEY: its 32 bytes in hexadecimal in $vkey_key, its name in
# $vkey_name.  False: $vkey_wrong says why.
vkey_read() {
	local id typed
	[[ $1 =~ ^([^+[:space:]]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]+=*)$ ]] || {
		vkey_wrong='is not NAME+ID+KEY'
		return 1
	}
	vkey_name=${BASH_REMATCH[1]} id=${BASH_REMATCH[2]}
	typed=$(unbase64 "${BASH_REMATCH[3]}" | to_hex) || { vkey_wrong='is no base64'; return 1; }
	[[ $typed =~ ^01[0-9a-f]{64}$ ]] || {
		vkey_wrong='is no Ed25519 key (type 01, 32 bytes)'
		return 1
	}
	typed=${typed:0:66}
	[ "$(key_id "$vkey_name" "$typed")" = "$id" ] || {
		# shellcheck disable=SC2034 # the result
		vkey_wrong="has an id that is not that of its name and key: $(key_id "$vkey_name" "$typed")"
		return 1
	}
	# shellcheck disable=SC2034 # the result
	vkey_key=${typed:2}
}

# signature_holds PEM MESSAGE SIGNATURE (files)
signature_holds() {
	[ "$(wc -c <"$3")" = 64 ] &&
		openssl pkeyutl -verify -pubin -inkey "$1" -rawin -in "$2" -sigfile "$3" >/dev/null 2>&1
}

# envelope NAME KEY FILE: FILE, a statement, signed by the private key of NAME:
# one line.  What was signed is verified before it is printed.
envelope() {
	local vkey work id
	vkey=$(vkey_of "$1" "$2") || return 1
	id=${vkey#*+}
	work=$(mktemp -d)
	pae "$STATEMENT_TYPE" "$3" >"$work/pae"
	if ! openssl pkeyutl -sign -inkey "$2" -rawin -in "$work/pae" -out "$work/sig" 2>/dev/null ||
		! openssl pkey -in "$2" -pubout -out "$work/pub" 2>/dev/null ||
		! signature_holds "$work/pub" "$work/pae" "$work/sig"; then
		rm -rf "$work"
		return 1
	fi
	base64 -w 0 <"$3" >"$work/payload"
	jq -cn --rawfile payload "$work/payload" --arg type "$STATEMENT_TYPE" \
		--arg keyid "$1+${id%%+*}" --arg sig "$(base64 -w 0 <"$work/sig")" \
		'{payload: $payload, payloadType: $type, signatures: [{keyid: $keyid, sig: $sig}]}'
	rm -rf "$work"
}
