package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	stdnet "net"
	"net/netip"
	"net/textproto"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/weft-go/weft/ftp"
)

// Many clients at a time, through both processes.
func TestProcessesMany(t *testing.T) {
	const clients, rounds = 16, 4
	onProcesses(t, func(t *testing.T, begin func(args ...string) *daemon) {
		d := begin()
		var all sync.WaitGroup
		for id := range clients {
			all.Go(func() {
				if err := d.live(id, rounds); err != nil {
					t.Errorf("client %d: %v", id, err)
				}
			})
		}
		all.Wait()
		log := d.log.String()
		for n := range 2 {
			if at := fmt.Sprintf("msg=transfer process=%d ", n+1); !strings.Contains(log, at) {
				t.Errorf("process %d has had no transfer", n+1)
			}
		}
	})
}

// live uploads, downloads, and compares, in one session after the other.
func (d *daemon) live(id, rounds int) error {
	user, password, _ := strings.Cut(d.login, ":")
	for round := range rounds {
		content := bytes.Repeat([]byte(fmt.Sprintf("%d/%d ", id, round)), 50_000)
		s, err := openSession(d.addr, user, password)
		if err != nil {
			return err
		}
		name := fmt.Sprintf("file%d", id)
		_, err = s.move("STOR "+name, content)
		var got []byte
		if err == nil {
			got, err = s.move("RETR "+name, nil)
		}
		if err == nil && !bytes.Equal(got, content) {
			err = fmt.Errorf("round %d: %d bytes came back as %d others", round, len(content), len(got))
		}
		if err = errors.Join(err, s.Close()); err != nil {
			return err
		}
	}
	return nil
}

// A session is a client that returns its errors.
type session struct {
	*textproto.Conn
	host netip.Addr
}

func openSession(addr, user, password string) (*session, error) {
	conn, err := stdnet.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	_ = conn.SetDeadline(time.Now().Add(patience))
	s := &session{textproto.NewConn(conn), netip.MustParseAddrPort(addr).Addr()}
	_, _, err = s.ReadResponse(220)
	for _, step := range []struct {
		code int
		line string
	}{{331, "USER " + user}, {230, "PASS " + password}, {200, "TYPE I"}} {
		if err == nil {
			_, err = ask(s.Conn, step.code, step.line)
		}
	}
	if err != nil {
		_ = s.Close()
	}
	return s, err
}

// move makes a transfer: it sends up, or returns what comes.
func (s *session) move(line string, up []byte) (down []byte, err error) {
	text, err := ask(s.Conn, 229, "EPSV")
	if err != nil {
		return nil, err
	}
	port, err := ftp.Parse229(text)
	if err != nil {
		return nil, err
	}
	d, err := stdnet.Dial("tcp", netip.AddrPortFrom(s.host, port).String())
	if err != nil {
		return nil, err
	}
	defer d.Close()
	_ = d.SetDeadline(time.Now().Add(patience))
	if _, err := ask(s.Conn, 150, line); err != nil {
		return nil, err
	}
	if up != nil {
		_, err = d.Write(up)
	} else {
		down, err = io.ReadAll(d)
	}
	if err = errors.Join(err, d.Close()); err == nil {
		_, _, err = s.ReadResponse(226)
	}
	return down, err
}
