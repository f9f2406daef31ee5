package storage

import (
	"io/fs"
	"os"
	"testing"
)

// TestListIndescribable checks that an entry that cannot be described is listed by its name. Dead mount
// points are such; here the root that describes is closed under the listing.
func TestListIndescribable(t *testing.T) {
	dir := t.TempDir()
	r, err := OpenOSRoot(dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if err := os.WriteFile(dir+"/f", nil, 0o600); err != nil {
		t.Fatal(err)
	}
	d, err := r.stream("/")
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if err := d.dir.Close(); err != nil {
		t.Fatal(err)
	}
	entries, err := d.Next(10)
	if err != nil || len(entries) != 1 || entries[0] != (Entry{Name: "f", Mode: fs.ModeIrregular}) {
		t.Fatalf("Next: %+v, %v", entries, err)
	}
}
