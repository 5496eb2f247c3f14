/* SPDX-License-Identifier: ISC */
#include "lib/cli/words.h"

#include "lib/base/buf.h"
#include "lib/base/hex.h"

#include <string.h>
#include <strings.h>

/* clang-format off */
/* The PGP word list: two syllables at even positions, three at odd ones. */
static const char *const even_words[256] = {
	"aardvark", "absurd", "accrue", "acme", "adrift", "adult", "afflict",
	"ahead", "aimless", "Algol", "allow", "alone", "ammo", "ancient",
	"apple", "artist", "assume", "Athens", "atlas", "Aztec", "baboon",
	"backfield", "backward", "banjo", "beaming", "bedlamp", "beehive",
	"beeswax", "befriend", "Belfast", "berserk", "billiard", "bison",
	"blackjack", "blockade", "blowtorch", "bluebird", "bombast",
	"bookshelf", "brackish", "breadline", "breakup", "brickyard",
	"briefcase", "Burbank", "button", "buzzard", "cement", "chairlift",
	"chatter", "checkup", "chisel", "choking", "chopper", "Christmas",
	"clamshell", "classic", "classroom", "cleanup", "clockwork", "cobra",
	"commence", "concert", "cowbell", "crackdown", "cranky", "crowfoot",
	"crucial", "crumpled", "crusade", "cubic", "dashboard", "deadbolt",
	"deckhand", "dogsled", "dragnet", "drainage", "dreadful", "drifter",
	"dropper", "drumbeat", "drunken", "Dupont", "dwelling", "eating",
	"edict", "egghead", "eightball", "endorse", "endow", "enlist", "erase",
	"escape", "exceed", "eyeglass", "eyetooth", "facial", "fallout",
	"flagpole", "flatfoot", "flytrap", "fracture", "framework", "freedom",
	"frighten", "gazelle", "Geiger", "glitter", "glucose", "goggles",
	"goldfish", "gremlin", "guidance", "hamlet", "highchair", "hockey",
	"indoors", "indulge", "inverse", "involve", "island", "jawbone",
	"keyboard", "kickoff", "kiwi", "klaxon", "locale", "lockup", "merit",
	"minnow", "miser", "Mohawk", "mural", "music", "necklace", "Neptune",
	"newborn", "nightbird", "Oakland", "obtuse", "offload", "optic",
	"orca", "payday", "peachy", "pheasant", "physique", "playhouse",
	"Pluto", "preclude", "prefer", "preshrunk", "printer", "prowler",
	"pupil", "puppy", "python", "quadrant", "quiver", "quota", "ragtime",
	"ratchet", "rebirth", "reform", "regain", "reindeer", "rematch",
	"repay", "retouch", "revenge", "reward", "rhythm", "ribcage",
	"ringbolt", "robust", "rocker", "ruffled", "sailboat", "sawdust",
	"scallion", "scenic", "scorecard", "Scotland", "seabird", "select",
	"sentence", "shadow", "shamrock", "showgirl", "skullcap", "skydive",
	"slingshot", "slowdown", "snapline", "snapshot", "snowcap",
	"snowslide", "solo", "southward", "soybean", "spaniel", "spearhead",
	"spellbind", "spheroid", "spigot", "spindle", "spyglass", "stagehand",
	"stagnate", "stairway", "standard", "stapler", "steamship", "sterling",
	"stockman", "stopwatch", "stormy", "sugar", "surmount", "suspense",
	"sweatband", "swelter", "tactics", "talon", "tapeworm", "tempest",
	"tiger", "tissue", "tonic", "topmost", "tracker", "transit", "trauma",
	"treadmill", "Trojan", "trouble", "tumor", "tunnel", "tycoon", "uncut",
	"unearth", "unwind", "uproot", "upset", "upshot", "vapor", "village",
	"virus", "Vulcan", "waffle", "wallet", "watchword", "wayside",
	"willow", "woodlark", "Zulu",
};

static const char *const odd_words[256] = {
	"adroitness", "adviser", "aftermath", "aggregate", "alkali",
	"almighty", "amulet", "amusement", "antenna", "applicant", "Apollo",
	"armistice", "article", "asteroid", "Atlantic", "atmosphere",
	"autopsy", "Babylon", "backwater", "barbecue", "belowground",
	"bifocals", "bodyguard", "bookseller", "borderline", "bottomless",
	"Bradbury", "bravado", "Brazilian", "breakaway", "Burlington",
	"businessman", "butterfat", "Camelot", "candidate", "cannonball",
	"Capricorn", "caravan", "caretaker", "celebrate", "cellulose",
	"certify", "chambermaid", "Cherokee", "Chicago", "clergyman",
	"coherence", "combustion", "commando", "company", "component",
	"concurrent", "confidence", "conformist", "congregate", "consensus",
	"consulting", "corporate", "corrosion", "councilman", "crossover",
	"crucifix", "cumbersome", "customer", "Dakota", "decadence",
	"December", "decimal", "designing", "detector", "detergent",
	"determine", "dictator", "dinosaur", "direction", "disable",
	"disbelief", "disruptive", "distortion", "document", "embezzle",
	"enchanting", "enrollment", "enterprise", "equation", "equipment",
	"escapade", "Eskimo", "everyday", "examine", "existence", "exodus",
	"fascinate", "filament", "finicky", "forever", "fortitude",
	"frequency", "gadgetry", "Galveston", "getaway", "glossary",
	"gossamer", "graduate", "gravity", "guitarist", "hamburger",
	"Hamilton", "handiwork", "hazardous", "headwaters", "hemisphere",
	"hesitate", "hideaway", "holiness", "hurricane", "hydraulic",
	"impartial", "impetus", "inception", "indigo", "inertia", "infancy",
	"inferno", "informant", "insincere", "insurgent", "integrate",
	"intention", "inventive", "Istanbul", "Jamaica", "Jupiter", "leprosy",
	"letterhead", "liberty", "maritime", "matchmaker", "maverick",
	"Medusa", "megaton", "microscope", "microwave", "midsummer",
	"millionaire", "miracle", "misnomer", "molasses", "molecule",
	"Montana", "monument", "mosquito", "narrative", "nebula", "newsletter",
	"Norwegian", "October", "Ohio", "onlooker", "opulent", "Orlando",
	"outfielder", "Pacific", "pandemic", "Pandora", "paperweight",
	"paragon", "paragraph", "paramount", "passenger", "pedigree",
	"Pegasus", "penetrate", "perceptive", "performance", "pharmacy",
	"phonetic", "photograph", "pioneer", "pocketful", "politeness",
	"positive", "potato", "processor", "provincial", "proximate",
	"puberty", "publisher", "pyramid", "quantity", "racketeer",
	"rebellion", "recipe", "recover", "repellent", "replica", "reproduce",
	"resistor", "responsive", "retraction", "retrieval", "retrospect",
	"revenue", "revival", "revolver", "sandalwood", "sardonic", "Saturday",
	"savagery", "scavenger", "sensation", "sociable", "souvenir",
	"specialist", "speculate", "stethoscope", "stupendous", "supportive",
	"surrender", "suspicious", "sympathy", "tambourine", "telephone",
	"therapist", "tobacco", "tolerance", "tomorrow", "torpedo",
	"tradition", "travesty", "trombonist", "truncated", "typewriter",
	"ultimate", "undaunted", "underfoot", "unicorn", "unify", "universe",
	"unravel", "upcoming", "vacancy", "vagabond", "vertigo", "Virginia",
	"visitor", "vocalist", "voyager", "warranty", "Waterloo", "whimsical",
	"Wichita", "Wilmington", "Wyoming", "yesteryear", "Yucatan",
};
/* clang-format on */

static const char *word(uint8_t byte, size_t position)
{
	return position % 2 == 0 ? even_words[byte] : odd_words[byte];
}

void words_write(
	struct buf *out, const uint8_t *data, size_t len, size_t per_line)
{
	for (size_t i = 0; i < len; i++) {
		if (i > 0)
			buf_u8(out,
				per_line > 0 && i % per_line == 0 ? '\n' : ' ');
		buf_text(out, word(data[i], i));
	}
}

/* The byte of a word at an even or odd position; -1 for another word. */
static int byte_of(const char *text, size_t len, size_t position)
{
	for (int byte = 0; byte < 256; byte++) {
		const char *candidate = word((uint8_t)byte, position);

		if (strlen(candidate) == len &&
			strncasecmp(candidate, text, len) == 0)
			return byte;
	}
	return -1;
}

static bool unknown_word(
	const char *text, size_t len, size_t position, struct err *err)
{
	if (byte_of(text, len, position + 1) >= 0)
		return err_set(err, ERR_INPUT,
			"word %zu, \"%.*s\", has %s syllables where one of %s belongs: a word is missing, doubled or exchanged",
			position + 1, (int)len, text,
			position % 2 == 0 ? "three" : "two",
			position % 2 == 0 ? "two" : "three");
	return err_set(err, ERR_INPUT, "word %zu, \"%.*s\", is not in the list",
		position + 1, (int)(len > 40 ? 40 : len), text);
}

static bool read_words(const char *text, struct buf *out, struct err *err)
{
	static const char blanks[] = " \t\r\n";

	for (size_t position = 0;; position++) {
		size_t len;
		int byte;

		text += strspn(text, blanks);
		len = strcspn(text, blanks);
		if (len == 0)
			return buf_ok(out, err);
		byte = byte_of(text, len, position);
		if (byte < 0)
			return unknown_word(text, len, position, err);
		buf_u8(out, (uint8_t)byte);
		text += len;
	}
}

static bool read_hex(const char *text, struct buf *out, struct err *err)
{
	struct buf digits = BUF_EMPTY;
	bool ok;

	for (; *text != '\0'; text++)
		if (strchr(" \t\r\n:", *text) == NULL)
			buf_u8(&digits, (uint8_t)*text);
	ok = buf_ok(&digits, err) && hex_decode(buf_string(&digits), out, err);
	buf_free(&digits);
	return ok;
}

bool words_read(const char *text, struct buf *out, struct err *err)
{
	size_t start = out->len;
	/* Every word has a letter beyond f; digits have none. */
	bool hex =
		strspn(text, "0123456789abcdefABCDEF: \t\r\n") == strlen(text);
	bool ok = hex ? read_hex(text, out, err) : read_words(text, out, err);

	if (!ok)
		out->len = start;
	return ok;
}
