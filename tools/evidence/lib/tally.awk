# SPDX-License-Identifier: ISC
# tally.awk POLICY VOTES: does the policy (as policy.awk prints it) hold for the
# witnesses in VOTES, one a line?  Prints "holds" or "lacks", then for people what
# was reached: "NAME HAS of K, MEMBERS members", then how many operators of those
# whom the quorum asks are among them.
FILENAME == ARGV[2] { vote[$0] = 1; next }
$1 == "witness" { value[$2] = -1; next }
$1 == "group" { groups[++count] = $0; next }
$1 == "operator" { operator[$2] = $3; next }
$1 == "quorum" { quorum = $2 }
END {
	for (w in value) value[w] = (w in vote)
	for (g = 1; g <= count; g++) {
		n = split(groups[g], word, " ")
		has = 0
		for (i = 4; i <= n; i++) has += value[word[i]]
		value[word[2]] = (has >= word[3] + 0)
		said[word[2]] = word[2] ": " has " of the " word[3] " asked for, among " n - 3
	}
	print value[quorum] ? "holds" : "lacks"
	print (quorum in said) ? said[quorum] : quorum
	# From the quorum down: a group stands below its members.
	asked[quorum]
	for (g = count; g > 0; g--) {
		n = split(groups[g], word, " ")
		for (i = 4; i <= n; i++) if (word[2] in asked) asked[word[i]]
	}
	for (w in vote) if (w in asked) {
		if (w in operator) w = operator[w]
		if (!(w in counted)) operators++
		counted[w]
	}
	print operators + 0
}
