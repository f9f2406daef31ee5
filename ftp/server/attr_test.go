package server_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/weft-go/weft/ftp/auth"
	"github.com/weft-go/weft/ftp/server"
	"github.com/weft-go/weft/ftp/storage"
)

func (f *fixture) stat(name string) fs.FileInfo {
	f.t.Helper()
	info, err := os.Stat(filepath.Join(f.root, name))
	if err != nil {
		f.t.Fatal(err)
	}
	return info
}

// TestChanges sets times and permissions by each command that can.
func TestChanges(t *testing.T) {
	inClearAndTLS(t, func(t *testing.T, e server.Engine) {
		f := start(t, e)
		f.write("a file", "x")
		c := f.login()
		c.expectText(213, "MFMT 20200101000000 a file", "Modify=20200101000000; a file") // C239
		c.expectText(213, "MDTM a file", "20200101000000")
		if got := f.stat("a file").ModTime().UTC(); !got.Equal(time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)) {
			t.Errorf("time %v", got)
		}
		c.expectText(213, "MFF Modify=20210203040506;UNIX.mode=0640; a file", "Modify=20210203040506;UNIX.mode=0640; a file") // C243
		if info := f.stat("a file"); info.Mode() != 0o640 || info.ModTime().Unix() != time.Date(2021, 2, 3, 4, 5, 6, 0, time.UTC).Unix() {
			t.Errorf("%v %v", info.Mode(), info.ModTime())
		}
		c.expectText(213, "MDTM 20200101000000 a file", "Modify=20200101000000; a file") // C245
		f.write("20200101000000 b", "x")
		if got := c.cmd(213, "MDTM 20200101000000 b").Text(); got == "20200101000000" || strings.Contains(got, "=") { // C245: the file is there
			t.Errorf("MDTM of a file: %s", got)
		}
		c.cmd(200, "SITE CHMOD 604 a file") // C266
		c.cmd(200, "SITE UTIME 20220304050607 a file")
		c.expectText(213, "MDTM a file", "20220304050607") // C269
		c.cmd(200, "SITE UTIME 202203040506 a file")
		c.expectText(213, "MDTM a file", "20220304050600")
		c.cmd(200, "SITE UTIME a file 20220304050607 20230304050607 20220304050607 UTC")
		c.expectText(213, "MDTM a file", "20230304050607")
		if mode := f.stat("a file").Mode(); mode != 0o604 {
			t.Errorf("mode %v", mode)
		}
		c.steps([]step{
			{501, "MFMT 20201301000000 a file", "C240"},
			{501, "MFMT 20200101000000", "C240"},
			{550, "MFMT 20200101000000 missing", "C241"},
			{502, "MFCT 20200101000000 a file", "C242"},
			{504, "MFF Bogus=1; a file", "C244"},
			{501, "MFF Modify=2020; a file", "C244"},
			{501, "MFF UNIX.mode=9; a file", "C244"},
			{501, "MFF UNIX.mode=4755; a file", "C244"},
			{501, "MFF Modify=20200101000000 a file", "C244"},
			{550, "MDTM 20200101000000 missing", "C245"},
			{501, "SITE CHMOD 9z9 a file", "C266"},
			{501, "SITE CHMOD 640", "C266"},
			{550, "SITE CHMOD 640 missing", "C266"},
			{501, "SITE UTIME x a file", "C269"},
		})
	})
}

// TestAVBL: C277. A store that does not know says so.
func TestAVBL(t *testing.T) {
	inClearAndTLS(t, func(t *testing.T, e server.Engine) {
		f := start(t, e)
		f.write("f", "")
		c := f.login()
		for _, line := range []string{"AVBL", "AVBL /"} {
			if n, err := strconv.ParseInt(c.cmd(213, line).Text(), 10, 64); err != nil || n <= 0 {
				t.Errorf("%s: %d, %v", line, n, err)
			}
		}
		c.steps([]step{{550, "AVBL f", "C277"}, {550, "AVBL missing", "C277"}})
		f = start(t, e, func(cfg *server.Config) { cfg.Root = storage.NewMem() })
		f.login().cmd(550, "AVBL")
	})
}

// TestChangesWantRights: a user who may only read changes nothing.
func TestChangesWantRights(t *testing.T) {
	inClearAndTLS(t, func(t *testing.T, e server.Engine) {
		f := start(t, e, func(cfg *server.Config) {
			single, err := auth.NewSingle(auth.Identity{Name: testUser, Home: "/", Perms: auth.ReadOnly}, testPassword)
			if err != nil {
				t.Fatal(err)
			}
			cfg.Auth, cfg.AllowSymlink = single, true
		})
		f.write("f", "x")
		f.login().steps([]step{
			{550, "MFMT 20200101000000 f", ""},
			{550, "MFF UNIX.mode=600; f", ""},
			{550, "MDTM 20200101000000 f", ""},
			{550, "SITE CHMOD 600 f", ""},
			{550, "SITE UTIME 20200101000000 f", ""},
			{550, "SITE SYMLINK f g", ""},
			{550, "SITE MKDIR d", ""},
			{550, "SITE RMDIR d", ""},
			{350, "SITE CPFR f", "C271"},
			{550, "SITE CPTO g", "C271"},
			{550, "STOU", ""},
		})
		if names := f.names(); len(names) != 1 || f.stat("f").Mode() != 0o644 {
			t.Errorf("files %q", names)
		}
		if _, err := os.Stat(filepath.Join(f.root, "g")); !errors.Is(err, fs.ErrNotExist) {
			t.Error(err)
		}
	})
}
