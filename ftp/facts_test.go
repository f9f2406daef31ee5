package ftp

import (
	"io/fs"
	"strings"
	"testing"
	"time"
)

func TestAppendFacts(t *testing.T) {
	at := time.Date(2024, 3, 5, 6, 7, 8, 9, time.UTC)
	file := Entry{Name: "a b", Mode: 0o644, Size: 12, ModTime: at, Owner: "joe", GID: 5, Dev: 0x801, Ino: 0x1f, Perm: PermRead | PermWrite | PermList}
	for _, tc := range []struct {
		e     Entry
		facts Facts
		want  string
	}{
		{file, AllFacts, "type=file;size=12;modify=20240305060708;perm=rw;unique=801g1f;UNIX.mode=0644;UNIX.owner=joe;UNIX.group=5; a b\r\n"},
		{file, FactSize | FactType, "type=file;size=12; a b\r\n"},
		{file, 0, " a b\r\n"}, // C203
		{Entry{Name: "d", Mode: fs.ModeDir | fs.ModeSticky | 0o7, Perm: 0xff, Size: 4096},
			FactType | FactSize | FactPerm | FactUnixMode | FactModify | FactUnique, "type=dir;perm=ecpdflm;UNIX.mode=01007; d\r\n"},
		{Entry{Name: "f", Perm: 0xff}, FactPerm, "perm=adfrw; f\r\n"},
		{Entry{Name: "d", Mode: fs.ModeDir}, FactPerm, "perm=e; d\r\n"},
		{Entry{Name: ".", Mode: fs.ModeDir, Kind: KindCurrent}, FactType, "type=cdir; .\r\n"},
		{Entry{Name: "..", Mode: fs.ModeDir, Kind: KindParent}, FactType, "type=pdir; ..\r\n"},
		{Entry{Name: "l", Mode: fs.ModeSymlink, LinkTarget: "../x"}, FactType, "type=OS.unix=slink:../x; l\r\n"}, // C198
		{Entry{Name: "l", Mode: fs.ModeSymlink}, FactType, "type=OS.unix=slink; l\r\n"},
		{Entry{Name: "l", Mode: fs.ModeSymlink, LinkTarget: "a b"}, FactType, "type=OS.unix=slink; l\r\n"},
		{Entry{Name: "l", Mode: fs.ModeSymlink, LinkTarget: "x;perm=rw"}, FactType, "type=OS.unix=slink; l\r\n"},
		{Entry{Name: "p", Mode: fs.ModeNamedPipe}, FactType, "type=OS.unix=pipe; p\r\n"},
		{Entry{Name: "c", Mode: fs.ModeDevice | fs.ModeCharDevice}, FactType, "type=OS.unix=chr; c\r\n"},
		{Entry{Name: "i", Mode: fs.ModeIrregular}, FactType, "type=OS.unix=other; i\r\n"},
		{Entry{Name: "o", Owner: "x;size=1 \r\n\xff"}, FactUnixOwner, "UNIX.owner=x_size=1____; o\r\n"},
		{Entry{Name: "u", Unique: "a;b"}, FactUnique, " u\r\n"},
		{Entry{Name: "u", Unique: "keg:1/2"}, FactUnique, "unique=keg:1/2; u\r\n"},
		// FIELD B24.
		{Entry{Name: " a;b=c "}, FactType, "type=file;  a;b=c \r\n"},
		{Entry{Name: "a\r\ntype=file; forged"}, FactType, ""},
		{Entry{Name: ""}, FactType, ""},
	} {
		if got := string(AppendMLSD(nil, &tc.e, tc.facts)); got != tc.want {
			t.Errorf("%+v:\n got %q\nwant %q", tc.e, got, tc.want)
		}
	}
	if got := MLSTLine(&file, "/x/a b", FactType); got != " type=file; /x/a b" { // C191
		t.Errorf("%q", got)
	}
}

func TestFactSets(t *testing.T) {
	for _, tc := range []struct {
		arg, reply string
		want       Facts
	}{
		{"size;type;", "MLST OPTS type;size;", FactSize | FactType}, // C202
		{"", "MLST OPTS", 0},       // C203
		{"bogus;", "MLST OPTS", 0}, // C204
		{"MODIFY;unix.MODE", "MLST OPTS modify;UNIX.mode;", FactModify | FactUnixMode},
		{";; size ;size;x=y;", "MLST OPTS size;", FactSize},
		{AllFacts.String(), "MLST OPTS " + AllFacts.String(), AllFacts},
	} {
		f := ParseFacts(tc.arg)
		if f != tc.want || f.OptsMLST() != tc.reply {
			t.Errorf("%q: %v, %q", tc.arg, f, f.OptsMLST())
		}
	}
	if got := FactSize.Feat(); got != "type;size*;modify;perm;unique;UNIX.mode;UNIX.owner;UNIX.group;" {
		t.Error(got)
	}
}

func TestParseMLSD(t *testing.T) {
	for _, tc := range []struct {
		in   string
		want Entry
		have Facts
		from string
	}{
		{"type=file;size=25730;modify=19940728095854;perm=r; cap60.pl198.tar.gz",
			Entry{Name: "cap60.pl198.tar.gz", Size: 25730, ModTime: time.Date(1994, 7, 28, 9, 58, 54, 0, time.UTC), Perm: PermRead},
			FactType | FactSize | FactModify | FactPerm, "RFC 3659 7.7.1"},
		{"Type=dir;Modify=19981107085215.123;Perm=el;Unique=AQkAAAAAAAABCAAA; tmp",
			Entry{Name: "tmp", Mode: fs.ModeDir, ModTime: time.Date(1998, 11, 7, 8, 52, 15, 123e6, time.UTC), Perm: PermList, Unique: "AQkAAAAAAAABCAAA"},
			FactType | FactModify | FactPerm | FactUnique, "RFC 3659 7.7.2"},
		{"perm=cpmel;type=cdir; .", Entry{Name: ".", Mode: fs.ModeDir, Kind: KindCurrent, Perm: PermWrite | PermDelete | PermMkdir | PermList},
			FactPerm | FactType, "perm before type"},
		{"type=pdir; ..", Entry{Name: "..", Mode: fs.ModeDir, Kind: KindParent}, FactType, ""},
		{"type=OS.unix=slink:/a:b; l", Entry{Name: "l", Mode: fs.ModeSymlink, LinkTarget: "/a:b"}, FactType, "wu-ftpd"},
		{"type=OS.unix=symlink;UNIX.mode=0777; l", Entry{Name: "l", Mode: fs.ModeSymlink | 0o777}, FactType | FactUnixMode, "proftpd"},
		{"UNIX.mode=04755;type=file; s", Entry{Name: "s", Mode: fs.ModeSetuid | 0o755}, FactType | FactUnixMode, ""},
		{"type=OS.unix=chr-13/29; n", Entry{Name: "n", Mode: fs.ModeDevice | fs.ModeCharDevice}, FactType, "pure-ftpd"},
		{"type=OS.vms=x; n", Entry{Name: "n", Mode: fs.ModeIrregular}, FactType, ""},
		{"type=file;UNIX.owner=1000;UNIX.group=staff; n", Entry{Name: "n", Owner: "1000", UID: 1000, Group: "staff"}, FactType | FactUnixOwner | FactUnixGroup, ""},
		{"type=file;size=-1;modify=x;UNIX.mode=9; n", Entry{Name: "n"}, FactType, "bad values are missing ones"},
		{"type=file;size=99999999999999999999; n", Entry{Name: "n"}, FactType, ""},
		{"type=file;x.y=1;media-type=text/plain n", Entry{Name: "n"}, FactType, "no last semicolon"},
		{" name only ", Entry{Name: "name only ", Mode: fs.ModeIrregular}, 0, "RFC 3659 7.2: no facts"},
		{" a=b c", Entry{Name: "a=b c", Mode: fs.ModeIrregular}, 0, ""},
		{"type=file;  lead", Entry{Name: " lead"}, FactType, "blanks of the name stay"},
	} {
		e, have, err := ParseMLSD(tc.in)
		if err != nil || e != tc.want || have != tc.have {
			t.Errorf("%q:\n got %+v, %v, %v\nwant %+v, %v (%s)", tc.in, e, have, err, tc.want, tc.have, tc.from)
		}
	}
	for _, in := range []string{"", " ", "name", "type=file;", "type=file; ", "no facts", "-rw-r--r-- 1 a b"} {
		if e, _, err := ParseMLSD(in); err != ErrBadEntry {
			t.Errorf("%q: %+v, %v", in, e, err)
		}
	}
}

func TestParseMLST(t *testing.T) {
	for in, want := range map[string]Entry{
		" type=dir; /a b":  {Name: "/a b", Mode: fs.ModeDir},
		"type=dir; /a b":   {Name: "/a b", Mode: fs.ModeDir},
		"   type=dir; /a ": {Name: "/a ", Mode: fs.ModeDir},
		"  /a b":           {Name: "/a b", Mode: fs.ModeIrregular},
		" /a=b c":          {Name: "/a=b c", Mode: fs.ModeIrregular},
	} {
		if e, _, err := ParseMLST(in); err != nil || e != want {
			t.Errorf("%q: %+v, %v", in, e, err)
		}
	}
	for _, in := range []string{"", "  ", " type=dir; "} {
		if e, _, err := ParseMLST(in); err != ErrBadEntry {
			t.Errorf("%q: %+v, %v", in, e, err)
		}
	}
}

// FuzzFacts: a printed line is one line, and reads back as what was printed.
func FuzzFacts(f *testing.F) {
	f.Add("type=file;size=1; a", "name", "owner", "target", int64(1), uint32(0o644), int64(1700000000), uint16(0xff))
	f.Add(" x", "a\r\nb", "o;\n", "x;y", int64(-1), uint32(1<<27|0o777), int64(0), uint16(0))
	f.Add("type=OS.unix=slink:a;perm=el; l", " ;=", "", "../x", int64(5), uint32(1<<31), int64(-1), uint16(0x71))
	f.Fuzz(func(t *testing.T, line, name, owner, target string, size int64, mode uint32, sec int64, bits uint16) {
		if e, have, err := ParseMLSD(line); err == nil {
			reprint(t, e, have)
		}
		if e, have, err := ParseMLST(line); err == nil {
			reprint(t, e, have)
		}
		if sec = sec % (1 << 36); sec < 0 {
			sec = -sec
		}
		e := Entry{Name: name, Owner: owner, LinkTarget: target, Size: size, Mode: fs.FileMode(mode),
			ModTime: time.Unix(sec, 0).UTC(), Perm: Perm(bits), Ino: uint64(mode)}
		reprint(t, e, Facts(bits)&AllFacts)
	})
}

func reprint(t *testing.T, e Entry, facts Facts) {
	line := string(AppendMLSD(nil, &e, facts))
	if line == "" {
		if Speakable(e.Name) {
			t.Fatalf("%+v is left out", e)
		}
		return
	}
	body, ok := strings.CutSuffix(line, "\r\n")
	if !ok || strings.ContainsAny(body, "\r\n\x00") {
		t.Fatalf("%+v is printed as %q", e, line)
	}
	again, have, err := ParseMLSD(body)
	if err != nil || again.Name != e.Name || have&^facts != 0 {
		t.Fatalf("%q reads as %+v, %v, %v", line, again, have, err)
	}
	if have.has(FactSize) && again.Size != max(e.Size, 0) ||
		have.has(FactModify) && e.ModTime.Year() <= 9999 && !again.ModTime.Equal(e.ModTime.Truncate(time.Second)) ||
		have.has(FactUnixMode) && again.Mode.Perm() != e.Mode.Perm() {
		t.Fatalf("%+v became %+v by %q", e, again, line)
	}
	// What was read prints as the same line again, if it tells its type, which
	// size and perm depend on.
	if second := string(AppendMLSD(nil, &again, have)); facts == have && have.has(FactType) && second != line && e.Mode.Type()&^(fs.ModeDir|fs.ModeSymlink) == 0 {
		t.Fatalf("%q became %q", line, second)
	}
}

func (f Facts) has(want Facts) bool { return f&want != 0 }

func BenchmarkAppendMLSD(b *testing.B) {
	e := Entry{Name: "some-file.txt", Mode: 0o644, Size: 123456, ModTime: testNow, Owner: "joe", Group: "staff", Dev: 1, Ino: 2, Perm: PermRead}
	buf := make([]byte, 0, 512)
	b.ReportAllocs()
	for b.Loop() {
		buf = AppendMLSD(buf[:0], &e, AllFacts)
	}
}
