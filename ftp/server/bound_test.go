package server

import (
	"bufio"
	"fmt"
	"io"
	"log/slog"
	stdnet "net"
	goruntime "runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/weft-go/weft/ftp/storage"
	"github.com/weft-go/weft/runtime/runtimetest"
)

// bounded is a server whose address takes pipelined sessions.
func bounded(t *testing.T, e Engine, root storage.FS) (*Server, string) {
	t.Helper()
	srv, err := New(Config{Engine: e, Auth: anyone{}, Root: root, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	l, err := e.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	e.GoBalanced(func() { served <- srv.Serve(l) })
	t.Cleanup(func() {
		if err := srv.Close(); err != nil {
			t.Error(err)
		}
		<-served
	})
	return srv, l.Addr().String()
}

// converse logs in, sends the lines and QUIT, and returns all replies.
func converse(addr string, lines ...string) (string, error) {
	c, err := stdnet.Dial("tcp", addr)
	if err != nil {
		return "", err
	}
	defer c.Close()
	_ = c.SetDeadline(time.Now().Add(20 * time.Second))
	if _, err := io.WriteString(c, "USER u\r\nPASS u\r\n"+strings.Join(lines, "\r\n")+"\r\nQUIT\r\n"); err != nil {
		return "", err
	}
	b, err := io.ReadAll(bufio.NewReader(c))
	return string(b), err
}

// FIELD B42: however many hash, few read at a time, in turn.
func TestHashesAreBounded(t *testing.T) {
	for _, e := range []Engine{Goroutines(), Tasks(runtimetest.New(t, 2))} {
		t.Run(e.Name(), func(t *testing.T) {
			busy := &busyFS{FS: storage.NewMem(), bound: maxHashes}
			_, addr := bounded(t, e, busy)
			const clients = 12
			results := make(chan error, clients)
			for range clients {
				go func() {
					got, err := converse(addr, "HASH f", "XCRC f")
					if err == nil && (!strings.Contains(got, "213 SHA-256 0-") || !strings.Contains(got, "\r\n250 ")) {
						err = fmt.Errorf("%q", got)
					}
					results <- err
				}()
			}
			for range clients {
				if err := <-results; err != nil {
					t.Error(err)
				}
			}
			if got := busy.most.Load(); got > busy.bound || got == 0 {
				t.Errorf("%d read at a time, %d may", got, busy.bound)
			}
		})
	}
}

// busyFS has a file of some pieces and counts who reads at a time.
type busyFS struct {
	storage.FS
	bound     int64
	now, most atomic.Int64
}

func (b *busyFS) Open(string) (storage.File, error) {
	return &busyFile{fs: b, left: 3 * largeBuffer}, nil
}

type busyFile struct {
	storage.File
	fs   *busyFS
	left int
}

func (f *busyFile) Stat() (storage.Entry, error) { return storage.Entry{Size: int64(f.left)}, nil }
func (f *busyFile) Close() error                 { return nil }

func (f *busyFile) Read(p []byte) (int, error) {
	if f.left == 0 {
		return 0, io.EOF
	}
	f.fs.now.Add(1)
	defer f.fs.now.Add(-1)
	// Give others the chance to be one too many.
	for range 100 {
		now, most := f.fs.now.Load(), f.fs.most.Load()
		if now > most {
			f.fs.most.CompareAndSwap(most, now)
		}
		if now > f.fs.bound {
			break
		}
		goruntime.Gosched()
	}
	n := min(len(p), f.left)
	f.left -= n
	return n, nil
}

// Compressed transfers are bounded, for their memory; other modes are not.
func TestDeflatesAreBounded(t *testing.T) {
	srv, addr := bounded(t, Goroutines(), storage.NewMem())
	srv.deflates.mu.Lock()
	srv.deflates.free = 0
	srv.deflates.mu.Unlock()
	got, err := converse(addr, "MODE Z", "EPSV", "NLST", "EPSV", "STOR f", "MODE S", "SIZE f", "EPSV", "NLST", "ABOR")
	if err != nil || strings.Count(got, "\r\n450 ") != 2 || strings.Count(got, "\r\n150 ") != 1 || !strings.Contains(got, "\r\n550 ") {
		t.Errorf("%q, %v", got, err)
	}
}
