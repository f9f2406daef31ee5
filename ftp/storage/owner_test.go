package storage

import (
	"errors"
	"strings"
	"testing"
)

// TestOwnersCache checks that an id is looked up once, with and without a name, and that the number
// of ids kept is bounded.
func TestOwnersCache(t *testing.T) {
	asked := make(map[string]int)
	o := &owners{lookup: func(id string) (string, error) {
		asked[id]++
		if strings.HasSuffix(id, "3") {
			return "", errors.New("unknown")
		}
		return "user" + id, nil
	}}
	for range 3 {
		if got := o.name(12); got != "user12" {
			t.Fatalf("got %q", got)
		}
		if got := o.name(13); got != "" {
			t.Fatalf("got %q", got)
		}
	}
	if asked["12"] != 1 || asked["13"] != 1 {
		t.Fatalf("asked %v", asked)
	}
	for id := range uint32(3 * maxOwners) {
		o.name(id)
	}
	if len(o.names) > maxOwners {
		t.Fatalf("%d names are kept", len(o.names))
	}
}
