package server

import (
	"testing"

	"github.com/weft-go/weft/ftp"
)

// Each row of the command table has exactly one handler, aliases their verb's.
func TestHandlersAndTable(t *testing.T) {
	rows := map[string]bool{}
	for row := range ftp.Commands() {
		rows[row.Name()] = true
		if handlers[row.Name()] == nil {
			t.Errorf("%s has no handler", row.Verb)
		}
		if row.AliasOf != "" && handlers[row.Verb] != nil {
			t.Errorf("%s is an alias and has a handler of its own", row.Verb)
		}
	}
	for verb := range handlers {
		if !rows[verb] {
			t.Errorf("the handler of %s has no row", verb)
		}
	}
}

// Every row of the table of store errors may be answered by every verb that
// touches the store, and is not hidden by an earlier row.
func TestStoreReplies(t *testing.T) {
	for i, row := range storeReplies {
		e, odd := refusal(row.err)
		if e.Code != row.code || e.Msg != row.text || odd {
			t.Errorf("row %d, %v: answered by %v", i, row.err, e)
		}
	}
	for _, verb := range []string{"RETR", "STOR", "APPE", "LIST", "NLST", "MLSD"} {
		c, _ := ftp.Lookup(verb)
		for _, row := range storeReplies {
			writes := row.code == ftp.CodeNoSpace || row.code == ftp.CodeQuota
			if !writes && !c.Allows(row.code) {
				t.Errorf("%s may not answer %v", verb, row.code)
			}
		}
	}
}
