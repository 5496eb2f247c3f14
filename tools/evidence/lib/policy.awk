# SPDX-License-Identifier: ISC
# policy.awk FILE: check a policy in the grammar of C2SP's tlog-policy and print
# it plain: "witness NAME VKEY", "group NAME K MEMBER..." (K a number),
# "operator WITNESS GROUP" for each member of a group "any" (or 1) of witnesses alone,
# "quorum NAME".  What is wrong is printed as "error TEXT", and ends it.
# LC_ALL=C: names are octets.
function wrong(text) { print "error line " FNR ": " text; failed = 1; exit 1 }
function new_name(name) {
	if (name == "none" || name == "-") wrong("the name " name " is taken")
	if (name in kind) wrong("the name " name " is defined twice")
}
{ gsub(/[ \t]+/, " "); sub(/^ /, ""); sub(/ $/, "") }
/[\001-\037\177]/ { wrong("a control character") }
/^$/ || /^#/ { next }
{ count = split($0, word, " ") }
word[1] == "log" { next }
word[1] == "witness" {
	if (count < 3 || count > 4) wrong("a witness is: witness NAME VKEY [URL]")
	new_name(word[2])
	kind[word[2]] = "witness"
	print "witness", word[2], word[3]
	next
}
word[1] == "group" {
	if (count < 4) wrong("a group is: group NAME all|any|K MEMBER...")
	new_name(word[2])
	members = count - 3
	if (word[3] == "all") k = members
	else if (word[3] == "any") k = 1
	else if (word[3] ~ /^[1-9][0-9]?[0-9]?$/) k = word[3] + 0
	else wrong("a group's number is all, any or digits")
	if (k > members) wrong("group " word[2] " asks for " k " of " members)
	line = "group " word[2] " " k
	# "any" and 1 are the same.
	plain = k == 1
	for (i = 4; i <= count; i++) {
		if (!(word[i] in kind)) wrong("group " word[2] " names " word[i] ", which is not defined above it")
		if (word[i] in parent) wrong(word[i] " is a member of two groups: " parent[word[i]] " and " word[2])
		parent[word[i]] = word[2]
		if (kind[word[i]] != "witness") plain = 0
		line = line " " word[i]
	}
	kind[word[2]] = "group"
	if (plain)
		for (i = 4; i <= count; i++) operator[word[i]] = word[2]
	print line
	next
}
word[1] == "quorum" {
	if (count != 2) wrong("a quorum is: quorum NAME")
	if (quorum != "") wrong("a second quorum")
	if (word[2] == "none") wrong("the quorum is none: nobody is asked")
	if (!(word[2] in kind)) wrong("quorum names " word[2] ", which is not defined above it")
	quorum = word[2]
	print "quorum", quorum
	next
}
{ wrong("\"" word[1] "\" is neither log, witness, group nor quorum") }
END {
	if (failed) exit 1
	if (quorum == "") { print "error there is no quorum line"; exit 1 }
	# The quorum itself is no operator, even where any of its members will do.
	for (w in operator) if (operator[w] != quorum) print "operator", w, operator[w]
}
