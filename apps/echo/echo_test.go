package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	stdnet "net"

	"github.com/weft-go/weft/net"
	"github.com/weft-go/weft/net/server"
	"github.com/weft-go/weft/runtime"
	"github.com/weft-go/weft/runtime/runtimetest"
)

// serve starts a server for the rest of the test and returns it with its
// address.
func serve(t *testing.T, upper bool) (*Echo, string) {
	t.Helper()
	rt := runtimetest.New(t, 2)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	echo := &Echo{Upper: upper}
	srv := &server.StreamServer{Handler: echo.Serve}
	task := rt.Spawn(func() {
		if err := srv.Serve(l); err != server.ErrServerClosed {
			t.Error(err)
		}
	})
	t.Cleanup(func() {
		if err := srv.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
		if err := task.Join(); err != nil {
			t.Error(err)
		}
	})
	return echo, l.Addr().String()
}

// TestLoad is the tutorial's load: 100 clients with 100 messages each. Every
// third client is cut off by force in the middle, with data on the way, and
// the others do not notice.
func TestLoad(t *testing.T) {
	for _, upper := range []bool{true, false} {
		t.Run(fmt.Sprintf("upper=%v", upper), func(t *testing.T) {
			echo, addr := serve(t, upper)
			const clients, messages = 100, 100
			var wg sync.WaitGroup
			for id := range clients {
				wg.Go(func() {
					cutAfter := messages
					if id%3 == 0 {
						cutAfter = messages / 2
					}
					if err := talk(addr, id, messages, cutAfter, upper); err != nil {
						t.Errorf("client %d: %v", id, err)
					}
				})
			}
			wg.Wait()
			runtimetest.Eventually(t, "all connections are counted", func() bool {
				return echo.connections.Load() == clients
			})
			runtimetest.Eventually(t, "the cut ones are noticed", func() bool {
				return echo.cut.Load() == (clients+2)/3
			})
		})
	}
}

// talk is one client. After cutAfter messages it resets the connection with an
// answer outstanding, unless that is after all of them.
func talk(addr string, id, messages, cutAfter int, upper bool) error {
	conn, err := stdnet.DialTimeout("tcp", addr, runtimetest.Patience)
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(runtimetest.Patience)); err != nil {
		return err
	}
	for i := range messages {
		message := fmt.Appendf(nil, "client %d says message %d, žluť", id, i)
		if _, err := conn.Write(message); err != nil {
			return err
		}
		if i == cutAfter {
			return conn.(*stdnet.TCPConn).SetLinger(0)
		}
		answer := make([]byte, len(message))
		if _, err := io.ReadFull(conn, answer); err != nil {
			return err
		}
		want := message
		if upper {
			want = bytes.Map(asciiUpper, message)
		}
		if !bytes.Equal(answer, want) {
			return fmt.Errorf("answer %q, want %q", answer, want)
		}
	}
	return nil
}

func asciiUpper(r rune) rune {
	if 'a' <= r && r <= 'z' {
		return r - 'a' + 'A'
	}
	return r
}

// TestClientsInTasks is the same conversation with clients that are tasks.
func TestClientsInTasks(t *testing.T) {
	_, addr := serve(t, true)
	rt := runtimetest.New(t, 1)
	runtimetest.RunOn(t, rt, func() {
		var tasks []*runtime.Future[string]
		for id := range 100 {
			tasks = append(tasks, runtime.Async(func() (string, error) {
				conn, err := net.Dial("tcp", addr)
				if err != nil {
					return "", err
				}
				defer conn.Close()
				var got string
				for range 10 {
					if _, err := fmt.Fprintf(conn, "hello %d", id); err != nil {
						return "", err
					}
					answer := make([]byte, 64)
					n, err := conn.Read(answer)
					if err != nil {
						return "", err
					}
					got = string(answer[:n])
				}
				return got, nil
			}))
		}
		for id, task := range tasks {
			got, err := task.Get()
			if want := fmt.Sprintf("HELLO %d", id); err != nil || got != want {
				t.Errorf("got %q, %v, want %q", got, err, want)
			}
		}
	})
}

// TestPortInUse shows the error of a second server.
func TestPortInUse(t *testing.T) {
	_, addr := serve(t, true)
	err := run("tcp", addr, true, 1)
	var op *net.OpError
	if !errors.As(err, &op) || op.Op != "listen" {
		t.Errorf("run on a used port: %v", err)
	}
}

// TestSignal: SIGTERM ends the program, with an idle connection after a while.
func TestSignal(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	ended := make(chan error, 1)
	go func() { ended <- run("unix", path, false, 1) }()
	var conn stdnet.Conn
	runtimetest.Eventually(t, "it listens", func() (ok bool) {
		var err error
		conn, err = stdnet.Dial("unix", path)
		return err == nil
	})
	defer conn.Close()
	answer := make([]byte, 5)
	_, _ = conn.Write([]byte("hello"))
	if _, err := io.ReadFull(conn, answer); string(answer) != "HELLO" || err != nil {
		t.Fatalf("got %q, %v", answer, err) // it may not be ready for the signal
	}
	if err := syscall.Kill(os.Getpid(), syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if n, err := conn.Read(answer); n != 0 || err != io.EOF {
		t.Errorf("the end: %q, %v", answer[:n], err)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
