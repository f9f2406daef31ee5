package ftp

import (
	"iter"
	"strings"
)

// SiteCommand is one row of the table of SITE's own commands, as Command is of the
// command table.
type SiteCommand struct {
	Verb string
	Arg  ArgKind
	// Perm is the right the user must have, as for a Command.
	Perm   Perm
	Syntax string // of what follows
}

var siteTable = []SiteCommand{
	{Verb: "CHMOD", Arg: ArgRequired, Perm: PermWrite, Syntax: "<SP> mode <SP> pathname"},
	{Verb: "UTIME", Arg: ArgRequired, Perm: PermWrite, Syntax: "<SP> YYYYMMDDhhmm[ss] <SP> pathname"},
	{Verb: "UMASK", Arg: ArgOptional, Syntax: "[<SP> mode]"},
	{Verb: "IDLE", Arg: ArgOptional, Syntax: "[<SP> seconds]"},
	{Verb: "QUOTA", Arg: ArgNone},
	{Verb: "SYMLINK", Arg: ArgRequired, Perm: PermWrite, Syntax: "<SP> target <SP> pathname"},
	{Verb: "MKDIR", Arg: ArgRequired, Perm: PermMkdir, Syntax: "<SP> pathname"},
	{Verb: "RMDIR", Arg: ArgRequired, Perm: PermRmdir, Syntax: "<SP> pathname"},
	// CPFR and CPTO want what RETR and STOR want (CVE-2019-12815).
	{Verb: "CPFR", Arg: ArgRequired, Perm: PermRead, Syntax: "<SP> pathname"},
	{Verb: "CPTO", Arg: ArgRequired, Perm: PermWrite, Syntax: "<SP> pathname"},
	{Verb: "HELP", Arg: ArgOptional, Syntax: "[<SP> command]"},
}

// LookupSite returns the row of one of SITE's commands, in any case.
func LookupSite(verb string) (*SiteCommand, bool) {
	for i := range siteTable {
		if strings.EqualFold(siteTable[i].Verb, verb) {
			return &siteTable[i], true
		}
	}
	return nil, false
}

// SiteCommands returns the rows in the order of the table.
func SiteCommands() iter.Seq[*SiteCommand] {
	return func(yield func(*SiteCommand) bool) {
		for i := range siteTable {
			if !yield(&siteTable[i]) {
				return
			}
		}
	}
}

// Check is Command.Check.
func (c *SiteCommand) Check(arg string) error { return (&Command{Arg: c.Arg}).Check(arg) }

// Help returns the text of SITE HELP for this command.
func (c *SiteCommand) Help() string {
	return (&Command{Verb: "SITE " + c.Verb, Syntax: c.Syntax}).Help()
}

// SiteHelpLines returns the lines of the reply to SITE HELP.
func SiteHelpLines() []string {
	lines := []string{"The following SITE commands are recognized:"}
	for c := range SiteCommands() {
		lines = append(lines, " "+c.Help()[len("Syntax: "):])
	}
	return append(lines, "Help OK")
}
