package server_test

import (
	"bytes"
	"compress/zlib"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	stdnet "net"
	"path"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/weft-go/weft/ftp"
	"github.com/weft-go/weft/ftp/auth"
	"github.com/weft-go/weft/ftp/server"
	"github.com/weft-go/weft/ftp/storage"
)

// TestModel runs random commands, with their transfers, and compares each reply
// and each byte with a model. After each a second session must answer.
func TestModel(t *testing.T) {
	onEngines(t, func(t *testing.T, e server.Engine) {
		var root atomic.Pointer[storage.Mem] // of the run
		f := start(t, e, func(c *server.Config) {
			c.RootFor = func(*auth.Identity) (storage.FS, error) { return root.Load().Sub("/") }
			c.MaxLoginAttempts, c.BanAfter = -1, -1
		})
		rapid.Check(t, func(rt *rapid.T) {
			root.Store(storage.NewMem())
			beside := f.login()
			defer beside.close()
			m := &model{c: f.login(), dirs: map[string]bool{"/": true}, files: map[string]string{}}
			defer m.c.close()
			m.login()
			m.typ = "I"
			for range rapid.IntRange(1, 40).Draw(rt, "steps") {
				step := m.draw(rt)
				if err := step(); err != nil {
					rt.Fatal(err)
				}
				beside.cmd(200, "NOOP")
			}
			m.c.send("QUIT")
			if err := m.expect(221); err != nil {
				rt.Fatal(err)
			}
			if _, err := m.c.reply(); !errors.Is(err, io.EOF) {
				rt.Fatalf("after QUIT: %v", err)
			}
		})
	})
}

// model is what a session and its tree should be.
type model struct {
	c     *client
	dirs  map[string]bool
	files map[string]string

	named, in bool
	cwd, typ  string
	mode      string
	// What the last command left.
	rename, copyFrom string
	rest             int
	span             bool // of RANG 2 5
}

func (m *model) login() {
	m.named, m.in = false, true
	m.cwd = "/"
	if m.typ == "" {
		m.typ, m.mode = "A", "S"
	}
}

func (m *model) resolve(arg string) string { return path.Join("/", path.Join(m.cwd, arg)) }

// absolute is resolve for an argument that may begin with a slash.
func (m *model) absolute(arg string) string {
	if strings.HasPrefix(arg, "/") {
		return path.Clean(arg)
	}
	return m.resolve(arg)
}

func (m *model) exists(p string) bool {
	_, file := m.files[p]
	return file || m.dirs[p]
}

// under returns what is below a directory.
func (m *model) under(dir string) []string {
	var all []string
	for p := range m.dirs {
		if strings.HasPrefix(p, dir+"/") {
			all = append(all, p)
		}
	}
	for p := range m.files {
		if strings.HasPrefix(p, dir+"/") {
			all = append(all, p)
		}
	}
	return all
}

// expect reads one reply.
func (m *model) expect(codes ...ftp.Code) error {
	r, err := m.c.reply()
	if err != nil {
		return fmt.Errorf("after %s: %w", m.c.verb, err)
	}
	for _, code := range codes {
		if r.Code == code {
			return nil
		}
	}
	return fmt.Errorf("%s is answered by %v, not %v", m.c.verb, r.Err(), codes)
}

// do is a command on the control connection alone: the reply is code, and then
// change comes about if it is a success.
func (m *model) do(line string, code ftp.Code, change func()) error {
	m.c.send(line)
	m.c.verb = line
	verb, _, _ := strings.Cut(line, " ")
	if row, ok := ftp.Lookup(verb); ok {
		if row.Login && !m.in {
			code = 530
		} else if !row.Allows(code) {
			return fmt.Errorf("the table does not let %s answer %v", line, code)
		}
	}
	if err := m.expect(code); err != nil {
		return err
	}
	m.rename, m.copyFrom, m.rest, m.span = "", "", 0, false
	if code < 400 && change != nil {
		change()
	}
	return nil
}

// transfer is a command with a data connection: code is the refusal, or 0. sends
// is what the client sends, and it returns what it gets.
func (m *model) transfer(line string, code ftp.Code, sends string) (got string, err error) {
	m.c.send("EPSV")
	r, err := m.c.reply()
	if err != nil {
		return "", err
	}
	if !m.in {
		return "", m.do(line, 530, nil)
	}
	port, err := ftp.Parse229(r.Text())
	if err != nil {
		return "", err
	}
	d, err := stdnet.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return "", err
	}
	defer d.Close()
	_ = d.SetDeadline(time.Now().Add(patience))
	if code != 0 {
		return "", m.do(line, code, nil)
	}
	if err := m.do(line, 150, nil); err != nil {
		return "", err
	}
	deflated := m.mode == "Z"
	if strings.HasPrefix(line, "RETR") || strings.HasPrefix(line, "NLST") {
		var from io.Reader = d
		if deflated {
			if from, err = zlib.NewReader(d); err != nil {
				return "", err
			}
		}
		b, err := io.ReadAll(from)
		if err != nil {
			return "", err
		}
		d.Close()
		return string(b), m.expect(226)
	}
	var packed bytes.Buffer
	packed.WriteString(sends)
	if deflated {
		packed.Reset()
		z := zlib.NewWriter(&packed)
		_, _ = io.WriteString(z, sends)
		_ = z.Close()
	}
	if _, err := d.Write(packed.Bytes()); err != nil {
		return "", err
	}
	d.Close()
	return "", m.expect(226)
}

// draw draws a command and returns what carries it out.
func (m *model) draw(rt *rapid.T) func() error {
	arg := rapid.SampledFrom([]string{"a", "b", "d", "d/a", "../a", "/d", "/", "d/e", "a/x", ".", "none/x"}).Draw(rt, "path")
	p := m.absolute(arg)
	content, isFile := m.files[p]
	isDir := m.dirs[p]
	parent := m.dirs[path.Dir(p)]
	pick := func(ok bool, yes, no ftp.Code) ftp.Code {
		if ok {
			return yes
		}
		return no
	}
	ops := map[string]func() error{
		"NOOP":  func() error { return m.do("NOOP", 200, nil) },
		"BOGUS": func() error { return m.do("BOGUS "+arg, 500, nil) },
		"empty": func() error { return m.do("", 500, nil) },
		"PWD": func() error {
			m.c.send("PWD")
			r, err := m.c.reply()
			want := ftp.Quote(m.cwd) + " is the current directory."
			if err == nil && m.in && r.Text() != want {
				err = fmt.Errorf("PWD: %s, not %s", r.Text(), want)
			}
			m.rename, m.copyFrom, m.rest, m.span = "", "", 0, false
			return err
		},
		"CWD":   func() error { return m.do("CWD "+arg, pick(isDir, 250, 550), func() { m.cwd = p }) },
		"TYPE":  func() error { return m.do("TYPE A", 200, func() { m.typ = "A" }) },
		"IMAGE": func() error { return m.do("TYPE I", 200, func() { m.typ = "I" }) },
		"MODE": func() error {
			mode := rapid.SampledFrom([]string{"S", "Z"}).Draw(rt, "mode")
			return m.do("MODE "+mode, 200, func() { m.mode = mode })
		},
		"MKD": func() error {
			return m.do("MKD "+arg, pick(parent && !m.exists(p), 257, 550), func() { m.dirs[p] = true })
		},
		"RMD": func() error {
			return m.do("RMD "+arg, pick(isDir && p != "/" && len(m.under(p)) == 0, 250, 550), func() { delete(m.dirs, p) })
		},
		"DELE": func() error { return m.do("DELE "+arg, pick(isFile, 250, 550), func() { delete(m.files, p) }) },
		"SIZE": func() error { return m.do("SIZE "+arg, pick(isFile && m.typ == "I", 213, 550), nil) },
		"MDTM": func() error { return m.do("MDTM "+arg, pick(m.exists(p), 213, 550), nil) },
		"MLST": func() error { return m.do("MLST "+arg, pick(m.exists(p), 250, 550), nil) },
		"MFMT": func() error { return m.do("MFMT 20200101000000 "+arg, pick(m.exists(p), 213, 550), nil) },
		"RNFR": func() error { return m.do("RNFR "+arg, pick(m.exists(p), 350, 550), func() { m.rename = p }) },
		"RNTO": func() error { return m.rnto(arg, p) },
		"CPFR": func() error { return m.do("SITE CPFR "+arg, pick(isFile, 350, 550), func() { m.copyFrom = p }) },
		"CPTO": func() error {
			code := ftp.Code(250)
			switch {
			case m.copyFrom == "":
				code = 503
			case m.copyFrom == p:
				code = 553
			case isDir || !parent:
				code = 550
			}
			copied := m.files[m.copyFrom]
			return m.do("SITE CPTO "+arg, code, func() { m.files[p] = copied })
		},
		"REST": func() error {
			n := rapid.IntRange(0, 6).Draw(rt, "offset")
			return m.do(fmt.Sprint("REST ", n), pick(n == 0 || m.typ == "I", 350, 504), func() { m.rest = n })
		},
		"RANG": func() error { return m.do("RANG 2 5", pick(m.typ == "I", 350, 504), func() { m.span = true }) },
		"HASH": func() error { return m.hash(arg, isFile, content) },
		"RETR": func() error {
			code := pick(isFile, 0, 550)
			part, ok := m.part(content)
			if code == 0 && !ok {
				code = 554
			}
			if m.typ == "A" {
				part = strings.ReplaceAll(strings.ReplaceAll(part, "\r\n", "\n"), "\n", "\r\n")
			}
			got, err := m.transfer("RETR "+arg, code, "")
			if err == nil && code == 0 && m.in && got != part {
				err = fmt.Errorf("RETR %s: %q, not %q", arg, got, part)
			}
			return err
		},
		"STOR": func() error { return m.stor(rt, arg, p) },
		"APPE": func() error {
			sent, kept := m.text(rt)
			code := pick(isFile || parent && !isDir, 0, 550)
			_, err := m.transfer("APPE "+arg, code, sent)
			if err == nil && code == 0 && m.in {
				m.files[p] = content + kept
			}
			return err
		},
		"NLST": func() error {
			code := pick(m.exists(p), 0, 550)
			got, err := m.transfer("NLST "+arg, code, "")
			if err == nil && code == 0 && m.in {
				n := 1
				if isDir {
					n = 0
					for _, q := range m.under(strings.TrimSuffix(p, "/")) {
						if q != p && path.Dir(q) == p {
							n++
						}
					}
				}
				if strings.Count(got, "\r\n") != n {
					err = fmt.Errorf("NLST %s: %q, not %d names", arg, got, n)
				}
			}
			return err
		},
		"ABOR": func() error { return m.do("ABOR", 226, nil) },
		"REIN": func() error {
			return m.do("REIN", 220, func() { m.in, m.named, m.typ, m.mode = false, false, "", "" })
		},
		"USER": func() error { return m.do("USER "+testUser, 331, func() { m.named = true }) },
		"PASS": func() error { return m.do("PASS "+testPassword, pick(m.named, 230, 503), m.login) },
	}
	names := make([]string, 0, len(ops))
	for _, name := range strings.Fields("NOOP BOGUS empty PWD CWD TYPE IMAGE MODE MKD RMD DELE SIZE MDTM MLST MFMT RNFR RNTO RNTO CPFR CPTO CPTO REST REST RANG HASH RETR RETR STOR STOR APPE NLST ABOR REIN USER PASS PASS") {
		if ops[name] == nil {
			rt.Fatalf("no operation %s", name)
		}
		names = append(names, name)
	}
	return ops[rapid.SampledFrom(names).Draw(rt, "op")]
}

// part is what REST or RANG leaves of content.
func (m *model) part(content string) (string, bool) {
	if m.span {
		if len(content) < 2 {
			return "", false
		}
		return content[2:min(6, len(content))], true
	}
	if m.rest > len(content) {
		return "", false
	}
	return content[m.rest:], true
}

// text draws what is sent, and what is stored of it.
func (m *model) text(rt *rapid.T) (sent, kept string) {
	sent = rapid.SampledFrom([]string{"", "x", "line\r\nline\r\n", "0123456789"}).Draw(rt, "text")
	if m.typ == "A" {
		return sent, strings.ReplaceAll(sent, "\r\n", "\n")
	}
	return sent, sent
}

func (m *model) stor(rt *rapid.T, arg, p string) error {
	sent, kept := m.text(rt)
	old, isFile := m.files[p]
	code := ftp.Code(0)
	switch {
	case m.span:
		code = 503
	case !isFile && (m.dirs[p] || !m.dirs[path.Dir(p)]):
		code = 550
	case m.rest > len(old):
		code = 554
	}
	if m.rest > 0 {
		kept = old[:min(m.rest, len(old))] + kept
	}
	_, err := m.transfer("STOR "+arg, code, sent)
	if err == nil && code == 0 && m.in {
		m.files[p] = kept
	}
	return err
}

func (m *model) hash(arg string, isFile bool, content string) error {
	part, ok := m.part(content)
	first := m.rest
	if m.span {
		first = 2
	}
	code := ftp.Code(213)
	switch {
	case !isFile:
		code = 550
	case !ok:
		code = 554
	}
	if code != 213 || !m.in {
		return m.do("HASH "+arg, code, nil)
	}
	m.c.send("HASH " + arg)
	r, err := m.c.reply()
	want := fmt.Sprintf("SHA-256 %d-%d %x %s", first, first+max(len(part)-1, 0), sha256.Sum256([]byte(part)), arg)
	if err == nil && r.Text() != want {
		err = fmt.Errorf("HASH: %v, not %s", r.Err(), want)
	}
	m.rename, m.copyFrom, m.rest, m.span = "", "", 0, false
	return err
}

func (m *model) rnto(arg, to string) error {
	from := m.rename
	_, fromFile := m.files[from]
	_, toFile := m.files[to]
	code := ftp.Code(250)
	switch {
	case from == "":
		code = 503
	case from == "/" || to == "/":
		code = 550
	case from == to:
	case !fromFile && strings.HasPrefix(to, from+"/"),
		!m.dirs[path.Dir(to)], m.dirs[to], toFile && !fromFile:
		code = 550
	}
	return m.do("RNTO "+arg, code, func() {
		if from == to {
			return
		}
		for _, p := range append(m.under(from), from) {
			q := to + strings.TrimPrefix(p, from)
			if content, ok := m.files[p]; ok {
				delete(m.files, p)
				m.files[q] = content
			} else {
				delete(m.dirs, p)
				m.dirs[q] = true
			}
		}
	})
}
