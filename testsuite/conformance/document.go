package conformance

import (
	"fmt"
	"strings"

	"github.com/weft-go/weft/ftp"
)

// document returns docs/rfc.md.
func document(all []check, tests map[string][]string, chosen map[string]string) string {
	var b strings.Builder
	b.WriteString(`# Standards

This file is written by ` + "`go test ./testsuite/conformance -update`" + ` from the command table (package ` + "`ftp`" + `), the table of
checks, and the tests that name them.

## Commands

| command | syntax | document | login | right | in a transfer | FEAT |
|---|---|---|---|---|---|---|
`)
	busy := map[ftp.Busy]string{
		ftp.BusyQueue: "waits", ftp.BusyNow: "at once", ftp.BusyNowBare: "at once, waits with a path", ftp.BusyLast: "waits, the last one",
	}
	for c := range ftp.Commands() {
		login, right, syntax := "needed", c.Perm.String(), c.Syntax
		if !c.Login {
			login = ""
		}
		if c.Perm == ftp.PermNone {
			right = ""
		}
		if c.AliasOf != "" {
			syntax = "as " + c.AliasOf
		}
		row(&b, c.Verb, syntax, c.RFC, login, right, busy[c.Busy], c.Feat)
	}
	b.WriteString("\nSITE has commands of its own:\n\n| command | syntax | right |\n|---|---|---|\n")
	for c := range ftp.SiteCommands() {
		right := c.Perm.String()
		if c.Perm == ftp.PermNone {
			right = ""
		}
		row(&b, "SITE "+c.Verb, c.Syntax, right)
	}
	b.WriteString("\nKnown and answered with 502:")
	sep := " "
	for verb, rfc := range ftp.UnservedVerbs() {
		fmt.Fprintf(&b, "%s%s (%s)", sep, verb, rfc)
		sep = ", "
	}
	b.WriteString(`.

## Checks

Where several answers are allowed, the arrow leads to what the server does.

| check | document | before | command | expected | test |
|---|---|---|---|---|---|
`)
	for _, c := range all {
		expected := c.expected
		if c.note != "" {
			expected += "; " + c.note
		}
		if text := chosen[c.id]; text != "" {
			expected += " → " + text
		}
		row(&b, c.id, c.rfc, c.before, c.command, expected, strings.Join(tests[c.id], ", "))
	}
	return b.String()
}

// row writes a row of a Markdown table.
func row(b *strings.Builder, cells ...string) {
	for _, cell := range cells {
		cell = strings.NewReplacer("|", `\|`, "<", `\<`, "*", `\*`).Replace(cell)
		b.WriteString("| " + cell + " ")
	}
	b.WriteString("|\n")
}
