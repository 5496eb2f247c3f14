# SPDX-License-Identifier: ISC
# operators.awk POLICY AGREES: which operators agree, of those whom the policy (as
# policy.awk prints it) asks: how many on the first line; then their names, those with
# a group of keys as "GROUP (WITNESS, ...)".  AGREES has a witness a line.
FILENAME == ARGV[2] { agrees[$0] = 1; next }
$1 == "witness" { names[++many] = $2; next }
$1 == "group" { groups[++count] = $0; next }
$1 == "operator" { operator[$2] = $3; next }
$1 == "quorum" { asked[$2] }
END {
	# From the quorum down: a group stands below its members.
	for (g = count; g > 0; g--) {
		n = split(groups[g], word, " ")
		for (i = 4; i <= n; i++) if (word[2] in asked) asked[word[i]]
	}
	for (i = 1; i <= many; i++) if (names[i] in agrees && names[i] in asked) {
		who = names[i] in operator ? operator[names[i]] : names[i]
		if (!(who in keys)) order[++found] = who
		keys[who] = keys[who] (keys[who] == "" ? "" : ", ") names[i]
		grouped[who] = names[i] in operator
	}
	print found + 0
	for (i = 1; i <= found; i++) text = text (i > 1 ? ", " : "") order[i] (grouped[order[i]] ? " (" keys[order[i]] ")" : "")
	print text
}
