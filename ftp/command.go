package ftp

import (
	"iter"
	"strings"
)

// ArgKind says what may follow a verb.
type ArgKind uint8

// The kinds of argument.
const (
	ArgNone     ArgKind = iota // nothing; blanks alone are forgiven
	ArgOptional                // an argument or nothing
	ArgRequired                // an argument of at least one byte
	ArgOpaque                  // any bytes, also none: a password
)

// Perm is a set of rights. A command wants one of them at most.
//
// The bits are those of auth.Permissions, so that a server converts one into
// the other.
type Perm uint16

// The rights, and PermNone for commands that want none of them.
const (
	PermList   Perm = 1 << iota // see names and attributes
	PermRead                    // read files
	PermWrite                   // make files and replace their content
	PermAppend                  // add to files
	PermDelete                  // delete files
	PermRename                  // rename
	PermMkdir                   // make directories
	PermRmdir                   // remove directories

	PermNone Perm = 0
)

// Has reports whether p contains every right in want.
func (p Perm) Has(want Perm) bool { return p&want == want }

// String returns the names of the rights joined by '+', "none" for none.
func (p Perm) String() string {
	names := [...]string{"list", "read", "write", "append", "delete", "rename", "mkdir", "rmdir"}
	var have []string
	for i, name := range names {
		if p&(1<<i) != 0 {
			have = append(have, name)
		}
	}
	if have == nil {
		return "none"
	}
	return strings.Join(have, "+")
}

// Busy says what happens to a command that arrives while a transfer runs.
// Replies leave in the order of the commands, so what cannot run at once waits
// and nothing is refused (RFC 1123 section 4.1.3.3: STAT and ABOR are never
// lost).
type Busy uint8

// The rules for a command that arrives during a transfer.
const (
	// BusyQueue: wait until the transfer's last reply has been sent.
	BusyQueue Busy = iota
	// BusyNow: act at once, on the transfer itself. ABOR: the transfer ends
	// with 426, then comes ABOR's own 226.
	BusyNow
	// BusyNowBare: act at once without an argument, wait with one. STAT tells
	// about the transfer; STAT with a path is a command like LIST.
	BusyNowBare
	// BusyLast: wait as BusyQueue does, and read nothing more. QUIT: the
	// transfer is completed (RFC 959 section 4.1.1), and the client that hangs
	// up its control connection after QUIT aborts nothing.
	BusyLast
)

// Seq says what a command does to the two things one command leaves for the
// next: the source of a rename (RNFR) and the offset of a restart (REST).
//
// A command whose row has neither a Sets nor a Keeps bit drops them, whether it
// succeeds or not; so does a line that is refused. RFC 959 wants RNTO, and RFC
// 3659 section 5.1 wants the transfer, "immediately" after. The one exception
// is KeepsRest.
type Seq uint8

// The effects on a pending RNFR or REST.
const (
	SetsRename Seq = 1 << iota // RNFR
	UsesRename                 // RNTO: 503 when there is none
	SetsRest                   // REST
	UsesRest                   // RETR, STOR: start at the offset
	// KeepsRest: commands that only prepare the transfer. Clients send PASV
	// before REST or after it.
	KeepsRest
)

// Command is one row of the command table: all that is known of a verb apart
// from how it is carried out. Rows are shared and must not be changed.
type Command struct {
	// Verb is the name, in upper case.
	Verb string
	// AliasOf is the verb this one stands for, "" for a verb of its own. An
	// alias shares every other field with that row, RFC excepted.
	AliasOf string

	// Arg is the kind of argument.
	Arg ArgKind
	// Login: refused with 530 before the user is logged in.
	Login bool
	// Perm is the right the user must have. BusyNowBare commands want it only
	// with an argument: see Wants.
	Perm Perm
	// Data: the command transfers over a data connection.
	Data bool
	// Busy is the rule during a transfer.
	Busy Busy
	// Seq is the effect on a pending RNFR or REST.
	Seq Seq
	// Secret: the argument must not be logged.
	Secret bool

	// Feat is the verb's line in FEAT, "" for none. To MLST and HASH FeatLines adds
	// facts and algorithms.
	Feat string
	// Syntax is the argument's syntax as HELP shows it.
	Syntax string
	// RFC names the document and section, "959 4.1.1".
	RFC string
	// Replies are the codes the verb may answer, besides those any verb may.
	Replies []Code
}

// Name returns the verb that carries the command out: AliasOf or Verb.
func (c *Command) Name() string {
	if c.AliasOf != "" {
		return c.AliasOf
	}
	return c.Verb
}

// Check reports whether arg is of the kind the verb takes. The errors are
// ErrMissingArg and ErrExtraArg.
func (c *Command) Check(arg string) error {
	switch c.Arg {
	case ArgNone:
		if strings.Trim(arg, " ") != "" {
			return ErrExtraArg
		}
	case ArgRequired:
		if arg == "" {
			return ErrMissingArg
		}
	}
	return nil
}

// Wants returns the right the command wants when it is given arg.
func (c *Command) Wants(arg string) Perm {
	if c.Busy == BusyNowBare && arg == "" {
		return PermNone
	}
	return c.Perm
}

// Urgent reports whether the command, given arg, acts at once during a
// transfer.
func (c *Command) Urgent(arg string) bool {
	return c.Busy == BusyNow || c.Busy == BusyNowBare && arg == ""
}

// Allows reports whether code is a legal answer to the verb.
func (c *Command) Allows(code Code) bool {
	for _, set := range [...][]Code{c.Replies, anyReply} {
		for _, r := range set {
			if r == code {
				return true
			}
		}
	}
	return false
}

// Lookup returns the row of verb, in any case. It does not allocate.
func Lookup(verb string) (*Command, bool) {
	if c, ok := byVerb[verb]; ok {
		return c, true
	}
	var upper [maxVerb]byte
	if len(verb) > maxVerb {
		return nil, false
	}
	for i := range len(verb) {
		upper[i] = upperByte(verb[i])
	}
	c, ok := byVerb[string(upper[:len(verb)])]
	return c, ok
}

// Commands returns the rows in the order of the table.
func Commands() iter.Seq[*Command] {
	return func(yield func(*Command) bool) {
		for i := range table {
			if !yield(&table[i]) {
				return
			}
		}
	}
}

// Unserved reports whether verb, in any case, is a verb of some RFC or draft
// that has no row, and in which document it stands. Such a verb is answered
// with 502, an unknown one with 500.
func Unserved(verb string) (rfc string, ok bool) {
	for _, u := range unserved {
		if strings.EqualFold(u.verb, verb) {
			return u.rfc, true
		}
	}
	return "", false
}

// UnservedVerbs returns the verbs of Unserved with their documents.
func UnservedVerbs() iter.Seq2[string, string] {
	return func(yield func(verb, rfc string) bool) {
		for _, u := range unserved {
			if !yield(u.verb, u.rfc) {
				return
			}
		}
	}
}

// Selected is what a session has chosen, which FEAT shows.
type Selected struct {
	Facts Facts
	Hash  Hash
}

// FeatLines returns the lines of the FEAT reply (RFC 2389 section 3.2) for the
// rows on reports true for, or all rows when on is nil, with what is selected in
// this session marked in the lines of MLST and HASH. Features that no verb stands for,
// UTF8 (RFC 2640) and TVFS (RFC 3659 section 6), are always listed: names are
// bytes, and paths are those of Resolve.
func FeatLines(selected Selected, on func(*Command) bool) []string {
	lines := []string{"Features:"}
	for c := range Commands() {
		if c.Feat == "" || c.AliasOf != "" || on != nil && !on(c) {
			continue
		}
		line := " " + c.Feat
		switch c.Feat {
		case "MLST":
			line += " " + selected.Facts.Feat()
		case "HASH":
			line += " " + selected.Hash.Feat()
		}
		lines = append(lines, line)
	}
	return append(lines, " TVFS", " UTF8", "End")
}

// HelpLines returns the lines of the HELP reply: the verbs on reports true for,
// or all when on is nil.
func HelpLines(on func(*Command) bool) []string {
	const perLine = 8
	lines := []string{"The following commands are recognized:"}
	var b strings.Builder
	n := 0
	for c := range Commands() {
		if on != nil && !on(c) {
			continue
		}
		if n > 0 && n%perLine == 0 {
			lines = append(lines, strings.TrimRight(b.String(), " "))
			b.Reset()
		}
		b.WriteByte(' ')
		b.WriteString(c.Verb)
		b.WriteString(strings.Repeat(" ", max(0, 4-len(c.Verb))))
		n++
	}
	if b.Len() > 0 {
		lines = append(lines, strings.TrimRight(b.String(), " "))
	}
	return append(lines, "Help OK")
}

// Help returns the text of HELP for this verb.
func (c *Command) Help() string {
	if c.Syntax == "" {
		return "Syntax: " + c.Verb
	}
	return "Syntax: " + c.Verb + " " + c.Syntax
}
