package auth

import (
	"math"
	"strings"
	"testing"
)

func TestParseQuota(t *testing.T) {
	for text, want := range map[string][2]int64{
		"1":                   {1, 0},
		"10K":                 {10 << 10, 0},
		"10M,7":               {10 << 20, 7},
		"2G":                  {2 << 30, 0},
		"3T":                  {3 << 40, 0},
		",5":                  {0, 5},
		"9223372036854775807": {math.MaxInt64, 0},
	} {
		if bytes, files, err := ParseQuota(text); bytes != want[0] || files != want[1] || err != nil {
			t.Errorf("%q: %d, %d, %v", text, bytes, files, err)
		}
	}
	for _, text := range []string{"", ",", "1,", "K", "K,1", "0", "0,1", ",0", "-1", "1,-1", "+1", "1.5G", "1k", "1 G", "8388608T", "9223372036854775808", "1,2,3", "x"} {
		if bytes, files, err := ParseQuota(text); err == nil {
			t.Errorf("%q: %d, %d", text, bytes, files)
		}
	}
}

func TestUsersFileQuota(t *testing.T) {
	set, err := parseUsers(strings.NewReader("a:*:/a:rw:10K,3\nb:*:/b:rw\n"), "users")
	if err != nil {
		t.Fatal(err)
	}
	if id := set.accounts["a"].id; id.MaxBytes != 10<<10 || id.MaxFiles != 3 {
		t.Errorf("a: %+v", id)
	}
	if id := set.accounts["b"].id; id.MaxBytes != 0 || id.MaxFiles != 0 {
		t.Errorf("b: %+v", id)
	}
	if _, err := parseUsers(strings.NewReader("a:*:/a:rw:10X\n"), "users"); err == nil || !strings.Contains(err.Error(), "users:1") {
		t.Errorf("a bad quota: %v", err)
	}
}

func TestHasQuota(t *testing.T) {
	for text, want := range map[string]bool{
		"a:*:/a:rw\nb:*:/b:rw:,3\n": true,
		"a:*:/a:rw:1K\n":            true,
		"a:*:/a:rw\n":               false,
	} {
		if got := parse(t, text).HasQuota(); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}
