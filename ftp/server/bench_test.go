package server_test

import (
	"bufio"
	"fmt"
	"io"
	"log/slog"
	stdnet "net"
	"strings"
	"testing"

	"github.com/weft-go/weft/ftp"
	"github.com/weft-go/weft/ftp/auth"
	"github.com/weft-go/weft/ftp/server"
	"github.com/weft-go/weft/ftp/storage"
	"github.com/weft-go/weft/runtime"
)

// onEnginesB starts a server on each engine and calls bench with its address. It
// serves the file "f" of 1 KiB to the user "u" without a password.
func onEnginesB(b *testing.B, bench func(b *testing.B, addr string)) {
	rt, err := runtime.New(runtime.Config{})
	if err != nil {
		b.Fatal(err)
	}
	for _, e := range []server.Engine{server.Goroutines(), server.Tasks(rt)} {
		b.Run(e.Name(), func(b *testing.B) {
			root, err := storage.OpenOSRoot(b.TempDir(), storage.Options{})
			if err != nil {
				b.Fatal(err)
			}
			defer root.Close()
			up, err := root.Create("/f", storage.WriteReplace, 0)
			if err == nil {
				_, _ = io.WriteString(up, strings.Repeat("x", 1024))
				err = up.Commit()
			}
			if err != nil {
				b.Fatal(err)
			}
			srv, err := server.New(server.Config{
				Engine: e, Root: root, Logger: slog.New(slog.DiscardHandler),
				Auth: users{"u": {Name: "u", Home: "/", Perms: auth.ReadWrite}},
			})
			if err != nil {
				b.Fatal(err)
			}
			l, err := e.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				b.Fatal(err)
			}
			served := make(chan error, 1)
			e.GoBalanced(func() { served <- srv.Serve(l) })
			bench(b, l.Addr().String())
			if err := srv.Close(); err != nil {
				b.Error(err)
			}
			<-served
		})
	}
}

// benchClient is a client that trusts the server.
type benchClient struct {
	conn stdnet.Conn
	r    *bufio.Reader
}

func (c *benchClient) cmd(line string) (string, error) {
	if line != "" {
		if _, err := io.WriteString(c.conn, line+"\r\n"); err != nil {
			return "", err
		}
	}
	return c.r.ReadString('\n')
}

func benchLogin(addr string) (*benchClient, error) {
	conn, err := stdnet.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	c := &benchClient{conn, bufio.NewReader(conn)}
	for _, line := range []string{"", "USER u", "PASS u", "TYPE I"} {
		if _, err := c.cmd(line); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// BenchmarkNOOP is the cost of a command: dispatch, and the two reads and writes.
func BenchmarkNOOP(b *testing.B) {
	onEnginesB(b, func(b *testing.B, addr string) {
		b.RunParallel(func(pb *testing.PB) {
			c, err := benchLogin(addr)
			if err != nil {
				b.Error(err)
				return
			}
			defer c.conn.Close()
			for pb.Next() {
				if _, err := c.cmd("NOOP"); err != nil {
					b.Error(err)
					return
				}
			}
		})
	})
}

// BenchmarkRETR is the cost of a small file: EPSV, a connection, a transfer.
func BenchmarkRETR(b *testing.B) {
	onEnginesB(b, func(b *testing.B, addr string) {
		b.SetParallelism(8)
		b.RunParallel(func(pb *testing.PB) {
			c, err := benchLogin(addr)
			if err != nil {
				b.Error(err)
				return
			}
			defer c.conn.Close()
			for pb.Next() {
				if err := c.retr(); err != nil {
					b.Error(err)
					return
				}
			}
		})
	})
}

func (c *benchClient) retr() error {
	text, err := c.cmd("EPSV")
	if err != nil {
		return err
	}
	port, err := ftp.Parse229(text)
	if err != nil {
		return err
	}
	d, err := stdnet.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return err
	}
	defer d.Close()
	if _, err := c.cmd("RETR f"); err != nil {
		return err
	}
	if n, err := io.Copy(io.Discard, d); n != 1024 || err != nil {
		return fmt.Errorf("%d bytes, %v", n, err)
	}
	_, err = c.cmd("")
	return err
}
