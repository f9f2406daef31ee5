package net

import (
	"fmt"
	"testing"

	stdnet "net"
)

// TestZones: a zone is the number of the interface of that name, or the number
// that it is; and the other way round.
func TestZones(t *testing.T) {
	all, err := stdnet.Interfaces()
	if err != nil || len(all) == 0 {
		t.Skip(err)
	}
	last := 0
	for range 2 { // asked, and known
		for _, i := range all {
			if got := zoneIndex(i.Name); int(got) != i.Index {
				t.Errorf("%s is %d, not %d", i.Name, got, i.Index)
			}
			if got := zoneName(uint32(i.Index)); got != i.Name {
				t.Errorf("%d is %s, not %s", i.Index, got, i.Name)
			}
			last = max(last, i.Index)
		}
	}
	if got := zoneIndex("7"); got != 7 {
		t.Errorf("7 is %d", got)
	}
	none := uint32(last + 1000)
	if got := zoneName(none); got != fmt.Sprint(none) {
		t.Errorf("%d is %s", none, got)
	}
	if zoneIndex("") != 0 || zoneName(0) != "" || zoneIndex("nosuch") != 0 {
		t.Error("no zone")
	}
}
