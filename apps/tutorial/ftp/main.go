// Ftp is an FTP server with many users at once: each logs in, waits for all others, uploads a
// file into his own directory, and downloads it again. Server and clients are tasks of this
// program. (For the server alone see apps/ftpd.)
package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net/netip"
	"net/textproto"
	"os"
	"path"
	"path/filepath"

	"github.com/weft-go/weft/ftp"
	"github.com/weft-go/weft/ftp/auth"
	"github.com/weft-go/weft/ftp/server"
	"github.com/weft-go/weft/ftp/storage"
	"github.com/weft-go/weft/net"
	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/event"
)

func main() {
	users := flag.Int("users", 50, "how many users there are")
	size := flag.Int("size", 1<<20, "bytes of each one's file")
	flag.Parse()
	runtime.Main(func() {
		if err := run(*users, *size); err != nil {
			log.Fatal(err)
		}
	})
}

// everybody lets in whoever knows that the password is the name; the home is a directory of
// that name.
type everybody struct{}

func (everybody) Authenticate(_ context.Context, user, password string, _ auth.Peer) (*auth.Identity, error) {
	if user != password {
		return nil, auth.ErrDenied
	}
	return &auth.Identity{Name: user, Home: path.Join("/", user), Perms: auth.ReadWrite}, nil
}

func run(users, size int) error {
	dir, err := os.MkdirTemp("", "weft-tutorial-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	root, err := storage.OpenOSRoot(dir, storage.Options{})
	if err != nil {
		return err
	}
	defer root.Close()
	srv, err := server.New(server.Config{
		Auth: everybody{}, Root: root, MaxSessionsPerIP: -1, MaxPending: -1,
		Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	serving := runtime.Spawn(func() { _ = srv.Serve(l) }) // until Shutdown

	var ready event.Event // all are logged in
	in, uploaded, downloaded := 0, 0, 0
	var tasks []*runtime.Task
	for n := range users {
		name := fmt.Sprintf("user%d", n)
		if err := os.Mkdir(filepath.Join(dir, name), 0o700); err != nil {
			return err
		}
		tasks = append(tasks, runtime.Spawn(func() {
			err := func() error {
				c, err := logIn(l.Addr().String(), name)
				if err != nil {
					return err
				}
				defer c.Close()
				if in++; in == users {
					fmt.Println("logged in at the same time:", srv.Stats().Users)
					ready.Set()
				}
				if err := ready.Wait(); err != nil {
					return err
				}
				content := bytes.Repeat([]byte(name+"\n"), size)[:size]
				if _, err := c.transfer("STOR file", content); err != nil {
					return err
				}
				uploaded++
				got, err := c.transfer("RETR file", nil)
				if err == nil && bytes.Equal(got, content) {
					downloaded++
				}
				return err
			}()
			if err != nil {
				log.Fatalf("%s: %v", name, err)
			}
		}))
	}
	_ = runtime.JoinAll(tasks...)
	fmt.Println("uploads:", uploaded)
	fmt.Println("downloads of the same bytes:", downloaded)
	files, err := filepath.Glob(filepath.Join(dir, "*", "*"))
	if err != nil {
		return err
	}
	fmt.Println("files:", len(files))
	if err := srv.Shutdown(context.Background()); err != nil {
		return err
	}
	return serving.Join()
}

// A client speaks FTP as RFC 959 has it: lines one way, numbered replies the other way.
type client struct {
	*textproto.Conn
	host netip.Addr
}

func logIn(addr, name string) (*client, error) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	c := &client{textproto.NewConn(conn), netip.MustParseAddrPort(addr).Addr()}
	_, _, err = c.ReadResponse(220)
	for _, step := range []struct {
		line string
		code int
	}{{"USER " + name, 331}, {"PASS " + name, 230}, {"TYPE I", 200}} {
		if err == nil {
			_, err = c.ask(step.line, step.code)
		}
	}
	return c, err
}

func (c *client) ask(line string, code int) (text string, err error) {
	if err := c.PrintfLine("%s", line); err != nil {
		return "", err
	}
	_, text, err = c.ReadResponse(code)
	return text, err
}

// transfer uploads content, or returns what it downloads if there is none.
func (c *client) transfer(line string, content []byte) (got []byte, err error) {
	text, err := c.ask("EPSV", 229)
	if err != nil {
		return nil, err
	}
	port, err := ftp.Parse229(text)
	if err != nil {
		return nil, err
	}
	data, err := net.Dial("tcp", netip.AddrPortFrom(c.host, port).String())
	if err != nil {
		return nil, err
	}
	defer data.Close()
	if _, err := c.ask(line, 150); err != nil {
		return nil, err
	}
	if content != nil {
		_, err = data.Write(content)
	} else {
		got, err = io.ReadAll(data)
	}
	if err == nil {
		err = data.Close()
	}
	if err == nil {
		_, _, err = c.ReadResponse(226)
	}
	return got, err
}
