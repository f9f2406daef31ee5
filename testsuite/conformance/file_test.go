package conformance

import (
	"bytes"
	"compress/zlib"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"hash"
	"hash/crc32"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/weft-go/weft/ftp"
	"github.com/weft-go/weft/ftp/server"
	"github.com/weft-go/weft/ftp/storage"
)

// sum is a checksum, in hexadecimal digits.
func sum(h ftp.Hash, content string) string {
	var to hash.Hash
	switch h {
	case ftp.HashSHA256:
		to = sha256.New()
	case ftp.HashSHA512:
		to = sha512.New()
	case ftp.HashSHA1:
		to = sha1.New()
	case ftp.HashMD5:
		to = md5.New()
	case ftp.HashCRC32:
		to = crc32.NewIEEE()
	}
	_, _ = io.WriteString(to, content)
	digits := hex.EncodeToString(to.Sum(nil))
	if h == ftp.HashCRC32 {
		return strings.ToUpper(digits) // as other servers have it
	}
	return digits
}

var y2020 = time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)

// wantTime fails unless a file's time is y2020, on the disk and to MDTM.
func (f *fixture) wantTime(c *client, name string) {
	f.Helper()
	info, err := os.Stat(f.path(name))
	if err != nil || !info.ModTime().Equal(y2020) {
		f.Errorf("%s: %v, %v", name, info, err)
	}
	c.text(213, "MDTM "+name, "20200101000000")
}

func (f *fixture) wantMode(name string, mode os.FileMode) {
	f.Helper()
	info, err := os.Stat(f.path(name))
	if err != nil || info.Mode().Perm() != mode {
		f.Errorf("%s: %v, %v", name, info.Mode(), err)
	}
}

// Times, sizes, attributes, checksums.
func init() {
	runs("C185", func(f *fixture) { f.login().text(213, "MDTM old", "20010203040506") })
	is("C186", 550)
	is("C187", 213)
	runs("C188", func(f *fixture) { f.login().text(213, "SIZE file", "50") })
	is("C189", 550)
	is("C190", 550)

	runs("C239", func(f *fixture) {
		c := f.login()
		c.text(213, "MFMT 20200101000000 file", "Modify=20200101000000; file")
		f.wantTime(c, "file")
		f.feature(c, "MFMT")
		f.loginAs(reader).cmd(550, "MFMT 20200101000000 old")
	})
	is("C240", 501, "MFMT 20201301000000 file")
	is("C241", 550)
	is("C242", 502, "MFCT 20200101000000 file")
	runs("C243", func(f *fixture) {
		c := f.login()
		c.text(213, "MFF Modify=20200101000000;UNIX.mode=0640; file", "Modify=20200101000000;UNIX.mode=0640; file")
		f.wantTime(c, "file")
		f.wantMode("file", 0o640)
		f.feature(c, "MFF Modify;UNIX.mode;")
	})
	is("C244", 504, "MFF Bogus=1; file")
	runs("C245", func(f *fixture) {
		c := f.login()
		f.decide(c.cmd(213, "MDTM 20200101000000 file").Code)
		f.wantTime(c, "file")
		f.write("20200101000000 old", "")
		c.cmd(213, "MDTM 20200101000000 old")
		c.text(213, "MDTM old", "20010203040506")
		f.loginAs(reader).cmd(550, "MDTM 20200101000000 file")
		c.cmd(550, "MDTM 20200101000000 none")
	})
	runs("C246", func(f *fixture) {
		c := f.login()
		if got := f.feature(c, "HASH"); got != "HASH SHA-256*;SHA-512;SHA-1;MD5;CRC32" {
			f.Errorf("%q", got)
		}
		c.cmd(200, "OPTS HASH MD5")
		if got := f.feature(c, "HASH"); got != "HASH SHA-256;SHA-512;SHA-1;MD5*;CRC32" {
			f.Errorf("%q", got)
		}
	})
	runs("C247", func(f *fixture) { f.login().text(200, "OPTS HASH", "SHA-256") })
	runs("C248", func(f *fixture) {
		c := f.login()
		c.text(200, "OPTS HASH SHA-512", "SHA-512")
		c.text(200, "OPTS HASH", "SHA-512")
	})
	is("C249", 504)
	runs("C250", func(f *fixture) {
		c := f.login()
		for h := range ftp.HashCRC32 + 1 {
			c.cmd(200, "OPTS HASH "+h.String())
			c.text(213, "HASH file", h.String()+" 0-49 "+sum(h, fifty)+" file")
		}
		f.loginAs(reader).cmd(213, "HASH file")
	})
	is("C251", 550, "HASH dir")
	runs("C252", func(f *fixture) {
		c, other := f.login(), f.login()
		c.send("HASH endless")
		f.eventually("progress", func() bool {
			return strings.Contains(c.cmd(211, "STAT").Text(), "HASH /endless, ") // at once
		})
		other.text(213, "HASH small", "SHA-256 0-0 "+sum(ftp.HashSHA256, "x")+" small")
		c.send("ABOR")
		c.expect(426)
		c.expect(226)
		c.cmd(200, "NOOP")
		// It does not outlive its session.
		c.send("HASH endless")
		c.conn.Close()
		f.eventually("the end of the session", func() bool { return f.srv.Sessions() == 1 })
	}, func(c *server.Config) {
		mem := storage.NewMem()
		u, err := mem.Create("/small", storage.WriteReplace, 0)
		if err == nil {
			_, _ = io.WriteString(u, "x")
			err = u.Commit()
		}
		if err != nil {
			panic(err)
		}
		c.Root = endlessFile{mem}
	})
	runs("C257", func(f *fixture) {
		c := f.login()
		for verb, h := range map[string]ftp.Hash{
			"XCRC": ftp.HashCRC32, "XMD5": ftp.HashMD5, "XSHA": ftp.HashSHA1, "XSHA1": ftp.HashSHA1,
			"XSHA256": ftp.HashSHA256, "XSHA512": ftp.HashSHA512,
		} {
			c.text(250, verb+" file", sum(h, fifty))
			c.text(250, verb+` "file"`, sum(h, fifty))
			c.cmd(550, verb+" missing")
		}
	})
	runs("C258", func(f *fixture) {
		c := f.login()
		c.text(251, "MD5 file", "file "+sum(ftp.HashMD5, fifty))
		c.text(252, "MMD5 a.txt, b.txt", "a.txt "+sum(ftp.HashMD5, "a")+", b.txt "+sum(ftp.HashMD5, "b"))
		c.cmd(550, "MMD5 a.txt, missing")
		c.cmd(501, "MMD5 "+strings.Repeat("a,", 64)+"a")
	})
	runs("C277", func(f *fixture) {
		c := f.login()
		for _, line := range []string{"AVBL", "AVBL dir"} {
			if n, err := strconv.ParseInt(c.cmd(213, line).Text(), 10, 64); err != nil || n < 0 {
				f.Errorf("%s: %d, %v", line, n, err)
			}
		}
		c.steps("550 AVBL missing", "550 AVBL file")
	})
}

// endlessFile has a file without end.
type endlessFile struct{ storage.FS }

func (e endlessFile) Open(path string) (storage.File, error) {
	if path == "/endless" {
		return endless{}, nil
	}
	return e.FS.Open(path)
}

// endless reads zeros. Each read takes no time, so it must be others' turn in between.
type endless struct{ storage.File }

func (endless) Stat() (storage.Entry, error) {
	return storage.Entry{Name: "endless", Size: 1 << 62}, nil
}
func (endless) Read(p []byte) (int, error) { clear(p); return len(p), nil }
func (endless) Close() error               { return nil }

// MODE Z.
func init() {
	z := func(f *fixture) *client {
		c := f.login()
		c.cmd(200, "MODE Z")
		return c
	}
	runs("C259", func(f *fixture) {
		c := f.login()
		f.decide(c.cmd(200, "MODE Z").Code)
		f.feature(c, "MODE Z")
		if got := c.cmd(211, "STAT").Text(); !strings.Contains(got, "mode: deflate") {
			f.Errorf("%q", got)
		}
		c.cmd(200, "MODE S")
	})
	long := strings.Repeat("line\n", 100000)
	runs("C260", func(f *fixture) {
		c := z(f)
		f.write("long", long)
		for _, typ := range []string{"I", "A"} {
			c.cmd(200, "TYPE "+typ)
			wire := long
			if typ == "A" {
				wire = strings.ReplaceAll(long, "\n", "\r\n")
			}
			packed := c.get("RETR long")
			if len(packed) > len(long)/10 {
				f.Errorf("TYPE %s: %d bytes on the wire", typ, len(packed))
			}
			if got := f.unpack(packed); got != wire {
				f.Errorf("TYPE %s: %s", typ, brief(got))
			}
			c.put("STOR up", f.pack(wire))
			f.want("up", long)
			c.put("STOR up", f.pack(""))
			f.want("up", "")
			if got := f.unpack(c.get("RETR up")); got != "" {
				f.Errorf("an empty file: %q", got)
			}
			for _, verb := range []string{"LIST", "NLST", "MLSD"} {
				if got := f.lines(f.unpack(c.get(verb + " dir"))); len(got) != 1 {
					f.Errorf("%s: %q", verb, got)
				}
			}
		}
		c.cmd(200, "MODE S")
		if got := c.get("RETR long"); got != strings.ReplaceAll(long, "\n", "\r\n") {
			f.Error("MODE S differs")
		}
	})
	runs("C261", func(f *fixture) {
		c := z(f)
		f.write("long", long)
		for level := range 9 {
			c.cmd(200, "OPTS MODE Z LEVEL "+strconv.Itoa(level+1))
			if got := f.unpack(c.get("RETR long")); got != long {
				f.Errorf("level %d differs", level+1)
			}
		}
	})
	is("C262", 501)
	runs("C263", func(f *fixture) {
		c := z(f)
		d := c.transfer("STOR bomb")
		_, _ = io.WriteString(d, f.pack(strings.Repeat("\x00", 10<<20)))
		f.decide(c.expect(552).Code)
		f.gone("bomb")
		c.cmd(200, "NOOP")
	}, func(c *server.Config) { c.MaxFileSize = 1 << 20 })
	runs("C264", func(f *fixture) {
		c := z(f)
		whole := f.pack(fifty)
		broken := []byte(whole)
		broken[len(broken)-1] ^= 1
		for _, tc := range []struct {
			sent string
			code ftp.Code
		}{
			{"not compressed", 451}, {string(broken), 451}, {whole + "x", 451},
			{whole[:len(whole)-1], 426}, {whole[:5], 426}, {whole[:1], 426},
		} {
			f.store(c.transfer("STOR file"), tc.sent)
			f.decide(c.expect(tc.code).Code)
		}
		f.want("file", fifty)
		f.gone("")
	})
	runs("C265", func(f *fixture) {
		c := z(f)
		c.cmd(350, "REST 10")
		if got := f.unpack(c.get("RETR file")); got != fifty[10:] {
			f.Errorf("%q", got)
		}
		c.cmd(350, "RANG 10 19")
		if got := f.unpack(c.get("RETR file")); got != fifty[10:20] {
			f.Errorf("%q", got)
		}
		c.cmd(350, "REST 10")
		c.put("STOR file", f.pack("XY"))
		f.want("file", fifty[:10]+"XY")
	})
}

func (f *fixture) pack(s string) string {
	f.Helper()
	var b bytes.Buffer
	w := zlib.NewWriter(&b)
	_, err := io.WriteString(w, s)
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		f.Fatal(err)
	}
	return b.String()
}

func (f *fixture) unpack(s string) string {
	f.Helper()
	in := strings.NewReader(s)
	r, err := zlib.NewReader(in)
	if err != nil {
		f.Fatal(err)
	}
	b, err := io.ReadAll(r)
	if err != nil || in.Len() > 0 {
		f.Fatalf("%v, %d bytes behind the end", err, in.Len())
	}
	return string(b)
}

// SITE.
func init() {
	runs("C145", func(f *fixture) {
		c := f.login()
		text := c.cmd(214, "SITE HELP").Text()
		for row := range ftp.SiteCommands() {
			if !strings.Contains(text, " "+row.Verb) {
				f.Errorf("%s is not listed", row.Verb)
			}
		}
		c.steps("214 SITE HELP CHMOD", "504 SITE HELP BOGUS")
		f.decide(214)
	})
	runs("C266", func(f *fixture) {
		c := f.login()
		f.decide(c.cmd(200, "SITE CHMOD 640 file").Code)
		f.wantMode("file", 0o640)
		c.steps("501 SITE CHMOD 9z9 file", "501 SITE CHMOD 4755 file", "550 SITE CHMOD 640 missing", "501 SITE CHMOD 640", "501 SITE CHMOD", "550 SITE CHMOD 640 /")
		f.loginAs(reader).cmd(550, "SITE CHMOD 600 file")
	})
	runs("C267", func(f *fixture) {
		c := f.login()
		f.decide(c.cmd(200, "SITE UMASK 077").Code)
		c.put("STOR new", "x")
		c.put("APPE app", "x")
		c.steps("257 MKD d", "257 SITE MKDIR e", "501 SITE UMASK 999")
		f.wantMode("new", 0o600)
		f.wantMode("app", 0o600)
		f.wantMode("d", 0o700)
		f.wantMode("e", 0o700)
		c.put("STOR file", "x") // was there
		f.wantMode("file", 0o644)
	})
	runs("C268", func(f *fixture) {
		c := f.login()
		c.text(200, "SITE IDLE 600", "Idle timeout is 300 seconds.")
		c.text(200, "SITE IDLE 60", "Idle timeout is 60 seconds.")
		c.steps("501 SITE IDLE 0", "501 SITE IDLE x")
		c.cmd(200, "SITE IDLE 1")
		f.decide(200)
		c.expect(421)
	}, func(c *server.Config) { c.MaxIdleTimeout = 300 * time.Second })
	runs("C269", func(f *fixture) {
		c := f.login()
		f.decide(c.cmd(200, "SITE UTIME 20200101000000 file").Code)
		f.wantTime(c, "file")
		c.cmd(200, "SITE UTIME 202001010000 a.txt")
		f.wantTime(c, "a.txt")
		c.cmd(200, "SITE UTIME b.txt 20210101000000 20200101000000 20220101000000 UTC")
		f.wantTime(c, "b.txt")
		c.steps("501 SITE UTIME x file", "550 SITE UTIME 20200101000000 missing")
	})
	runs("C270", func(f *fixture) {
		c := f.login()
		f.decide(c.cmd(502, "SITE SYMLINK file new").Code)
		f.gone("new")
		on := start(f.T, f.engine, f.check, func(c *server.Config) { c.AllowSymlink = true })
		c = on.login()
		c.steps("200 SITE SYMLINK file dir/new", "200 SITE SYMLINK /../../etc/passwd x", "550 SITE SYMLINK file a.txt", "501 SITE SYMLINK a")
		if got := c.get("RETR dir/new"); got != fifty {
			f.Errorf("%q", got)
		}
		c.refused(550, "RETR x")
		on.loginAs(reader).cmd(550, "SITE SYMLINK file y")
	})
	runs("C271", func(f *fixture) {
		c := f.login()
		f.decide(c.cmd(350, "SITE CPFR file").Code)
		c.cmd(250, "SITE CPTO dir/copy")
		f.want("dir/copy", fifty)
		f.want("file", fifty)
		c.cmd(503, "SITE CPTO b") // used up
		c.steps("350 SITE CPFR file", "200 NOOP", "503 SITE CPTO b", "550 SITE CPFR missing", "550 SITE CPFR dir", "550 SITE CPFR out")
		c.steps("350 SITE CPFR file", "550 SITE CPTO file", "350 SITE CPFR file", "550 SITE CPTO dir/../file", "350 SITE CPFR file", "550 SITE CPTO dir", "350 SITE CPFR file", "550 SITE CPTO out")
		f.want("file", fifty)
		f.big("big")
		c.steps("350 SITE CPFR big", "250 SITE CPTO big2")
		if info, err := os.Stat(f.path("big2")); err != nil || info.Size() != bigSize {
			f.Errorf("%v, %v", info, err)
		}
		r := f.loginAs(reader)
		r.steps("350 SITE CPFR file", "550 SITE CPTO b")
	})
	is("C272", 530)
	is("C273", 504)
	is("C274", 504)
	is("C275", 504)
}
