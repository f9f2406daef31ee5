package server_test

import (
	"crypto/sha256"
	"crypto/sha512"
	"fmt"
	"strings"
	"testing"

	"github.com/weft-go/weft/ftp"
	"github.com/weft-go/weft/ftp/server"
	"github.com/weft-go/weft/ftp/storage"
)

// expectText is cmd that looks at the text, too.
func (c *client) expectText(code ftp.Code, line, text string) {
	c.t.Helper()
	if got := c.cmd(code, line).Text(); got != text {
		c.t.Errorf("%s: %q, not %q", line, got, text)
	}
}

// TestHASH: the algorithms, and the part that is hashed.
func TestHASH(t *testing.T) {
	content := strings.Repeat("0123456789", 30_000) // more than a buffer
	sum := func(s string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(s))) }
	inClearAndTLS(t, func(t *testing.T, e server.Engine) {
		f := start(t, e)
		f.write("f", content)
		f.write("empty", "")
		c := f.login()
		c.cmd(257, "MKD dir")
		if text := c.cmd(211, "FEAT").Text(); !strings.Contains(text, "HASH SHA-256*;SHA-512;SHA-1;MD5;CRC32") { // C246
			t.Errorf("FEAT: %s", text)
		}
		c.expectText(200, "OPTS HASH", "SHA-256")                                                // C247
		c.expectText(213, "HASH f", fmt.Sprintf("SHA-256 0-299999 %s f", sum(content)))          // C250
		c.expectText(213, "HASH ./f", fmt.Sprintf("SHA-256 0-299999 %s ./f", sum(content)))      // C250
		c.expectText(213, "HASH empty", fmt.Sprintf("SHA-256 0-0 %s empty", sum("")))            // C250
		c.cmd(350, "RANG 10 19")                                                                 // C254
		c.expectText(213, "HASH f", fmt.Sprintf("SHA-256 10-19 %s f", sum(content[10:20])))      // C254
		c.expectText(213, "HASH f", fmt.Sprintf("SHA-256 0-299999 %s f", sum(content)))          // the range is used up
		c.expectText(200, "OPTS HASH SHA-512", "SHA-512")                                        // C248
		c.expectText(213, "HASH empty", fmt.Sprintf("SHA-512 0-0 %x empty", sha512.Sum512(nil))) // C248
		c.steps([]step{
			{504, "OPTS HASH FOO", "C249"},
			{550, "HASH dir", "C251"},
			{550, "HASH missing", "C251"},
			{501, "HASH", ""},
			{350, "RANG 400000 500000", ""},
			{554, "HASH f", ""},
			{200, "TYPE A", ""},
			{504, "RANG 1 2", ""},
			{350, "RANG 1 0", "C255"},
			{501, "RANG 20 10", "C256"},
			{501, "RANG x 10", "C256"},
			{501, "RANG 1", "C256"},
			{501, "RANG 0 9223372036854775807", "C256"},
		})
	})
}

// TestXHash: C257, with de facto answers.
func TestXHash(t *testing.T) {
	inClearAndTLS(t, func(t *testing.T, e server.Engine) {
		f := start(t, e)
		f.write("a b", "123456789")
		c := f.login()
		c.expectText(250, "XCRC a b", "CBF43926")
		c.expectText(251, "MD5 a b", "a b 25f9e794323b453885f5181f1b624d0b") // C258
		c.expectText(252, "MMD5 a b, a b", "a b 25f9e794323b453885f5181f1b624d0b, a b 25f9e794323b453885f5181f1b624d0b")
		c.expectText(250, "XMD5 a b", "25f9e794323b453885f5181f1b624d0b")
		c.expectText(250, "XSHA1 a b", "f7c3bc1d808e04732adf679965ccc34ca7ae3441")
		c.expectText(250, "XSHA a b", "f7c3bc1d808e04732adf679965ccc34ca7ae3441")
		c.expectText(250, "XSHA256 a b", fmt.Sprintf("%x", sha256.Sum256([]byte("123456789"))))
		c.expectText(250, "XSHA512 a b", fmt.Sprintf("%x", sha512.Sum512([]byte("123456789"))))
		c.expectText(250, `XSHA256 "a b" 2 4`, fmt.Sprintf("%x", sha256.Sum256([]byte("34"))))
		c.expectText(250, `XSHA256 "a b" 2`, fmt.Sprintf("%x", sha256.Sum256([]byte("3456789"))))
		c.steps([]step{
			{501, `XMD5 "a b" 4 2`, ""},
			{501, `XMD5 "a b`, ""},
			{501, `XMD5 "a b" x`, ""},
			{550, "XMD5 missing", ""},
		})
	})
}

// TestRANG: C253, also with a part that ends behind the file, and through memory.
func TestRANG(t *testing.T) {
	inClearAndTLS(t, func(t *testing.T, e server.Engine) {
		f := start(t, e)
		f.write("f", strings.Repeat("0123456789", 100_000))
		c := f.login()
		for _, mode := range []string{"MODE S", "MODE Z"} {
			c.cmd(200, mode)
			for _, part := range []struct {
				rang string
				from int
				n    int
			}{{"RANG 10 19", 0, 10}, {"RANG 3 900002", 3, 900_000}, {"RANG 999995 2000000", 5, 5}, {"RANG 1 0", 0, 1_000_000}} {
				c.cmd(350, part.rang)
				got := c.get("RETR f")
				if mode == "MODE Z" {
					got = inflated(t, got)
				}
				want := strings.Repeat("0123456789", 100_001)[part.from:][:part.n]
				if got != want {
					t.Errorf("%s, %s: %d bytes, not %d", mode, part.rang, len(got), part.n)
				}
			}
		}
		c.steps([]step{
			{350, "RANG 10 19", ""},
			{229, "EPSV", ""},
			{503, "STOR g", ""},
		})
	})
}

// slowFile is an endless file of which each read is told of, and waits to be let go.
type slowFile struct {
	storage.File
	read chan struct{}
}

func (f slowFile) Read(p []byte) (int, error) {
	f.read <- struct{}{}
	return len(p), nil
}

// TestHashBesideOthers: C252. While a file is hashed STAT answers, another
// session works, and ABOR ends it.
func TestHashBesideOthers(t *testing.T) {
	inClearAndTLS(t, func(t *testing.T, e server.Engine) {
		reads := make(chan struct{})
		f := start(t, e, func(cfg *server.Config) {
			cfg.Root = slowFiles{storage.NewMem(), reads}
		})
		other := f.login()
		other.put("STOR f", "x")
		c := f.login()
		c.send("HASH f")
		<-reads
		c.send("STAT")
		<-reads
		if text := c.expect(211).Text(); !strings.Contains(text, "HASH /f") {
			t.Errorf("STAT: %s", text)
		}
		other.cmd(200, "NOOP")
		c.send("ABOR")
		stop := make(chan struct{})
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			for {
				select {
				case <-reads:
				case <-stop:
					return
				}
			}
		}()
		c.expect(426)
		c.expect(226)
		close(stop)
		<-ended
		c.cmd(200, "NOOP")
	})
}

// slowFiles is a store of slowFile.
type slowFiles struct {
	storage.FS
	read chan struct{}
}

func (s slowFiles) Open(path string) (storage.File, error) {
	f, err := s.FS.Open(path)
	return slowFile{f, s.read}, err
}
