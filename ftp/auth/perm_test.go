package auth

import (
	"strings"
	"testing"
)

// TestPermissionsRoundTrip prints and reads every set there is.
func TestPermissionsRoundTrip(t *testing.T) {
	for p := range ReadWrite + 1 {
		got, err := ParsePermissions(p.String())
		if err != nil || got != p {
			t.Fatalf("%q is read as %v, %v, want %v", p.String(), got, err, p)
		}
	}
}

func TestParsePermissions(t *testing.T) {
	for _, tt := range []struct {
		text  string
		want  Permissions
		print string
	}{
		{"none", 0, "none"},
		{"ro", List | Read, "ro"},
		{"rw", ReadWrite, "rw"},
		{"list,read", ReadOnly, "ro"},
		{"read, list", ReadOnly, "ro"},
		{" RO ", ReadOnly, "ro"},
		{"ro,append", ReadOnly | Append, "list,read,append"},
		{"write,mkdir", Write | Mkdir, "write,mkdir"},
		{"rmdir,rename,delete", Delete | Rename | Rmdir, "delete,rename,rmdir"},
		{"read,read", Read, "read"},
	} {
		got, err := ParsePermissions(tt.text)
		if err != nil || got != tt.want || got.String() != tt.print {
			t.Errorf("ParsePermissions(%q) = %v, %v", tt.text, got, err)
		}
	}
	for _, bad := range []string{"", ",", "read,", "r", "rwx", "read write", "all", "0x1"} {
		if p, err := ParsePermissions(bad); err == nil || p != 0 {
			t.Errorf("ParsePermissions(%q) = %v, %v", bad, p, err)
		}
	}
	if _, err := ParsePermissions("hunter2"); err == nil || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("the error repeats the text: %v", err)
	}
}

func TestPermissionsHas(t *testing.T) {
	if p := List | Read; !p.Has(List) || !p.Has(List|Read) || p.Has(Write) || p.Has(Read|Write) || !p.Has(0) {
		t.Error("Has is wrong")
	}
	if got := (Read | 1<<12).String(); got != "read,0x1000" {
		t.Errorf("unknown bits print as %q", got)
	}
}
