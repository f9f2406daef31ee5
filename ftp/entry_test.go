package ftp

import (
	"io/fs"
	"strings"
	"testing"
	"time"
)

var testNow = time.Date(2024, 7, 1, 12, 0, 0, 0, time.UTC)

func TestAppendList(t *testing.T) {
	recent := time.Date(2024, 3, 5, 7, 8, 9, 0, time.FixedZone("", 3600))
	for _, tc := range []struct {
		e    Entry
		want string
	}{
		{Entry{Name: "a b", Mode: 0o644, Size: 1234, ModTime: recent, Owner: "joe", Group: "staff", Links: 1},
			"-rw-r--r--    1 joe      staff            1234 Mar 05 06:08 a b\r\n"},
		{Entry{Name: "d", Mode: fs.ModeDir | 0o755, Size: 4096, ModTime: recent, UID: 1000, GID: 100, Links: 12},
			"drwxr-xr-x   12 1000     100              4096 Mar 05 06:08 d\r\n"},
		{Entry{Name: "l", Mode: fs.ModeSymlink | 0o777, Size: 3, ModTime: recent, LinkTarget: "a\nb"},
			"lrwxrwxrwx    1 0        0                   3 Mar 05 06:08 l -> a?b\r\n"},
		{Entry{Name: "\xff", Mode: fs.ModeDevice | fs.ModeCharDevice | 0o600, Size: -1},
			"crw-------    1 0        0                   0 Jan 01  1970 \xff\r\n"},
		{Entry{Name: "huge", Size: 1<<63 - 1, Owner: "a very long name", Group: "x\r\n\ty"},
			"----------    1 a_very_long_name x___y    9223372036854775807 Jan 01  1970 huge\r\n"},
		// FIELD B24: a name must not forge a line.
		{Entry{Name: "x\r\n-rwxrwxrwx forged\x00", Mode: 0o600},
			"-rw-------    1 0        0                   0 Jan 01  1970 x??-rwxrwxrwx forged?\r\n"},
	} {
		if got := string(AppendList(nil, &tc.e, testNow)); got != tc.want {
			t.Errorf("\n got %q\nwant %q", got, tc.want)
		}
	}
}

// Conformance C116.
func TestListDate(t *testing.T) {
	for _, tc := range []struct {
		t    time.Time
		want string
	}{
		{testNow, "Jul 01 12:00"},
		{testNow.Add(time.Minute), "Jul 01 12:01"}, // written while we list
		{testNow.Add(time.Hour), "Jul 01  2024"},   // the future
		{testNow.Add(-halfYear + time.Second), "Dec 31 21:05"},
		{testNow.Add(-halfYear), "Dec 31  2023"},
		{time.Date(2023, 12, 31, 1, 2, 3, 0, time.UTC), "Dec 31  2023"},
		{time.Date(12345, 2, 3, 0, 0, 0, 0, time.UTC), "Feb 03  9999"},
		{time.Date(-5, 2, 3, 0, 0, 0, 0, time.UTC), "Feb 03  0000"},
		{time.Time{}, "Jan 01  1970"},
	} {
		if got := string(appendListTime(nil, tc.t, testNow)); got != tc.want {
			t.Errorf("%v: %q, want %q", tc.t, got, tc.want)
		}
	}
}

func TestModeColumns(t *testing.T) {
	for mode, want := range map[fs.FileMode]string{
		0o777:                              "-rwxrwxrwx",
		0o7:                                "-------rwx",
		fs.ModeSetuid | 0o755:              "-rwsr-xr-x",
		fs.ModeSetuid | 0o644:              "-rwSr--r--",
		fs.ModeSetgid | 0o755:              "-rwxr-sr-x",
		fs.ModeSetgid | 0o644:              "-rw-r-Sr--",
		fs.ModeDir | 0o1:                   "d--------x",
		fs.ModeDevice | 0o660:              "brw-rw----",
		fs.ModeNamedPipe | 0o600:           "prw-------",
		fs.ModeSocket | 0o600:              "srw-------",
		fs.ModeIrregular:                   "----------",
		fs.ModeDir | fs.ModeSticky | 0o777: "drwxrwxrwt",
		fs.ModeDir | fs.ModeSticky | 0o770: "drwxrwx--T",
	} {
		if got := string(appendMode(nil, mode)); got != want {
			t.Errorf("%v: %s, want %s", mode, got, want)
		}
	}
}

func TestAppendName(t *testing.T) {
	for _, tc := range []struct{ prefix, name, want string }{
		{"", "a b", "a b\r\n"},
		{"sub", "a", "sub/a\r\n"}, // C113
		{"sub/", "a", "sub/a\r\n"},
		{"/", "a", "/a\r\n"},
		{"", "\xff;", "\xff;\r\n"},
		{"", "a\r\nb", ""},
		{"a\nb", "c", ""},
		{"", "a\x00b", ""},
		{"", "", ""},
	} {
		if got := string(AppendName(nil, tc.prefix, tc.name)); got != tc.want {
			t.Errorf("%q %q: %q", tc.prefix, tc.name, got)
		}
	}
}

func TestTime(t *testing.T) {
	at := time.Date(2024, 2, 29, 23, 59, 58, 7_654_321, time.FixedZone("", -3600))
	if got := string(AppendTime(nil, at)); got != "20240301005958" {
		t.Error(got)
	}
	if got := string(AppendTimeMilli(nil, at)); got != "20240301005958.007" {
		t.Error(got)
	}
	for in, want := range map[string]time.Time{
		"20240301005958":               time.Date(2024, 3, 1, 0, 59, 58, 0, time.UTC),
		"20240301005958.007":           time.Date(2024, 3, 1, 0, 59, 58, 7_000_000, time.UTC),
		"20240301005958.1":             time.Date(2024, 3, 1, 0, 59, 58, 100_000_000, time.UTC),
		"20240301005958.1234567899999": time.Date(2024, 3, 1, 0, 59, 58, 123_456_789, time.UTC),
		"19981231235960":               time.Date(1999, 1, 1, 0, 0, 0, 0, time.UTC), // leap second
		"20240229000000":               time.Date(2024, 2, 29, 0, 0, 0, 0, time.UTC),
		"00000101000000":               time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC),
	} {
		if got, err := ParseTime(in); err != nil || !got.Equal(want) {
			t.Errorf("%q: %v, %v", in, got, err)
		}
	}
	for _, in := range []string{
		"", "2024030100595", "202403010059581", "20241301000000" /* C240 */, "20240001000000",
		"20240230000000", "20230229000000", "20240100000000", "20240101240000", "20240101006000",
		"20240101000061", "20240101000000.", "20240101000000.x", "20240101000000 ", "-2024010100000", "2024 101000000",
	} {
		if got, err := ParseTime(in); err != ErrTime {
			t.Errorf("%q: %v, %v", in, got, err)
		}
	}
}

// FuzzListLine: whatever a name holds, there is one line, and it has the name at
// its end.
func FuzzListLine(f *testing.F) {
	f.Add("name", "owner", "target", int64(1), uint32(0o644), int64(1700000000))
	f.Add("a\r\nb", "o\n", ";=\x00", int64(-1), uint32(1<<31), int64(-1<<40))
	f.Fuzz(func(t *testing.T, name, owner, target string, size int64, mode uint32, sec int64) {
		e := Entry{Name: name, Owner: owner, LinkTarget: target, Size: size,
			Mode: fs.FileMode(mode), ModTime: time.Unix(sec%(1<<40), 0)}
		line := string(AppendList(nil, &e, testNow))
		body, ok := strings.CutSuffix(line, "\r\n")
		if !ok || strings.ContainsAny(body, "\r\n\x00") {
			t.Fatalf("%q", line)
		}
		columns := strings.Fields(body)
		if len(columns) < 8 || len(columns[0]) != 10 {
			t.Fatalf("%q", line)
		}
		if name := string(AppendName(nil, target, name)); strings.Count(name, "\n") > 1 || strings.Count(name, "\r") > 1 {
			t.Fatalf("%q", name)
		}
	})
}

func BenchmarkAppendList(b *testing.B) {
	e := Entry{Name: "some-file.txt", Mode: 0o644, Size: 123456, ModTime: testNow, Owner: "joe", Group: "staff", Links: 1}
	buf := make([]byte, 0, 512)
	b.ReportAllocs()
	for b.Loop() {
		buf = AppendList(buf[:0], &e, testNow)
	}
}
