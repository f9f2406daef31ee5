package attack_test

import (
	"bytes"
	"compress/zlib"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/weft-go/weft/ftp/server"
)

// Numbers beyond all bounds are refused, and make no file of such a size.
func TestAttack37_HugeNumbers(t *testing.T) {
	attack(t, func(w *world) {
		w.write("eve/f", "0123456789")
		c := w.login("eve")
		for _, n := range []string{"9223372036854775808", "18446744073709551616", "-1", "-9223372036854775808", "1e30", "0x10", "", strings.Repeat("9", 4000)} {
			c.cmd("REST "+n, 501, 504, 554)
			c.cmd("ALLO "+n, 501, 504, 552)
		}
		c.cmd("ALLO 9223372036854775807", 200, 202, 452, 504, 552)
		for _, n := range []int64{math.MaxInt64, math.MaxInt64 - 1, 1 << 62, 1 << 50, 11} {
			for _, verb := range []string{"STOR f", "STOR new", "RETR f"} {
				if r := c.cmd(fmt.Sprintf("REST %d", n)); r.Code != 350 {
					continue
				}
				if r, got := c.attempt(verb, "x"); r.Code < 400 {
					w.Errorf("%s at %d: %v %q", verb, n, r.Code, got)
				}
			}
		}
		for _, name := range []string{"f", "new"} {
			if fi, err := os.Stat(filepath.Join(w.root, "eve", name)); err == nil && fi.Size() > 10 {
				w.Errorf("%s has %d bytes", name, fi.Size())
			}
		}
		if got := c.get("RETR f"); got != "0123456789" {
			w.Errorf("f is %q", got)
		}
	})
}

// SITE changes nothing before login, nor for who may only read.
func TestAttack41_Site(t *testing.T) {
	attack(t, func(w *world) {
		w.write("guest/f", "x")
		file := filepath.Join(w.root, "guest", "f")
		before, err := os.Stat(file)
		if err != nil {
			w.Fatal(err)
		}
		commands := []string{
			"SITE CHMOD 777 f", "SITE CHMOD 4777 f", "SITE CPFR f", "SITE CPTO g", "SITE CPFR /etc/passwd", "SITE SYMLINK /etc/passwd g",
			"SITE MKDIR d", "SITE RMDIR d", "SITE UTIME 20200101000000 f", "SITE UTIME f 20200101000000 20200101000000 20200101000000 UTC",
			"SITE EXEC id", "SITE EXEC /bin/sh -c id", "SITE CHOWN root f", "SITE CHGRP root f", "SITE UMASK 000", "SITE INDEX x",
			"MFMT 20200101000000 f", "MFF UNIX.mode=777; f", "MFCT 20200101000000 f",
		}
		c := w.dial()
		for _, line := range commands {
			if r := c.cmd(line); r.Code < 500 {
				w.Errorf("before login: %s: %v %s", line, r.Code, r.Text())
			}
		}
		c.pass("guest")
		for _, line := range commands {
			if strings.HasPrefix(line, "SITE UMASK") {
				c.cmd(line) // concerns the session only
				continue
			}
			if r := c.cmd(line); r.Code < 500 && !strings.HasPrefix(line, "SITE CPFR f") {
				w.Errorf("without the right: %s: %v %s", line, r.Code, r.Text())
			}
		}
		after, err := os.Stat(file)
		if err != nil || after.Mode() != before.Mode() || !after.ModTime().Equal(before.ModTime()) {
			w.Errorf("the file is %v of %v, was %v of %v; %v", after.Mode(), after.ModTime(), before.Mode(), before.ModTime(), err)
		}
		if got := w.names("guest"); got != `["f"]` {
			w.Errorf("guest has %s", got)
		}
		eve := w.login("eve")
		w.write("eve/f", "x")
		eve.refused("SITE CPFR /../alice/private")
		eve.refused("SITE CHMOD 666 /../alice/private")
		eve.refused("SITE EXEC id")
		if eve.cmd("SITE CHMOD 4777 f").Code < 400 { // served: then without the setuid bit
			if fi, err := os.Stat(filepath.Join(w.root, "eve", "f")); err != nil || fi.Mode()&(os.ModeSetuid|os.ModeSetgid) != 0 {
				w.Errorf("f has mode %v, %v", fi.Mode(), err)
			}
		}
	})
}

// A hash of a file without end keeps nobody else waiting, and ends with its
// session.
func TestAttack42_HugeHash(t *testing.T) {
	attack(t, func(w *world) {
		w.write("eve/huge", "")
		if err := os.Truncate(filepath.Join(w.root, "eve", "huge"), 1<<40); err != nil {
			w.Skipf("SKIP: no sparse files here: %v", err)
		}
		var all []*client
		for range 40 {
			c := w.login("eve")
			c.raw("HASH huge\r\nXCRC huge\r\nXSHA256 huge\r\nMD5 huge\r\nNOOP\r\n")
			all = append(all, c)
		}
		w.alive()
		for _, c := range all {
			c.abort()
		}
		w.alone()
		w.alive()
	})
}

// A megabyte of nothing that unfolds to a gigabyte costs memory for neither.
func TestAttack43_DeflateBomb(t *testing.T) {
	attack(t, func(w *world) {
		c := w.login("eve")
		if r := c.cmd("MODE Z"); r.Code >= 400 {
			return // refused: there is nothing to attack
		}
		var bomb bytes.Buffer
		z := zlib.NewWriter(&bomb)
		zeros := make([]byte, 1<<20)
		for range 256 {
			_, _ = z.Write(zeros)
		}
		_ = z.Close()
		before := heap()
		d := c.begin("STOR bomb")
		_, _ = d.Write(bomb.Bytes())
		d.Close()
		r := c.expect()
		if grown := heap() - before; grown > 32<<20 {
			w.Errorf("%d bytes of memory for %d that were sent", grown, bomb.Len())
		}
		w.Logf("answered by %v %s", r.Code, r.Text())
		d = c.begin("STOR cut") // and one that ends in the middle is no file
		_, _ = d.Write(bomb.Bytes()[:bomb.Len()/2])
		d.Close()
		if r := c.expect(); r.Code < 400 {
			w.Errorf("half a stream: %v %s", r.Code, r.Text())
		}
	})
}

// MDTM with a time in front of the name is a question about a file of that name,
// or a change that takes the right to make it.
func TestAttack44_MDTMNames(t *testing.T) {
	attack(t, func(w *world) {
		long := time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC)
		at := func(name string) time.Time {
			fi, err := os.Stat(filepath.Join(w.root, name))
			if err != nil {
				w.Fatal(err)
			}
			return fi.ModTime().UTC()
		}
		for _, user := range []string{"eve", "guest"} {
			for _, name := range []string{"f", "20200101000000 f", "20200101000000"} {
				w.write(user+"/"+name, "x")
				if err := os.Chtimes(filepath.Join(w.root, user, name), long, long); err != nil {
					w.Fatal(err)
				}
			}
			c := w.login(user)
			r := c.cmd("MDTM 20200101000000 f", 213)
			if at(user+"/f") != long {
				w.Errorf("%s: the file of another name was changed: %v", user, r.Text())
			}
			if got := c.cmd("MDTM 20200101000000", 213).Text(); got != "20010203040506" {
				w.Errorf("%s: MDTM of a name of digits: %s", user, got)
			}
			c.refused("MDTM 20200101000000 missing")
			c.refused("MDTM 20200101000000 ../alice/private")
			c.refused("MDTM 99999999999999 missing")
		}
		guest := w.login("guest")
		if err := os.Remove(filepath.Join(w.root, "guest", "20200101000000 f")); err != nil {
			w.Fatal(err)
		}
		guest.refused("MDTM 20200101000000 f")
		if at("guest/f") != long {
			w.Error("who may only read has changed a time")
		}
	})
}

// What a session sends while its transfer waits for the data connection does not
// change which file it is (the LightFTP class), on many sessions at a time.
func TestAttack46_PathRace(t *testing.T) {
	attackBoth(t, func(w *world) {
		w.write("eve/f", "harmless")
		if err := os.Mkdir(filepath.Join(w.root, "eve", "d"), 0o755); err != nil {
			w.Fatal(err)
		}
		w.write("eve/d/f", "another")
		const sessions, rounds = 8, 15
		errs := make(chan error, sessions)
		for range sessions {
			c := w.login("eve")
			go func() { errs <- c.race(rounds) }()
		}
		for range sessions {
			if err := <-errs; err != nil {
				w.Error(err)
			}
		}
	}, func(c *server.Config) { c.BanAfter = -1 })
}

// race runs on a goroutine of its own, so it returns errors.
func (c *client) race(rounds int) error {
	for range rounds {
		if err := c.try("EPSV\r\n"); err != nil {
			return err
		}
		r, err := c.reply()
		if err != nil || r.Code != 229 {
			return fmt.Errorf("EPSV: %v, %v", r, err)
		}
		var port int
		if _, err := fmt.Sscanf(r.Text()[strings.Index(r.Text(), "(|||"):], "(|||%d|)", &port); err != nil {
			return err
		}
		if err := c.try("RETR f\r\nCWD d\r\nUSER ../../alice/private\r\nSIZE /d/f\r\nRNFR /d/f\r\nCWD /\r\nEPSV\r\n"); err != nil {
			return err
		}
		d, err := c.w.tryDial(fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			return err
		}
		b, err := io.ReadAll(d)
		d.Close()
		if err != nil || string(b) != "harmless" {
			return fmt.Errorf("got %q, %v", b, err)
		}
		for _, want := range []int{150, 226, 250, 331, 213, 350, 250, 229} {
			if r, err := c.reply(); err != nil || int(r.Code) != want {
				return fmt.Errorf("%v %s, %v, want %d", r.Code, r.Text(), err, want)
			}
		}
	}
	return nil
}
