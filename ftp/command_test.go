package ftp

import (
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
)

func TestTableIsSound(t *testing.T) {
	seen := map[string]bool{}
	for c := range Commands() {
		if seen[c.Verb] {
			t.Errorf("%s has two rows", c.Verb)
		}
		seen[c.Verb] = true
		if l, err := ParseCommand([]byte(c.Verb)); err != nil || l.Verb != c.Verb {
			t.Errorf("%s does not parse as itself: %v, %v", c.Verb, l, err)
		}
		if got, ok := Lookup(c.Verb); !ok || got != c {
			t.Errorf("Lookup(%q) is another row", c.Verb)
		}
		if c.RFC == "" || len(c.Replies) == 0 {
			t.Errorf("%s lacks a document or replies", c.Verb)
		}
		if (c.Arg == ArgNone) != (c.Syntax == "") {
			t.Errorf("%s: argument kind and syntax %q disagree", c.Verb, c.Syntax)
		}
		if strings.Contains(c.Syntax, "[<SP>") != (c.Arg == ArgOptional) &&
			!slices.Contains([]string{"TYPE", "ALLO", "OPTS"}, c.Verb) {
			t.Errorf("%s: argument kind and syntax %q disagree", c.Verb, c.Syntax)
		}
		for _, code := range c.Replies {
			if !code.Valid() {
				t.Errorf("%s may answer %v", c.Verb, code)
			}
			if slices.Contains(anyReply, code) {
				t.Errorf("%s lists %v, which every verb may answer", c.Verb, code)
			}
		}
		if c.Data && !c.Login {
			t.Errorf("%s transfers without a login", c.Verb)
		}
		if c.Perm != PermNone && !c.Login {
			t.Errorf("%s wants a right but no login", c.Verb)
		}
		if c.Perm&(c.Perm-1) != 0 {
			t.Errorf("%s wants more than one right", c.Verb)
		}
		if c.Data != (c.Allows(CodeOpeningData) && c.Allows(CodeTransferDone)) {
			t.Errorf("%s: data connection and replies disagree", c.Verb)
		}
	}
}

func TestAliases(t *testing.T) {
	want := map[string]string{"XCUP": "CDUP", "XCWD": "CWD", "XMKD": "MKD", "XPWD": "PWD", "XRMD": "RMD", "XSHA": "XSHA1"}
	got := map[string]string{}
	for c := range Commands() {
		if c.AliasOf == "" {
			if c.Name() != c.Verb {
				t.Errorf("%s.Name() = %s", c.Verb, c.Name())
			}
			continue
		}
		got[c.Verb] = c.AliasOf
		real, ok := Lookup(c.AliasOf)
		if !ok || real.AliasOf != "" {
			t.Errorf("%s stands for %s, which has no row of its own", c.Verb, c.AliasOf)
			continue
		}
		if c.Name() != real.Verb {
			t.Errorf("%s.Name() = %s", c.Verb, c.Name())
		}
		same := *c
		same.Verb, same.AliasOf, same.RFC = real.Verb, "", real.RFC
		if !reflect.DeepEqual(same, *real) {
			t.Errorf("%s differs from %s", c.Verb, real.Verb)
		}
	}
	if !maps.Equal(got, want) {
		t.Errorf("aliases are %v", got)
	}
}

// verbs returns, sorted, the verbs of the rows that match, aliases left out.
func verbs(match func(*Command) bool) string {
	var v []string
	for c := range Commands() {
		if c.AliasOf == "" && match(c) {
			v = append(v, c.Verb)
		}
	}
	slices.Sort(v)
	return strings.Join(v, " ")
}

// The sets a reviewer can read. Conformance C010 names the first one: "every
// command but USER PASS AUTH PBSZ PROT FEAT HELP HOST NOOP QUIT SYST CLNT OPTS".
func TestSets(t *testing.T) {
	for _, tc := range []struct {
		name  string
		match func(*Command) bool
		want  string
	}{
		{"before login", func(c *Command) bool { return !c.Login },
			"AUTH CCC CLNT FEAT HELP HOST NOOP OPTS PASS PBSZ PROT QUIT SYST USER"},
		{"secret", func(c *Command) bool { return c.Secret }, "ACCT AUTH PASS"},
		{"data connection", func(c *Command) bool { return c.Data }, "APPE LIST MLSD NLST RETR STOR STOU"},
		{"at once during a transfer", func(c *Command) bool { return c.Urgent("") }, "ABOR STAT"},
		{"at once with an argument", func(c *Command) bool { return c.Urgent("x") }, "ABOR"},
		{"last", func(c *Command) bool { return c.Busy == BusyLast }, "QUIT"},
		{"sets RNFR", func(c *Command) bool { return c.Seq&SetsRename != 0 }, "RNFR"},
		{"uses RNFR", func(c *Command) bool { return c.Seq&UsesRename != 0 }, "RNTO"},
		{"sets REST", func(c *Command) bool { return c.Seq&SetsRest != 0 }, "RANG REST"},
		{"uses REST", func(c *Command) bool { return c.Seq&UsesRest != 0 }, "HASH RETR STOR"},
		{"keeps REST", func(c *Command) bool { return c.Seq&KeepsRest != 0 }, "ALLO EPRT EPSV PASV PORT"},
		{"list", func(c *Command) bool { return c.Perm == PermList }, "AVBL LIST MDTM MLSD MLST NLST SIZE STAT"},
		{"read", func(c *Command) bool { return c.Perm == PermRead }, "HASH MD5 MMD5 RETR XCRC XMD5 XSHA1 XSHA256 XSHA512"},
		{"write", func(c *Command) bool { return c.Perm == PermWrite }, "MFF MFMT STOR STOU"},
		{"append", func(c *Command) bool { return c.Perm == PermAppend }, "APPE"},
		{"delete", func(c *Command) bool { return c.Perm == PermDelete }, "DELE"},
		{"rename", func(c *Command) bool { return c.Perm == PermRename }, "RNFR RNTO"},
		{"mkdir", func(c *Command) bool { return c.Perm == PermMkdir }, "MKD"},
		{"rmdir", func(c *Command) bool { return c.Perm == PermRmdir }, "RMD"},
	} {
		if got := verbs(tc.match); got != tc.want {
			t.Errorf("%s:\n got %s\nwant %s", tc.name, got, tc.want)
		}
	}
}

// Conformance C147, from RFC 1123 section 4.1.2.13.
func TestMinimumIsServed(t *testing.T) {
	for verb := range strings.FieldsSeq("USER PASS ACCT PORT PASV TYPE MODE STRU RETR STOR APPE RNFR RNTO " +
		"DELE CWD CDUP RMD MKD PWD LIST NLST SYST STAT HELP NOOP QUIT") {
		if _, ok := Lookup(verb); !ok {
			t.Errorf("%s has no row", verb)
		}
	}
}

// The registry of RFC 5797 and the verbs of RFC 542 to 1639 must all be known,
// once.
func TestRegistryIsAccountedFor(t *testing.T) {
	registry := "ABOR ACCT ADAT ALLO APPE AUTH CCC CDUP CONF CWD DELE ENC EPRT EPSV FEAT HELP HOST LANG " +
		"LIST LPRT LPSV MDTM MIC MKD MLSD MLST MODE NLST NOOP OPTS PASS PASV PBSZ PORT PROT PWD QUIT " +
		"REIN REST RETR RMD RNFR RNTO SITE SIZE SMNT STAT STOR STOU STRU SYST TYPE USER " +
		"XCUP XCWD XMKD XPWD XRMD MAIL MSND MSOM MSAM MRSQ MRCP"
	for verb := range strings.FieldsSeq(registry) {
		_, served := Lookup(verb)
		_, known := Unserved(verb)
		if served == known {
			t.Errorf("%s: served %v, unserved %v", verb, served, known)
		}
	}
	seen := map[string]bool{}
	for verb, rfc := range UnservedVerbs() {
		if seen[verb] || rfc == "" || len(verb) > maxVerb {
			t.Errorf("bad row for %s", verb)
		}
		seen[verb] = true
		if _, ok := Lookup(verb); ok {
			t.Errorf("%s is both served and unserved", verb)
		}
	}
	if _, ok := Unserved("bogus"); ok {
		t.Error("BOGUS is known")
	}
	if rfc, ok := Unserved("smnt"); !ok || rfc != "959 4.1.1" {
		t.Errorf("smnt: %q, %v", rfc, ok)
	}
}

func TestLookup(t *testing.T) {
	for _, verb := range []string{"RETR", "retr", "rEtR"} {
		if c, ok := Lookup(verb); !ok || c.Verb != "RETR" {
			t.Errorf("Lookup(%q) = %v, %v", verb, c, ok)
		}
	}
	for _, verb := range []string{"", "RET", "RETRX", "RETR ", "RETRRETRRETR", "\x00", "retr\x00"} {
		if _, ok := Lookup(verb); ok {
			t.Errorf("Lookup(%q) found something", verb)
		}
	}
	if n := testing.AllocsPerRun(100, func() { Lookup("retr"); Lookup("RETR") }); n != 0 {
		t.Errorf("Lookup allocates %v times", n)
	}
}

func TestCheck(t *testing.T) {
	for _, tc := range []struct {
		verb, arg string
		want      error
	}{
		{"FEAT", "", nil},
		{"FEAT", "x", ErrExtraArg}, // C155
		{"PWD", " ", nil},
		{"DELE", "", ErrMissingArg}, // a peer answered 250 and removed the home
		{"DELE", " ", nil},          // a file of that name
		{"CWD", "", ErrMissingArg},  // C014
		{"RETR", "", ErrMissingArg}, // C053
		{"USER", "", ErrMissingArg}, // C004
		{"PASS", "", nil},
		{"LIST", "", nil},
		{"LIST", "x", nil},
	} {
		c, _ := Lookup(tc.verb)
		if got := c.Check(tc.arg); got != tc.want {
			t.Errorf("%s %q: %v, want %v", tc.verb, tc.arg, got, tc.want)
		}
	}
	stat, _ := Lookup("STAT")
	if stat.Wants("") != PermNone || stat.Wants("x") != PermList {
		t.Error("STAT wants the wrong right")
	}
}

// Conformance C154, C087, C177, C201, C205.
func TestFeat(t *testing.T) {
	want := []string{
		"Features:", " AUTH TLS", " PBSZ", " PROT", " CCC", " MODE Z", " EPSV", " EPRT", " REST STREAM", " RANG STREAM",
		" MLST type*;size*;modify;perm;unique;UNIX.mode;UNIX.owner;UNIX.group;",
		" SIZE", " MDTM", " HASH SHA-256*;SHA-512;SHA-1;MD5;CRC32",
		" XCRC", " XMD5", " XSHA1", " XSHA256", " XSHA512", " MD5", " MMD5", " AVBL", " MFMT", " MFF Modify;UNIX.mode;",
		" HOST", " LANG EN*", " CSID", " CLNT", " TVFS", " UTF8", "End",
	}
	if got := FeatLines(Selected{Facts: FactType | FactSize}, nil); !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	for _, line := range FeatLines(Selected{Facts: AllFacts}, nil)[1 : len(want)-1] {
		if line[0] != ' ' || line[1] == ' ' || strings.TrimSpace(line) != line[1:] {
			t.Errorf("bad feature line %q", line)
		}
	}
	noEPSV := FeatLines(Selected{}, func(c *Command) bool { return c.Verb != "EPSV" })
	if slices.Contains(noEPSV, " EPSV") || !slices.Contains(noEPSV, " EPRT") {
		t.Errorf("EPSV is off: %q", noEPSV)
	}
}

func TestHelp(t *testing.T) {
	all := strings.Join(HelpLines(nil), "\n")
	for c := range Commands() {
		if !strings.Contains(all, " "+c.Verb) {
			t.Errorf("HELP does not name %s", c.Verb)
		}
	}
	some := HelpLines(func(c *Command) bool { return c.Verb == "RETR" })
	if want := []string{"The following commands are recognized:", " RETR", "Help OK"}; !slices.Equal(some, want) {
		t.Errorf("got %q", some)
	}
	retr, _ := Lookup("RETR")
	noop, _ := Lookup("NOOP")
	if retr.Help() != "Syntax: RETR <SP> pathname" || noop.Help() != "Syntax: NOOP" {
		t.Errorf("%q, %q", retr.Help(), noop.Help())
	}
}

func TestPerm(t *testing.T) {
	if got := (PermList | PermRmdir).String(); got != "list+rmdir" {
		t.Error(got)
	}
	if PermNone.String() != "none" || !PermRead.Has(PermNone) || PermRead.Has(PermRead|PermWrite) {
		t.Error("PermNone or Has is wrong")
	}
}

func BenchmarkLookup(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		Lookup("RETR")
	}
}
