# SPDX-License-Identifier: ISC
# One rebuilder's statement, judged, in three lines: "VERDICT<tab>DETAIL", when it
# was finished, its subjects in one order.  Arguments: $sums (name
# to SHA-256, every published file), $source (commit, tree, lock: what was
# released), $version, $build_type, $command.
def plain: tostring | gsub("[^ -~]"; "?") | .[0:200];
def text: type == "string";
def verdict(v; d): {said: "\(v)\t\(d | plain)", same: ""};
# Of this source: an operator who made two of these that differ contradicts itself.
def verdict_here(v; d): verdict(v; d) + {same: (.subject | sort_by(.name) | map([.name, .digest.sha256]) | tojson)};

def subjects: reduce .subject[] as $s ({}; . + {($s.name): $s.digest.sha256});
def layers($said):
	# The first layer that differs, in the order in which a disc is made.
	[$sums | keys_unsorted[] | select($said[.] != null and $said[.] != $sums[.])] as $differ
	| ["packages", "manifest", "iso"] as $order
	| [$order[] | . as $kind | select(any($differ[]; endswith("." + $kind)))] as $kinds
	| if ($kinds | index("packages")) then "the packages"
	  elif ($kinds | index("manifest")) then "files of the root"
	  elif any($differ[]; endswith(".raw")) then "the extension"
	  elif ($kinds | index("iso")) then "the boot files or the layout"
	  else "the records alone" end;

def judge:
	if type != "object" or ._type != "https://in-toto.io/Statement/v1" then
		verdict("refused"; "is no in-toto statement v1")
	elif .predicateType != "https://slsa.dev/provenance/v1" then
		verdict("refused"; "its predicate is \(.predicateType), not SLSA provenance v1")
	elif (.predicate | type) != "object" or (.predicate.buildDefinition | type) != "object" then
		verdict("refused"; "it has no build definition")
	elif .predicate.buildDefinition.buildType != $build_type then
		verdict("refused"; "another build type: \(.predicate.buildDefinition.buildType)")
	elif (.predicate.buildDefinition.externalParameters | type) != "object" then
		verdict("refused"; "it has no external parameters")
	elif (.predicate.buildDefinition.externalParameters | keys - ["command", "version"]) != [] then
		verdict("refused"; "unknown external parameter: \(.predicate.buildDefinition.externalParameters | keys - ["command", "version"] | join(" "))")
	elif .predicate.buildDefinition.externalParameters.command != $command then
		verdict("refused"; "another command: \(.predicate.buildDefinition.externalParameters.command)")
	elif .predicate.buildDefinition.externalParameters.version != $version then
		verdict("refused"; "it is about version \(.predicate.buildDefinition.externalParameters.version)")
	elif (.subject | type) != "array" or (.subject | length) == 0 then
		verdict("refused"; "it has no subjects")
	elif [.subject[] | select(type != "object" or (.name | text | not))] != [] then
		verdict("refused"; "a subject has no name")
	elif [.subject[] | select((.digest | type) != "object" or (.digest.sha256 | text | not)
			or (.digest.sha256 | test("\\A[0-9a-f]{64}\\z") | not))] != [] then
		verdict("refused"; "a subject has no SHA-256: \([.subject[] | select((.digest | type) != "object" or (.digest.sha256 | text | not) or (.digest.sha256 | test("\\A[0-9a-f]{64}\\z") | not)) | .name][0])")
	elif ([.subject[].name] | length) != ([.subject[].name] | unique | length) then
		verdict("refused"; "a subject is named twice")
	else
		subjects as $said
		| (.predicate.buildDefinition.resolvedDependencies // [] | if type == "array" then . else [] end) as $deps
		| {commit: [$deps[] | objects | .digest | objects | .gitCommit // empty],
		   tree: [$deps[] | objects | .digest | objects | .gitTree // empty],
		   lock: [$deps[] | objects | select(.name == "lock") | .digest | objects | .sha256 // empty]} as $built
		| [("commit", "tree", "lock") | select($built[.] != [$source[.]])] as $others
		| [$sums | keys_unsorted[] | select($said[.] == null)] as $missing
		| [$said | keys_unsorted[] | select($sums[.] == null)] as $more
		| [$sums | keys_unsorted[] | select($said[.] != null and $said[.] != $sums[.])] as $differ
		| if $others != [] then
			verdict("another source"; "other \($others | join(" and "))")
		  elif $differ != [] then
			verdict_here("differs"; "\(layers($said)) first; \($differ | join(" "))")
		  elif $missing != [] then
			verdict_here("refused"; "it says nothing of \($missing | join(" "))")
		  elif $more != [] then
			verdict_here("refused"; "it names what was not published: \($more | join(" "))")
		  else verdict_here("agrees"; "\($said | length) files")
		  end
	end;
if length == 1 then .[0] else error("") end
| judge as $judged
| $judged.said, (try (.predicate.runDetails.metadata.finishedOn | plain) catch ""), $judged.same
